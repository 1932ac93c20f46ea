"""The answer appears while it is written: at once, word by word, at Telegram's pace, complete at the end."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

import support.openrouter_replies as replies
from bot_api.failures import Kind
from bot_api.server import Call as ApiCall
from support.asking_bot import FINISHED, STOP, Steps, edits, new_group
from support.harness import CATALOGUE, FOOTER, Harness, Message, Person
from support.openrouter_replies import DONE, PROCESSING, answer, chunk, sse, stream, usage_chunk
from support.registry_people import buttons, seen

pytestmark = pytest.mark.usefixtures("telegrams_pace")
NewBot = Callable[..., Harness]
LABEL = next(iter(CATALOGUE.values()))
PIECES = [f"слово{number} " for number in range(60)]


def begin(person: Person, question: str, behaviour: replies.Behaviour, **where: int) -> Message:
    """Ask a question with a scripted answer, and return the message in which the answer will grow."""
    person.bot.answers[question] = behaviour
    return person.asks(f"/ask {question}", **where)


def body(messages: list[Message]) -> str:
    """Return the text of an answer without its footer."""
    return FOOTER.sub("", "\n".join(message["text"] for message in messages))


# ---- At once --------------------------------------------------------------------------------


def test_the_answer_stands_at_once_with_the_label_of_the_model_and_a_stop_button(
    bot: Harness, anna: Person
) -> None:
    steps = Steps("ответ")
    message = begin(anna, "сразу", steps)
    assert message["text"] == f"⏳ {LABEL}"
    assert buttons(message) == [STOP]
    steps.next()
    steps.next()
    finished = seen(bot, message, "мс; модель")
    assert buttons(finished) == FINISHED
    assert len(bot.server.messages(anna.id)) == 1


def test_the_first_words_are_visible_within_300_ms_of_the_first_token(bot: Harness) -> None:
    delays = []
    for attempt in range(3):  # the best of three: a busy machine only adds delay
        steps, somebody = Steps("Первые слова ", "и последние."), bot.person()
        message = begin(somebody, f"скоро {attempt}", steps)
        token_at = steps.next()
        seen(bot, message, "Первые слова")
        delays.append(edits(bot, somebody.id)[0].at - token_at)
        steps.next()
        steps.next()
    assert min(delays) <= 0.3, f"{min(delays):.3f} s from the first token to the first words; allowed: 0.3"


# ---- The pace -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def grown(bot: Harness) -> dict[str, list[ApiCall]]:
    """The edits in chats where answers grew, all at the same time to wait only once."""
    alone, twice, limited, thinking, one, other, patient = (bot.person() for _ in range(7))
    group = new_group()
    waited = [begin(alone, "медленно", slowly(40)), begin(limited, "отказано", slowly(60))]
    waited += [begin(twice, f"медленно {number}", slowly(40)) for number in (1, 2)]
    waited += [begin(who, f"в группе {who.id}", slowly(20), chat_id=group) for who in (one, other)]
    waited.append(begin(patient, "очень долго", slowly(110)))
    thought = begin(thinking, "долгая дума", replies.repeat(chunk("", reasoning="хм"), delay=0.2))
    models = twice.asks("/models")
    bot.wait(lambda: edits(bot, limited.id))
    bot.server.fail("editMessageText", "429", chat_id=limited.id, retry_after=3)
    for number in (1, 0):  # switch to another model and back
        twice.press(models, number)
    for message in waited:
        seen(bot, message, "мс; модель")
    thinking.press(seen(bot, thought, "уже"), STOP)
    chats = {"alone": alone.id, "twice": twice.id, "limited": limited.id, "thinking": thinking.id}
    chats["patient"] = patient.id
    return {
        name: bot.server.calls_of("editMessageText", chat_id)
        for name, chat_id in (chats | {"group": group}).items()
    }


def slowly(count: int) -> replies.Behaviour:
    return stream(*(PIECES * 2)[:count], delay=0.1)


def gaps(calls: list[ApiCall]) -> list[float]:
    return [later.at - earlier.at for earlier, later in pairwise(calls)]


def finals(calls: list[ApiCall]) -> list[ApiCall]:
    return [call for call in calls if FOOTER.search(call.params["text"])]


def test_it_grows_every_second_or_so_and_can_be_stopped_till_the_end(grown: dict[str, list[ApiCall]]) -> None:
    *drafts, last = grown["alone"]
    assert len(drafts) >= 2, "four seconds of writing, an edit each 1.2 s"
    assert max(gaps(grown["alone"])) < 2.4, f"{max(gaps(grown['alone'])):.2f} s between edits, 1.2 would do"
    assert all(len(draft.params["text"].split()) > 1 for draft in drafts[1:]), "not word by word"
    whole = "".join(PIECES[:40]).strip()
    assert all(whole.startswith(draft.params["text"]) for draft in drafts)
    assert body([last.params]) == whole
    assert [buttons(draft.params) for draft in drafts] == [[STOP]] * len(drafts)
    assert buttons(last.params) == FINISHED
    assert all(call.ok for call in grown["alone"])


@pytest.mark.parametrize(
    ("chat", "least", "answers"), [("alone", 1.2, 1), ("twice", 1.2, 2), ("group", 3, 2)]
)
def test_edits_keep_the_pace_of_the_chat_all_together(
    grown: dict[str, list[ApiCall]], chat: str, least: float, answers: int
) -> None:
    closest = min(gaps(grown[chat]))
    assert closest >= least, f"{closest:.3f} s between two edits; least: {least}"
    assert len(finals(grown[chat])) == answers
    if chat == "twice":
        lists = [call for call in grown[chat] if call.params["text"].startswith("Доступные модели:")]
        assert len(lists) == 2, "the pages that were turned meanwhile are counted"


def test_the_drafts_of_a_long_answer_become_rarer(grown: dict[str, list[ApiCall]]) -> None:
    *drafts, _ = grown["patient"]
    first, *_, last = gaps(drafts)
    assert last > 2, f"{last:.2f} s between the last drafts of eleven seconds, {first:.2f} s at first"


def test_chats_do_not_wait_for_each_other(grown: dict[str, list[ApiCall]]) -> None:
    together = sorted((call for calls in grown.values() for call in calls), key=lambda call: call.at)
    assert min(gaps(together)) < 1


def test_after_too_many_requests_it_waits_as_long_as_told_and_then_edits_slower(
    grown: dict[str, list[ApiCall]],
) -> None:
    calls = grown["limited"]
    (refused,) = (number for number, call in enumerate(calls) if call.failure == "429")
    waited, *after = gaps(calls[refused:])
    assert 3 <= waited < 4, f"{waited:.2f} s after «retry after 3»"
    assert after
    assert min(after) > 1.5, f"{min(after):.2f} s between edits after a 429, 1.2 before"
    assert len(finals(calls)) == 1


# ---- The last edit always arrives -----------------------------------------------------------


def test_the_last_edit_arrives_whatever_was_refused_before(bot: Harness) -> None:
    kinds: tuple[Kind, ...] = (
        "reset",
        "reset_after",
        "500",
        "502",
        "invalid_json",
        "no_ok",
        "429",
        "entities",
    )
    text, people = "**Важно**: " + "".join(PIECES[:5]), {kind: bot.person() for kind in kinds}
    for kind, somebody in people.items():
        bot.server.fail("editMessageText", kind, chat_id=somebody.id)
        bot.answers[f"через {kind}"] = answer(text)
    asked = {kind: bot.server.say(f"/ask через {kind}", user_id=p.id) for kind, p in people.items()}
    for kind, somebody in people.items():
        (message,) = somebody.answer_to(asked[kind])
        assert body([message]) == f"Важно: {''.join(PIECES[:5])}".strip(), kind
        assert buttons(message) == FINISHED, kind
        bold = [entity for entity in message.get("entities", ()) if entity["type"] == "bold"]
        assert bool(bold) == (kind != "entities"), kind


def test_it_arrives_after_the_draft_failed_as_well(bot: Harness, anna: Person) -> None:
    steps = Steps("начало ", "и конец")
    bot.server.fail("editMessageText", "500", 1, chat_id=anna.id)
    message = begin(anna, "черновик", steps)
    steps.next()
    bot.wait(lambda: bot.server.calls_of("editMessageText", anna.id))
    steps.next()
    steps.next()
    assert body([seen(bot, message, "мс; модель")]) == "начало и конец"


def test_an_answer_whose_message_was_deleted_comes_in_a_new_one(bot: Harness, anna: Person) -> None:
    steps = Steps("начало ", "и конец")
    message = begin(anna, "удалят", steps)
    steps.next()
    seen(bot, message, "начало")
    bot.server.erase(anna.id, message["message_id"])
    steps.next()
    steps.next()
    assert body([bot.server.wait_text(anna.id, "мс; модель")]) == "начало и конец"
    assert len(bot.server.messages(anna.id)) == 1


def test_for_somebody_who_has_blocked_the_bot_no_model_goes_on_writing(bot: Harness, anna: Person) -> None:
    message = begin(anna, "заблокируют", stream(*PIECES, delay=0.2))
    seen(bot, message, "слово0")
    bot.server.block(anna.id)
    bot.ai.wait(lambda: any(request.question == "заблокируют" for request in bot.ai.closed_by_client))
    bot.server.unblock(anna.id)
    assert anna.says("/note_count") == "Заметок: 0."


# ---- Longer than a message ------------------------------------------------------------------


def test_what_is_longer_than_a_message_goes_on_in_the_next_one_while_it_grows(
    bot: Harness, anna: Person
) -> None:
    words = [f"слово{number}" for number in range(1200)]
    steps = Steps(" ".join(words[:300]), " " + " ".join(words[300:700]), " " + " ".join(words[700:]))
    first = begin(anna, "много", steps)
    steps.next()
    assert buttons(seen(bot, first, "слово299")) == [STOP]
    steps.next()
    second = bot.server.wait_text(anna.id, "слово699")
    assert second["message_id"] > first["message_id"]
    assert buttons(second) == [STOP]
    assert buttons(bot.server.find(anna.id, first["message_id"])) == []
    steps.next()
    steps.next()
    bot.server.wait_text(anna.id, "мс; модель")
    *others, last = bot.server.messages(anna.id)
    assert body([*others, last]).split() == words
    assert [buttons(message) for message in others] == [[]] * len(others)
    assert buttons(last) == FINISHED
    assert all(not FOOTER.search(message["text"]) for message in others)


def test_code_goes_on_as_code_in_the_next_message(bot: Harness, anna: Person) -> None:
    lines = [f"print({number})  # строка" for number in range(300)]
    bot.answers["код"] = answer("Вот:\n```python\n" + "\n".join(lines) + "\n```\nГотово.")
    messages = anna.asks_model("код")
    assert len(messages) > 1
    for message in messages:
        assert [(e["type"], e.get("language")) for e in message["entities"]] == [("pre", "python")]
    assert body(messages).splitlines() == ["Вот:", *lines, "Готово."]


def test_an_answer_of_just_one_message_stays_one(bot: Harness, anna: Person) -> None:
    bot.answers["впритык"] = answer("я" * 4000)
    (message,) = anna.asks_model("впритык")
    assert body([message]) == "я" * 4000


# ---- As OpenRouter streams it ---------------------------------------------------------------


def test_letters_cut_in_the_middle_and_all_the_rest_of_a_real_stream(bot: Harness, anna: Person) -> None:
    words = ["Съешь ", "ещё 👨‍👩‍👧 ", "этих ", "мягких ", "булок"]
    parts = [PROCESSING, sse(chunk("", role="assistant")), PROCESSING, *(sse(chunk(word)) for word in words)]
    parts += [b":\n\n", sse(chunk(None, finish="stop")), sse(usage_chunk()), DONE]
    bot.answers["по байту"] = replies.slices(b"".join(parts), 1)
    assert body(anna.asks_model("по байту")) == "".join(words)


BROKEN = {
    "ошибка посреди": (
        replies.events(chunk("Начало."), {**replies.error_body(502), "choices": []}, DONE),
        502,
    ),
    "код словом": (replies.events(chunk("Начало."), replies.error_body("server_error"), DONE), 502),
    "обрыв": (replies.reset(chunk("Начало.")), 503),
    "без конца": (replies.events(chunk("Начало.")), 502),
    "тишина": (replies.hang(chunk("Начало.")), 504),
    "одни пометки": (replies.repeat(PROCESSING, after=[chunk("Начало.")]), 504),
    "слишком долго": (replies.repeat(chunk(" и ещё"), after=[chunk("Начало.")], delay=0.2), 504),
}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Message, float]]]:
    """How broken answers end, and after how long; an answer has 2 s, and silence a quarter of that.

    Each is asked by a different person, all at the same time to wait only once.
    """
    with Harness(tmp_path_factory.mktemp("hasty"), ASK_TIMEOUT="2") as bot:
        bot.start()
        bot.answers |= {question: behaviour for question, (behaviour, _) in BROKEN.items()}
        bot.answers["пауза"] = stream("Начало ", "и ", "конец", delay=0.35)
        people = {question: bot.person() for question in bot.answers}
        said = {question: bot.server.say(f"/ask {question}", user_id=p.id) for question, p in people.items()}
        ended = {question: person.answer_to(said[question])[0] for question, person in people.items()}
        yield {question: (ended[question], _took(bot, people[question])) for question in ended}


def _took(bot: Harness, person: Person) -> float:
    return edits(bot, person.id)[-1].at - bot.server.calls_of("sendMessage", person.id)[0].at


@pytest.mark.parametrize("question", BROKEN)
def test_what_has_come_stays_and_what_went_wrong_stands_below(
    broken: dict[str, tuple[Message, float]], question: str
) -> None:
    message, _ = broken[question]
    said, _, error = message["text"].rpartition("\n\n")
    assert said.startswith("Начало.")
    assert error.startswith(f"Ошибка: [{BROKEN[question][1]}] ")
    assert buttons(message) == FINISHED


@pytest.mark.parametrize(
    ("question", "least"), [("тишина", 0.5), ("одни пометки", 0.5), ("слишком долго", 2)]
)
def test_a_silent_model_is_given_up_after_a_quarter_of_the_time_for_a_question(
    broken: dict[str, tuple[Message, float]], question: str, least: float
) -> None:
    _, took = broken[question]
    assert least - 0.1 <= took < least + 6, f"{took:.2f} s; due after {least}, and an edit's pause"


def test_a_model_that_pauses_for_less_than_that_is_waited_for(
    broken: dict[str, tuple[Message, float]],
) -> None:
    assert body([broken["пауза"][0]]) == "Начало и конец"


# ---- Thinking -------------------------------------------------------------------------------


def test_what_it_thinks_is_never_shown_but_that_it_thinks_is(bot: Harness) -> None:
    details = [{"type": "reasoning.text", "text": "тайная мысль"}]
    fields: dict[str, Any] = {
        "reasoning": "тайная мысль",
        "reasoning_content": "тайная мысль",
        "reasoning_details": details,
    }
    people = {name: bot.person() for name in fields}
    for name, thought in fields.items():
        thinking = [chunk("", **{name: thought}), 0.3]
        end = [chunk(None, finish="stop"), DONE]
        bot.answers[name] = replies.events(*thinking, *thinking, chunk("Ответ"), *end)
    said = {name: bot.server.say(f"/ask {name}", user_id=person.id) for name, person in people.items()}
    for name, person in people.items():
        assert body(person.answer_to(said[name])) == "Ответ", name
        shown = [call.params["text"] for call in edits(bot, person.id)]
        assert shown[0] == f"⏳ {LABEL}\nДумает…", name
        assert not any("мысль" in text for text in shown), name


def test_of_a_long_thought_it_is_said_how_long(grown: dict[str, list[ApiCall]]) -> None:
    first, later, *_ = (call for call in grown["thinking"] if call.ok)
    assert first.params["text"].endswith("\nДумает…")
    assert later.params["text"].endswith("\nДумает, уже 5 с…")
    assert 4.5 < later.at - first.at < 7.5, f"{later.at - first.at:.1f} s later"


# ---- As Telegram shows it -------------------------------------------------------------------


RICH = """## Итог

