"""A dialogue with a model: /ask, the answer, and the message when there is no answer."""

import re
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing

import pytest

import support.openrouter_replies as replies
from support.harness import CATALOGUE, FOOTER, Harness, Message, Person
from support.registry_people import seen

SENTENCES = {
    400: "Неверный формат запроса.",
    401: "Ключ OpenRouter отклонён. Проверьте OPENROUTER_API_KEY.",
    403: "Нет прав доступа к модели.",
    404: "Эндпоинт не найден. Проверьте URL /api/v1/chat/completions.",
    429: "Превышены лимиты бесплатной модели. Попробуйте позднее.",
}
OWN_SENTENCES = [402, 408, 413, 422, 500, 502, 503, 504, 524, 529]
NewBot = Callable[..., Harness]


def only(messages: list[Message]) -> str:
    """Return the text of an answer that is a single message."""
    (message,) = messages
    return str(message["text"])


def words(messages: list[Message]) -> list[str]:
    """Return the answer's words without the footer."""
    return FOOTER.sub("", "\n".join(message["text"] for message in messages)).split()


# ---- The question ---------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["/ask", "/ask   ", "/ask\n", "/ask@zametochnik_bot"])
def test_a_question_without_words_gets_the_usage(anna: Person, text: str) -> None:
    assert anna.says(text) == "Использование: /ask <вопрос>"


def test_the_model_gets_the_system_prompt_and_then_the_question(bot: Harness, anna: Person) -> None:
    anna.says("/model 2")
    anna.asks_model("кто\n  ты?")
    asked = bot.ai.questions[-1].body
    assert asked["model"] == list(CATALOGUE)[1]
    system, question = asked["messages"]
    assert system["role"] == "system"
    assert "кратко и по существу" in system["content"]
    assert "по пунктам" in system["content"]
    assert question == {"role": "user", "content": "кто\n  ты?"}
    assert asked["max_tokens"] == 2000


def test_the_model_gets_a_long_question_whole(bot: Harness, anna: Person) -> None:
    question = " ".join(f"слово{number}" for number in range(400))
    assert 600 < len(question) < 4090
    anna.asks_model(question)
    assert bot.ai.questions[-1].question == question


def test_naming_the_bot_is_no_part_of_the_question(bot: Harness, anna: Person) -> None:
    asked = bot.server.say("/ask@zametochnik_bot\nкто ты?", user_id=anna.id)
    anna.answer_to(asked)
    assert bot.ai.questions[-1].question == "кто ты?"


# ---- The answer -----------------------------------------------------------------------------


def test_the_answer_has_its_footer_after_a_blank_line(anna: Person) -> None:
    anna.says("/model 1")
    text = only(anna.asks_model("привет мир"))
    footer = FOOTER.search(text)
    assert footer
    assert text[: footer.start()] == "Вы спросили: привет мир"
    assert footer["model"] == next(iter(CATALOGUE))
    assert 0 <= int(footer["ms"]) < 10_000
    assert re.fullmatch(r"Вы спросили: привет мир\n\n\(\d+ мс; модель: \S+\)", text)


def test_a_quick_answer_is_shown_at_once_and_nothing_is_refused(bot: Harness, anna: Person) -> None:
    def took_s() -> float:
        started = time.monotonic()
        anna.asks_model("привет")
        return time.monotonic() - started

    # Faster than the pause between two edits; a busy machine may delay some of them.
    assert any(took_s() < 1.1 for _ in range(10))
    assert [call for call in bot.server.calls if call.chat_id == anna.id and not call.ok] == []


def test_the_answer_quotes_its_question(bot: Harness, anna: Person) -> None:
    asked = bot.server.say("/ask привет", user_id=anna.id)
    (message,) = anna.answer_to(asked)
    assert message["reply_to_message"]["message_id"] == asked["message_id"]


def test_an_answer_longer_than_a_message_is_split_and_nothing_is_lost(bot: Harness, anna: Person) -> None:
    long = " ".join(f"слово{number}" for number in range(1500))
    bot.answers["много"] = replies.answer(long)
    messages = anna.asks_model("много")
    assert len(messages) > 1
    assert words(messages) == long.split()
    assert all(not FOOTER.search(message["text"]) for message in messages[:-1])


def test_an_answer_that_was_cut_says_that_it_is_incomplete(bot: Harness, anna: Person, boris: Person) -> None:
    bot.answers["обрыв"] = replies.answer("начало и", finish="length")
    bot.answers["конец"] = replies.answer("начало и конец")
    assert "неполный" in only(anna.asks_model("обрыв"))
    assert "неполный" not in only(boris.asks_model("конец"))


def test_a_note_right_after_a_question_does_not_wait_for_the_model(bot: Harness, anna: Person) -> None:
    bot.ai.hold()
    asked = bot.server.say("/ask долго", user_id=anna.id)
    assert anna.says("/note_add мысль") == "Заметка #1 сохранена."
    bot.ai.release()
    anna.answer_to(asked)


