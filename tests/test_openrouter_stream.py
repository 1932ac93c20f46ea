"""An answer that is streamed: how it is read, how it breaks off, and how it is stopped."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import support.openrouter_replies as replies
from openrouter_client import Abort, Answer, Kind, OpenRouterError, Stream, Thinking, chat_once
from support.fake_openrouter import FakeOpenRouter
from support.listening import listen
from support.openrouter_replies import DONE, PROCESSING, USAGE, chunk, sse, usage_chunk

MODEL = "deepseek/deepseek-chat-v3.1:free"
MESSAGES = [{"role": "user", "content": "Привет"}]
END = (chunk(None, finish="stop"), usage_chunk(), DONE)
# Letters with the byte 0x85, a line break in other encodings, and an emoji.
RUSSIAN = "Хорошая хата, ещё х. \N{WHITE HEAVY CHECK MARK}\u2028\n\nДа \N{GRINNING FACE}"


def nobody(_: str) -> None:
    """Ignore the pieces."""


def ask(on_text: Callable[[str], None] = nobody, **options: Any) -> Answer:
    return listen(MESSAGES, model=MODEL, on_text=on_text, **options)


def refused(**options: Any) -> OpenRouterError:
    with pytest.raises(OpenRouterError) as caught:
        ask(**options)
    return caught.value


# ---- A normal stream ------------------------------------------------------------------------


def test_the_pieces_come_one_by_one_and_make_the_answer(fake: FakeOpenRouter) -> None:
    pieces: list[str] = []
    fake.next(replies.stream("При", "вет", "!"))
    answer = ask(pieces.append)
    assert pieces == ["При", "вет", "!"]
    assert answer.text == "Привет!"
    assert (answer.model, answer.finish_reason) == (MODEL, "stop")
    assert (answer.prompt_tokens, answer.completion_tokens) == (10, 4)
    assert fake.requests[0].body["stream"] is True
    assert fake.requests[0].body["stream_options"] == {"include_usage": True}


def test_a_piece_is_told_before_the_next_is_sent(fake: FakeOpenRouter) -> None:
    fake.next(replies.stream("раз", "два", hold_after=1))
    pieces: list[str] = []

    def on_text(piece: str) -> None:
        pieces.append(piece)
        assert len(fake.closed_by_client) == 0
        fake.release()  # the server sends the second piece only after the first was heard

    assert ask(on_text).text == "раздва"
    assert pieces == ["раз", "два"]


def test_a_question_without_a_listener_is_not_streamed(fake: FakeOpenRouter) -> None:
    chat_once(MESSAGES, model=MODEL)
    assert "stream" not in fake.requests[0].body


def test_thinking_is_told_but_not_shown(fake: FakeOpenRouter) -> None:
    thoughts: list[int] = []
    fake.next(
        replies.events(
            chunk(None, role="assistant"),
            chunk("", reasoning="Хм"),
            chunk(None, reasoning_content="Так"),
            chunk(None, reasoning_details=[{"type": "reasoning.text", "text": "Вот"}]),
            chunk("да"),
            *END,
        )
    )
    answer = ask(on_thinking=lambda: thoughts.append(1))
    assert answer.text == "да"
    assert len(thoughts) == 3


def stream_bytes(text: str, newline: bytes = b"\n") -> bytes:
    words = [word + " " for word in text.split(" ")]
    parts = [PROCESSING, *(sse(chunk(word)) for word in words), *(sse(p) for p in END[:2]), DONE]
    return b"".join(parts).replace(b"\n", newline)


@given(size=st.integers(1, 400), newline=st.sampled_from([b"\n", b"\r\n", b"\r"]))
def test_the_answer_is_the_same_however_its_bytes_are_cut(
    fake: FakeOpenRouter, size: int, newline: bytes
) -> None:
    fake.next(replies.slices(stream_bytes(RUSSIAN, newline), size))
    assert ask().text == RUSSIAN + " "


WITHOUT_TOKENS = st.characters(
    exclude_characters="<", exclude_categories=["Cs"]
)  # control tokens like </s> are never shown


@given(pieces=st.lists(st.text(WITHOUT_TOKENS, min_size=1), min_size=1))
def test_whatever_is_said_arrives_as_it_was_said(fake: FakeOpenRouter, pieces: list[str]) -> None:
    heard: list[str] = []
    fake.next(replies.stream("начало ", *pieces))
    assert ask(heard.append).text == "начало " + "".join(pieces) == "".join(heard)


def test_every_way_of_writing_an_event_is_read(fake: FakeOpenRouter) -> None:
    event = sse(chunk("раз ")).removeprefix(b"data: ")
    head, comma, tail = sse(chunk("два ")).partition(b", ")
    fake.next(
        replies.events(
            b"\xef\xbb\xbf: hello\n\n",
            b"event: message\nid: 7\nretry: 10\ndata:" + event,
            head + comma + b"\ndata:" + tail,
            b":\n\n\n\n",
            sse(chunk("три")),
            *END,
        )
    )
    assert ask().text == "раз два три"


def test_events_without_a_blank_line_between_them_are_read_as_they_come(fake: FakeOpenRouter) -> None:
    lines = [sse(event).rstrip() + b"\n" for event in (chunk("раз "), chunk("два "), chunk("три"))]
    lines[1:1] = [b"data: ping\n", b"data:\n"]
    fake.next(replies.events(*lines, b"\r\n".join([sse(END[0]).rstrip(), b"data: [DONE]\r\n"])))
    pieces: list[str] = []
    assert ask(pieces.append).text == "раз два три"
    assert pieces == ["раз ", "два ", "три"]


BEATS = [
    b"data: \n\n",
    b"data:\n\n",
    b"data: null\n\n",
    b"data: [ ]\n\n",
    b'data: " "\n\n',
    b"data: []\n\n",
    b'data: ""\n\n',
    b"data: {}\n\n",
    b"data: ping\n\n",
    b"data: .\n\n",
    b"data: undefined\n\n",
    b"data: 5\n\n",
    b"data: 1795672257.5\n\n",
    b"data: true\n\n",
    b'data: "ok"\n\n',
    b"data: connected\n\n",
    b"data: : OPENROUTER PROCESSING\n\n",
    b"data: [null]\n\n",
    b"event: ping\n\n",
    b'event: ping\ndata: {"type": "ping"}\n\n',
    b"event: keep-alive\ndata\n\n",
    b"id: 5\n\n",
    b"retry: 3000\n\n",
    b'data: {"choices": []}\n\n',
    b'data: {"choices": [{"delta": null}]}\n\n',
]


@pytest.mark.parametrize("beat", BEATS)
def test_what_carries_nothing_is_passed_over(fake: FakeOpenRouter, beat: bytes) -> None:
    fake.next(replies.events(beat, chunk("Ответ один"), beat, beat, chunk(" и дальше"), beat, *END, beat))
    assert ask().text == "Ответ один и дальше"


@pytest.mark.parametrize("beat", [PROCESSING, *BEATS[:-1]])
def test_a_heartbeat_does_not_break_the_silence(fake: FakeOpenRouter, beat: bytes) -> None:
    fake.next(replies.repeat(beat))
    assert refused(timeout_s=60, silence_s=0.2).msg.startswith("Модель слишком долго молчит.")


@pytest.mark.parametrize("garbage", [b"data: {\n\n", b"data: <html>\n\n", b"data: Overloaded\n\n"])
def test_garbage_is_no_heartbeat(fake: FakeOpenRouter, garbage: bytes) -> None:
    fake.next(replies.events(chunk("Полов"), garbage, chunk("ина"), *END))
    error = refused()
    assert (error.status, error.partial) == (502, "Полов")
    assert "не разобрать" in error.msg


def test_half_an_event_at_the_end_is_an_answer_cut_short(fake: FakeOpenRouter) -> None:
    fake.next(replies.events(chunk("Полов"), b'data: {"choices": [{"delta": {"conte'))
    assert refused().msg.startswith("Ответ модели оборвался")


def test_halves_of_a_letter_in_two_events_become_the_letter(fake: FakeOpenRouter) -> None:
    heard: list[str] = []
    halves = [b'data: {"choices": [{"delta": {"content": "\\u%s"}}]}\n\n' % x for x in (b"d83d", b"de00")]
    fake.next(replies.events(*halves, halves[0], *END))
    assert ask(heard.append).text == "\N{GRINNING FACE}\N{REPLACEMENT CHARACTER}"
    assert heard == ["\N{GRINNING FACE}", "\N{REPLACEMENT CHARACTER}"]


@pytest.mark.parametrize(
    "ending",
    [
        (chunk(None, finish="stop"),),
        ({**chunk(None, finish="stop"), "usage": USAGE},),
        (chunk("", finish="stop"), b"data: [DONE]"),
        (chunk(None, finish="stop"), {"choices": None, "usage": USAGE}, DONE),
        (DONE,),
    ],
)
def test_every_usual_end_is_an_end(fake: FakeOpenRouter, ending: tuple[object, ...]) -> None:
    fake.next(replies.events(chunk("да"), *ending))
    assert ask().text == "да"


def test_a_connection_that_breaks_after_the_end_spoils_nothing(fake: FakeOpenRouter) -> None:
    fake.next(replies.reset(chunk("да"), chunk(None, finish="length")))
    answer = ask()
    assert (answer.text, answer.finish_reason) == ("да", "length")


@pytest.mark.parametrize("first", [0, 1, None])
def test_of_several_answers_at_once_the_first_is_followed(fake: FakeOpenRouter, first: int | None) -> None:
    def choice(index: int | None, text: str) -> dict[str, Any]:
        return {"index": index, "delta": {"content": text}}

    others = [[choice(7, "нет")], [choice(7, "нет"), choice(first, "вет")], [choice(first, "!")]]
    events = [{"choices": [choice(first, "При"), choice(7, "нет")]}, *({"choices": c} for c in others)]
    if first is None:  # without indexes all pieces belong to one answer
        events = [{"choices": [choice(None, text)]} for text in ("При", "вет", "!")]
    fake.next(replies.events(*events, *END))
    assert ask().text == "Привет!"


def test_a_number_beyond_all_measure_spoils_no_answer(fake: FakeOpenRouter) -> None:
    event = b'data: {"created": ' + b"9" * 5000 + b', "choices": [{"delta": {"content": "!"}}]}\n\n'
    fake.next(replies.events(event, *END))
    assert ask().text == "!"


def test_plain_json_in_answer_to_a_stream_is_read(fake: FakeOpenRouter) -> None:
    heard: list[str] = []
    fake.next(replies.body(replies.completion("сразу всё"), padding=b"\n\n"))
    assert ask(heard.append).text == "сразу всё"
    assert heard == ["сразу всё"]


def test_a_stream_in_answer_to_a_plain_question_is_read(fake: FakeOpenRouter) -> None:
    fake.next(replies.events(PROCESSING, chunk("по "), chunk("частям"), *END))
    assert chat_once(MESSAGES, model=MODEL).text == "по частям"


# ---- What is passed on, and what is not -----------------------------------------------------


def test_a_refusal_in_words_is_the_answer(fake: FakeOpenRouter) -> None:
    pieces = [chunk(None, refusal="Извините, "), chunk(None, refusal="не могу.")]
    part = {"type": "refusal", "refusal": "Нет."}
    fake.next(
        replies.events(chunk(None, refusal=None), *pieces, *END),
        replies.body(replies.completion(None, refusal="Извините.")),
        replies.body(replies.completion([part], refusal=None)),
    )
    assert [ask().text for _ in range(3)] == ["Извините, не могу.", "Извините.", "Нет."]


def test_thoughts_in_the_text_are_told_as_thinking(fake: FakeOpenRouter) -> None:
    thoughts: list[int] = []
    heard: list[str] = []
    pieces = ["<th", "ink>\nХм", ", так", "</thi", "nk>\n\nОтвет: 42", "<|im_", "end|>"]
    fake.next(replies.stream(*pieces))
    answer = ask(heard.append, on_thinking=lambda: thoughts.append(1))
    assert answer.text == "".join(heard) == "Ответ: 42"
    assert len(thoughts) == 3
    fake.next(replies.body(replies.completion("".join(pieces))))
    assert chat_once(MESSAGES, model=MODEL).text == "Ответ: 42"


def test_thoughts_whose_opening_tag_was_in_the_prompt_are_taken_back(fake: FakeOpenRouter) -> None:
    fake.next(replies.stream("Хм, ", "так.", "\n</think>\n\n", "42"))
    with Stream(MESSAGES, model=MODEL) as stream:
        news = [stream.next() for _ in range(4)]
        assert news == ["Хм, ", "так.", Thinking(takes_back=True), "42"]
        answer = stream.next()
    assert isinstance(answer, Answer)
    assert answer.text == "42"


def test_thoughts_in_parts_are_no_answer(fake: FakeOpenRouter) -> None:
    thought = {"type": "thinking", "thinking": [{"type": "text", "text": "Хм"}]}
    fake.next(replies.body(replies.completion([thought, {"type": "text", "text": "42"}])))
    assert chat_once(MESSAGES, model=MODEL).text == "42"


@pytest.mark.parametrize(
    "text",
    [" \n", "##", "```python\n```", "\u200b\u2060", "<think>Хм</think>", "<think>Хм", "<|im_end|>", "\ufe0f"],
)
def test_an_answer_that_nobody_can_see_is_empty(fake: FakeOpenRouter, text: str) -> None:
    heard: list[str] = []
    fake.next(replies.stream(*text), replies.body(replies.completion(text)))
    for _ in range(2):
        error = refused(on_text=heard.append)
        assert (error.kind, error.short, error.falls_back) == (Kind.EMPTY, "пустой ответ", True)
    assert heard == []


@pytest.mark.parametrize("text", ["👍", "42", "…", "?!", "—", "№"])
def test_an_answer_of_one_sign_is_an_answer(fake: FakeOpenRouter, text: str) -> None:
    fake.next(replies.stream(text))
    assert ask().text == text


def test_a_model_that_never_stops_saying_nothing_is_left(fake: FakeOpenRouter) -> None:
    fake.next(replies.repeat(chunk("\n" * 500), delay=0))
    assert refused(timeout_s=60).kind is Kind.EMPTY
    fake.wait(lambda: fake.closed_by_client)


def test_what_begins_with_markup_is_told_once_there_is_something_to_see(fake: FakeOpenRouter) -> None:
    heard: list[str] = []
    fake.next(replies.stream("##", "##", " План", " дня"))
    assert ask(heard.append).text == "#### План дня"
    assert heard == ["#### План", " дня"]


# ---- How it ends ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reason",
    [
        "length",
        "max_tokens",
        "MAX_TOKENS",
        "maxTokens",
        "max_output_tokens",
        "model_length",
        "tokens",
        "FinishReason.MAX_TOKENS",
    ],
)
def test_an_answer_that_ran_out_of_tokens_says_so(fake: FakeOpenRouter, reason: str) -> None:
    fake.next(replies.stream("Раз", finish=reason))
    answer = ask()
    assert (answer.ran_out, answer.finish_reason) == (True, "length")
    assert answer.unfinished == "… ответ неполный: исчерпан MAX_TOKENS."


def test_a_stop_behind_another_end_makes_no_answer_whole(fake: FakeOpenRouter) -> None:
    fake.next(replies.events(chunk("да", finish="length"), *END))
    assert ask().ran_out


@pytest.mark.parametrize(
    "reason",
    ["content_filter", "SAFETY", "safety", "recitation", "PROHIBITED_CONTENT", "blocklist", "refusal"],
)
def test_an_answer_that_a_filter_cut_says_so(fake: FakeOpenRouter, reason: str) -> None:
    fake.next(replies.stream("Раз", finish=reason), replies.stream(finish=reason))
    answer = ask()
    assert (answer.ran_out, answer.finish_reason) == (False, "content_filter")
    assert answer.unfinished == "… ответ неполный: его оборвал фильтр."
    error = refused()
    assert error.msg.startswith("Фильтр не пропустил ответ модели.")
    assert (error.kind, error.short, error.falls_back) == (Kind.EMPTY, "фильтр", True)


@pytest.mark.parametrize(
    "reason",
    [
        "stop",
        "STOP",
        "eos",
        "end_turn",
        "stop_sequence",
        "tool_calls",
        "COMPLETE",
        None,
        "",
        5,
        [],
        "done",
        "eot_id",
        "</s>",
    ],
)
def test_an_answer_that_ended_by_itself_says_nothing_of_it(fake: FakeOpenRouter, reason: Any) -> None:
    fake.next(replies.events(chunk("Раз"), chunk(None, finish=reason), DONE))
    answer = ask()
    assert (answer.unfinished, answer.ran_out) == ("", False)


@pytest.mark.parametrize(
    ("reason", "named"),
    [
        ("malformed_function_call", "malformed_function_call"),
        ("OTHER", "OTHER"),
        ("abort", "abort"),
        ("insufficient_system_resource", "insufficient_system_resource"),
        ("<b>\nx</b>" * 20, "bxb" * 13 + "b"),
        ("%", "без причины"),
    ],
)
def test_any_other_end_is_named(fake: FakeOpenRouter, reason: str, named: str) -> None:
    fake.next(replies.stream("Раз", finish=reason))
    assert ask().unfinished == f"… ответ неполный: модель остановилась ({named})."


@pytest.mark.parametrize(
    ("native", "unfinished"),
    [
        ("STOP", ""),
        ("whatever", ""),
        ("MAX_TOKENS", "… ответ неполный: исчерпан MAX_TOKENS."),
        ("network_error", "… ответ неполный: модель остановилась (network_error)."),
    ],
)
def test_a_provider_may_know_better_why_it_stopped(
    fake: FakeOpenRouter, native: str, unfinished: str
) -> None:
    last = chunk(None, finish="stop")
    last["choices"][0]["native_finish_reason"] = native
    fake.next(replies.events(chunk("Раз"), last, DONE))
    assert ask().unfinished == unfinished


# ---- Step by step ---------------------------------------------------------------------------


def test_a_stream_is_asked_for_its_next_piece(fake: FakeOpenRouter) -> None:
    fake.next(replies.stream("раз ", "два", thinking="Хм"))
    with Stream(MESSAGES, model=MODEL) as stream:
        news = [stream.next() for _ in range(4)]
    assert isinstance(news[0], Thinking)
    assert news[1:3] == ["раз ", "два"]
    assert isinstance(news[3], Answer)
    assert (news[3].text, news[3].finish_reason) == ("раз два", "stop")


WAITING = {
    "before the headers": replies.hang(headers=False),
    "before the first word": replies.hang(),
    "comments": replies.repeat(PROCESSING),
    "a refusal that drips": replies.drip(b"HTTP/1.1 500 Oh\r\nContent-Length: 9999\r\n\r\n{"),
}


@pytest.mark.parametrize("behaviour", WAITING.values(), ids=WAITING.keys())
def test_whoever_waits_may_look_up_as_often_as_he_likes(
    fake: FakeOpenRouter, behaviour: replies.Behaviour
) -> None:
    fake.next(behaviour)
    with Stream(MESSAGES, model=MODEL, timeout_s=60) as stream:
        assert [stream.next(0.1) for _ in range(3)] == [None, None, None]
    fake.wait(lambda: fake.closed_by_client)


def test_what_comes_while_nobody_looks_is_not_lost(fake: FakeOpenRouter) -> None:
    fake.next(replies.stream("раз ", "два", hold_after=1))
    with Stream(MESSAGES, model=MODEL) as stream:
        news = [stream.next(), stream.next(0.05), stream.next(0)]
        assert news == ["раз ", None, None]
        fake.release()
        while (piece := stream.next(0)) is None:
            continue
        assert piece == "два"
        answer = stream.next()
    assert isinstance(answer, Answer)
    assert answer.text == "раз два"


def test_a_stream_that_breaks_tells_what_it_had_told(fake: FakeOpenRouter) -> None:
    fake.next(replies.reset(chunk("Полов")))
    with Stream(MESSAGES, model=MODEL) as stream:
        assert stream.next() == "Полов"
        with pytest.raises(OpenRouterError) as caught:
            stream.next()
    assert caught.value.partial == "Полов"


def test_a_stream_that_is_stopped_ends_with_its_answer(fake: FakeOpenRouter) -> None:
    abort = Abort()
    fake.next(replies.stream("раз ", "два", hold_after=1))
    with Stream(MESSAGES, model=MODEL, abort=abort) as stream:
        assert stream.next() == "раз "
        abort.set()
        answer = stream.next()
    assert isinstance(answer, Answer)
    assert (answer.text, answer.stopped) == ("раз ", True)
    fake.wait(lambda: fake.closed_by_client)


def test_a_stream_that_was_never_asked_leaves_nothing_behind(fake: FakeOpenRouter) -> None:
    with Stream(MESSAGES, model=MODEL):
        pass
    assert fake.requests == []


# ---- Broken streams -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("event", "status"),
    [
        ({"error": {"code": 502, "message": "x"}, "choices": []}, 502),
        ({**chunk("", finish="error"), "error": {"code": "server_error", "message": "x"}}, 502),
        ({"error": {"code": 429, "message": "x"}}, 429),
        ({"error": "words"}, 502),
        ({"message": "Rate limit exceeded", "code": 429}, 429),
        ({"type": "error", "message": "Overloaded"}, 502),
        ({"detail": "Internal error"}, 502),
        ({"choices": [{"delta": {}, "error": {"code": 503}, "finish_reason": "error"}]}, 503),
        (chunk(None, finish="error"), 502),
    ],
)
def test_an_error_in_mid_stream_keeps_what_has_come(fake: FakeOpenRouter, event: object, status: int) -> None:
    fake.next(replies.events(chunk("Полов"), event, end=False))
    error = refused()
    assert (error.status, error.partial) == (status, "Полов")
    assert not error.falls_back  # the text was shown already and cannot be taken back


@pytest.mark.parametrize(
    "breakage",
    [
        replies.events(chunk("Полов")),
        replies.events(chunk("Полов"), end=False),
        replies.reset(chunk("Полов")),
        replies.events(chunk("Полов"), b"data: {\n\n", *END),
        replies.events(chunk("Полов"), b'data: {"choices": [{"delta": {"conte', end=False),
        replies.events(chunk("Полов"), b"data: Overloaded\n\n", *END),
    ],
)
def test_an_answer_cut_short_is_an_error_with_what_has_come(
    fake: FakeOpenRouter, breakage: replies.Behaviour
) -> None:
    fake.next(breakage)
    error = refused()
    assert error.status in (502, 503)
    assert error.partial == "Полов"


def test_a_cut_before_the_first_word_may_be_tried_elsewhere(fake: FakeOpenRouter) -> None:
    fake.next(replies.reset(), replies.reset(headers=False), replies.events())
    errors = [refused() for _ in range(3)]
    assert all(error.falls_back and error.partial == "" for error in errors)


def test_a_stream_without_a_word_is_an_empty_answer(fake: FakeOpenRouter) -> None:
    fake.next(replies.events(chunk(None, role="assistant"), *END), replies.events(DONE))
    assert [refused().kind, refused().kind] == [Kind.EMPTY, Kind.EMPTY]


def test_a_refusal_before_the_stream_is_worded_by_its_status(fake: FakeOpenRouter) -> None:
    fake.next(replies.status(404, "No endpoints found for a/b."), replies.html(502))
    assert [refused().status, refused().status] == [404, 502]


@pytest.mark.parametrize("page", [b"<html></html>", b"no healthy upstream", b""])
def test_a_page_instead_of_a_stream_is_a_clear_error(fake: FakeOpenRouter, page: bytes) -> None:
    fake.next(replies.body(page))
    assert refused().status == 502


# ---- Silent streams -------------------------------------------------------------------------

ENDLESS = {
    "no headers": replies.hang(headers=False),
    "headers dripping": replies.drip(b"HTTP/1.1 200 OK\r\nX-Slow: "),
    "a refusal dripping": replies.drip(b"HTTP/1.1 500 Oh\r\nContent-Length: 9999\r\n\r\n{"),
    "chunk size dripping": replies.drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0"),
    "a word, then nothing": replies.hang(chunk("Полов")),
    "comments": replies.repeat(PROCESSING),
    "a word, then comments": replies.repeat(PROCESSING, after=[chunk("Полов")]),
    "padding": replies.repeat(b"\n"),
    "events without a word": replies.repeat(chunk("")),
}


@pytest.mark.parametrize("behaviour", ENDLESS.values(), ids=ENDLESS.keys())
def test_silence_ends_the_attempt_in_a_quarter_of_the_time(
    fake: FakeOpenRouter, behaviour: replies.Behaviour
) -> None:
    fake.next(behaviour)
    started = time.monotonic()
    error = refused(timeout_s=0.8)
    assert 0.18 < time.monotonic() - started < 20
    assert error.status == 504
    assert error.msg.startswith("Модель слишком долго молчит.")
    fake.wait(lambda: fake.closed_by_client or not fake.requests)  # on a very busy machine no request is sent


@pytest.mark.parametrize("behaviour", ENDLESS.values(), ids=ENDLESS.keys())
def test_the_time_for_everything_holds_whatever_drips_in(
    fake: FakeOpenRouter, behaviour: replies.Behaviour
) -> None:
    fake.next(behaviour)
    started = time.monotonic()
    with pytest.raises(OpenRouterError, match="Время ожидания ответа вышло") as caught:
        chat_once(MESSAGES, model=MODEL, timeout_s=0.2)
    assert 0.18 < time.monotonic() - started < 20
    assert caught.value.status == 504
    fake.wait(lambda: fake.closed_by_client or not fake.requests)  # on a very busy machine no request is sent


def test_an_endless_answer_ends_with_the_time_and_is_kept(fake: FakeOpenRouter) -> None:
    fake.next(replies.repeat(chunk("а")))
    error = refused(timeout_s=1.5, silence_s=60)
    assert error.msg.startswith("Время ожидания ответа вышло")
    assert set(error.partial) == {"а"}


def test_thinking_is_no_silence(fake: FakeOpenRouter) -> None:
    thought = chunk("", reasoning="хм")
    fake.next(replies.events(*[thought, 0.3] * 6, chunk("да"), *END))
    assert ask(timeout_s=60, silence_s=1.5).text == "да"


def test_the_time_of_silence_can_be_given(fake: FakeOpenRouter) -> None:
    fake.next(replies.hang())
    started = time.monotonic()
    assert refused(timeout_s=60, silence_s=0.2).status == 504
    assert time.monotonic() - started < 20


def test_a_service_that_holds_the_line_after_the_end_spoils_nothing(fake: FakeOpenRouter) -> None:
    fake.next(replies.hang(chunk("да"), chunk(None, finish="stop")))
    assert ask(timeout_s=60, silence_s=1).text == "да"


# ---- Stopped streams ------------------------------------------------------------------------


def stop_when(fake: FakeOpenRouter, predicate: Callable[[], object], abort: Abort) -> None:
    """Set `abort` from another thread when the server fulfils a condition."""

    def press() -> None:
        fake.wait(predicate)
        abort.set()

    threading.Thread(target=press).start()


STUCK = {name: behaviour for name, behaviour in ENDLESS.items() if "word" not in name}


@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("behaviour", STUCK.values(), ids=STUCK.keys())
def test_stop_frees_the_line_wherever_the_question_is_stuck(
    fake: FakeOpenRouter, behaviour: replies.Behaviour, streamed: bool
) -> None:
    abort = Abort()
    fake.next(behaviour)
    stop_when(fake, lambda: fake.in_flight, abort)
    started = time.monotonic()
    answer = listen(MESSAGES, model=MODEL, abort=abort, on_text=nobody if streamed else None)
    assert answer.stopped
    assert answer.text == ""
    fake.wait(lambda: fake.closed_by_client)
    assert time.monotonic() - started < 20


def test_stop_in_mid_answer_keeps_what_has_come(fake: FakeOpenRouter) -> None:
    abort = Abort()
    fake.next(replies.stream("раз ", "два", hold_after=1))
    answer = ask(lambda _: abort.set(), abort=abort)
    assert (answer.text, answer.stopped) == ("раз ", True)
    fake.wait(lambda: fake.closed_by_client)


def test_stop_does_not_wait_for_what_has_come_already(fake: FakeOpenRouter) -> None:
    abort = Abort()
    heard: list[str] = []

    def on_text(piece: str) -> None:
        heard.append(piece)
        abort.set()

    fake.next(replies.stream(*("слово " for _ in range(500))))
    assert ask(on_text, abort=abort).text == "слово "
    assert heard == ["слово "]


def test_a_question_stopped_before_it_is_asked_costs_nothing(fake: FakeOpenRouter) -> None:
    abort = Abort()
    abort.set()
    assert ask(abort=abort).stopped
    assert fake.requests == []


def test_a_stop_after_the_answer_changes_nothing(fake: FakeOpenRouter) -> None:
    abort = Abort()
    fake.next(replies.answer("да"))
    answer = ask(abort=abort)
    abort.set()
    assert (answer.text, answer.stopped) == ("да", False)


def test_a_listener_that_fails_frees_the_line(fake: FakeOpenRouter) -> None:
    def on_text(_: str) -> None:
        raise KeyError("listener")

    fake.next(replies.hang(chunk("да")))
    with pytest.raises(KeyError, match="listener"):
        ask(on_text)
    fake.wait(lambda: fake.closed_by_client)