**Жирно**, `код`, [ссылка](https://example.org/a?b=1).

- раз
- два

> цитата

```sql
SELECT 1;
```

| Имя | Цена |
| --- | ---: |
| Чай | 5 |

$x^2 \\le 4$"""


def shown(message: Message, kind: str) -> list[str]:
    """Return the parts of a message that have one kind of formatting."""
    units = message["text"].encode("utf-16-le")
    found = [entity for entity in message.get("entities", ()) if entity["type"] == kind]
    return [
        units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")
        for entity in found
    ]


def test_markdown_becomes_formatting(bot: Harness, anna: Person) -> None:
    bot.answers["красиво"] = answer(RICH)
    (message,) = anna.asks_model("красиво")
    assert shown(message, "bold") == ["Итог", "Жирно"]
    assert shown(message, "text_link") == ["ссылка"]
    assert shown(message, "blockquote") == ["цитата"]
    assert shown(message, "pre") == ["SELECT 1;", "Имя | Цена\n----+-----\nЧай |    5"]
    assert "• раз\n• два" in message["text"]
    assert "x² ≤ 4" in message["text"]
    assert "**" not in message["text"]
    urls = [entity["url"] for entity in message["entities"] if entity["type"] == "text_link"]
    languages = [entity.get("language") for entity in message["entities"] if entity["type"] == "pre"]
    assert (urls, languages) == (["https://example.org/a?b=1"], ["sql", None])


def test_no_formatting_is_lost_although_a_message_holds_a_hundred_pieces_of_it(
    bot: Harness, anna: Person
) -> None:
    bot.answers["пестро"] = answer(" ".join(f"**жирно{number}** нет" for number in range(150)))
    messages = anna.asks_model("пестро")
    bold = [word for message in messages for word in shown(message, "bold")]
    assert bold == [f"жирно{number}" for number in range(150)]


@pytest.mark.parametrize(
    "written",
    ["Тип List<String> и Map<K, V>.", "Тег <b>не жирный</b> и <script>alert(1)</script>.", "a < b && c > d"],
)
def test_what_looks_like_html_is_shown_as_written(bot: Harness, anna: Person, written: str) -> None:
    bot.answers[written] = answer(written)
    (message,) = anna.asks_model(written)
    assert body([message]) == written
    assert shown(message, "bold") == []


def test_a_picture_is_a_link_that_nobody_fetches(bot: Harness, anna: Person) -> None:
    url = bot.ai.base_url.replace("/api/v1", "/cat.png")
    bot.answers["кот"] = answer(f"Вот: ![кот]({url})")
    (message,) = anna.asks_model("кот")
    assert shown(message, "text_link") == ["кот"]
    assert [request for request in bot.ai.requests if request.path == "/cat.png"] == []
    assert bot.server.calls_of("sendPhoto") == []


def test_formatting_that_telegram_refuses_is_left_out_of_draft_and_answer(bot: Harness, anna: Person) -> None:
    bot.server.fail("editMessageText", "entities", None, chat_id=anna.id)
    bot.server.fail("sendMessage", "entities", None, chat_id=anna.id)
    bot.answers["не примет"] = answer("**Важно** " * 600)
    messages = anna.asks_model("не примет")
    assert body(messages).split() == ["Важно"] * 600
    assert all("entities" not in message for message in messages)


def test_no_message_has_a_preview_of_its_links(bot: Harness, anna: Person) -> None:
    bot.answers["ссылки"] = answer("https://example.org " * 300)
    assert len(anna.asks_model("ссылки")) > 1
    sent = bot.server.calls_of("sendMessage") + bot.server.calls_of("editMessageText")
    assert {str(call.params.get("link_preview_options")) for call in sent} == {"{'is_disabled': True}"}