def test_while_the_model_works_the_chat_shows_that_it_is_typing(bot: Harness, anna: Person) -> None:
    bot.ai.hold()
    asked = bot.server.say("/ask думай", user_id=anna.id)

    def typed() -> int:
        return len(bot.server.calls_of("sendChatAction", anna.id))

    bot.wait(typed)
    started = time.monotonic()
    bot.wait(lambda: typed() >= 2)
    assert time.monotonic() - started < 9  # Telegram shows the action for five seconds
    assert bot.server.calls_of("sendChatAction", anna.id)[0].params["action"] == "typing"
    bot.ai.release()
    anna.answer_to(asked)
    told = typed()
    anna.says("/note_count")
    assert typed() == told


# ---- Errors ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "sentence"), SENTENCES.items())
def test_a_refusal_is_the_sentence_of_the_course(
    bot: Harness, anna: Person, code: int, sentence: str
) -> None:
    bot.answers["?"] = replies.status(code)
    first_line, *_ = only(anna.asks_model("?")).splitlines()  # advice may follow below
    assert first_line == f"Ошибка: [{code}] {sentence}"


def test_every_other_refusal_has_a_sentence_of_its_own(bot: Harness) -> None:
    bot.answers |= {f"{code}?": replies.status(code) for code in OWN_SENTENCES}
    people = {code: bot.person() for code in OWN_SENTENCES}
    asked = {code: bot.server.say(f"/ask {code}?", user_id=person.id) for code, person in people.items()}
    said = {code: only(person.answer_to(asked[code])) for code, person in people.items()}
    for code, text in said.items():
        assert re.fullmatch(rf"Ошибка: \[{code}\] [А-ЯЁ][^\n]{{15,}}", text)
        assert "Provider returned error" not in text
    assert len({text.partition("] ")[2] for text in said.values()}) == len(OWN_SENTENCES)


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        (replies.reset(), 503),
        (replies.reset(headers=False), 503),
        (replies.html(200), 502),
        (replies.html(502), 502),
        (replies.body(b'{"choices": [{"mess'), 502),
        (replies.body({"choices": []}), 502),
        (replies.body(replies.completion(None)), 502),
        (replies.body(replies.completion("  \n")), 502),
        (replies.body(replies.error_body(429)), 429),
        (replies.body([]), 502),
    ],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_a_service_that_misbehaves_is_a_clear_error(
    bot: Harness, anna: Person, behaviour: replies.Behaviour, code: int
) -> None:
    bot.answers["?"] = behaviour
    text = only(anna.asks_model("?"))
    assert re.match(rf"Ошибка: \[{code}\] [А-ЯЁ]", text)
    for secret in ("user_2SECRET", "cloudflare", "html", "choices"):
        assert secret not in text
        assert secret not in bot.log


def test_without_a_key_the_answer_says_what_is_missing(new_bot: NewBot) -> None:
    anna = new_bot(OPENROUTER_API_KEY="").start().person()
    reply = only(anna.asks_model("привет"))
    assert reply.startswith("Ошибка: [401] Отсутствует OPENROUTER_API_KEY (.env).\n")
    assert "openrouter.ai/settings/keys" in reply
    assert anna.says("/note_add работает") == "Заметка #1 сохранена."


def test_blanks_around_the_key_do_not_matter(new_bot: NewBot) -> None:
    bot = new_bot(OPENROUTER_API_KEY="  sk-or-v1-TEST\t").start()
    assert FOOTER.search(only(bot.person().asks_model("привет")))
    assert bot.ai.questions[-1].headers["authorization"] == "Bearer sk-or-v1-TEST"


def test_a_model_that_does_not_answer_in_time_is_a_clear_error(new_bot: NewBot) -> None:
    bot = new_bot(ASK_TIMEOUT="1").start()
    bot.answers["?"] = replies.hang(headers=False)
    assert only(bot.person().asks_model("?")).startswith("Ошибка: [504] ")


@pytest.mark.parametrize(("table", "command"), [("notes", "/note_count"), ("turns", "/ask привет")])
def test_what_nobody_expected_is_one_line_in_the_chat_and_a_traceback_in_the_log(
    new_bot: NewBot, table: str, command: str
) -> None:
    bot = new_bot().start()
    bot.traceback_expected = True
    anna = bot.person()
    anna.says("/models")
    with closing(sqlite3.connect(bot.db_path)) as conn, conn:
        conn.execute(f"DROP TABLE {table}")
    assert seen(bot, anna.asks(command), "ошибка")["text"] == "Непредвиденная ошибка."
    assert anna.says("/model").startswith("Текущая активная модель: ")
    bot.stop()
    assert "no such table" in bot.log
    assert "Traceback" in bot.log
    assert "привет" not in bot.log
