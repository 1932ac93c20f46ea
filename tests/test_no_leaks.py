"""The token, the key, and people's texts are in no log line, message or file where they do not belong."""

import os
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

import support.openrouter_replies as replies
from bot_api.server import BotApiServer
from support.between import Between
from support.harness import API_KEY, FOOTER, Harness, Person

NewBot = Callable[..., Harness]
TOKEN = "123456:TEST-to_ken"
PASSWORD = "hunter2"
ACCOUNT = "user_2SECRET"  # the key's account; OpenRouter includes it in every error
SECRETS = (TOKEN, quote(TOKEN, safe=""), TOKEN.partition(":")[2], API_KEY, PASSWORD, ACCOUNT)


@pytest.fixture(scope="module")
def between(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Harness, Between]]:
    """A bot with LOG_LEVEL=DEBUG, and a relay between it and Telegram."""
    bot = Harness(tmp_path_factory.mktemp("leaks"), LOG_LEVEL="DEBUG")
    bot.server = BotApiServer(TOKEN)
    with bot, Between(bot.server.url) as telegram:
        bot.settings["TELEGRAM_API_URL"] = telegram.url
        bot.traceback_expected = True
        yield bot.start(), telegram
        bot.stop()


@pytest.fixture
def talkative(between: tuple[Harness, Between]) -> Iterator[Harness]:
    """The same bot; after the test no log, message or file may contain a secret."""
    yield between[0]
    assert leaks(between[0]) == []


def leaks(bot: Harness) -> list[str]:
    """Return the secrets found in the log, in a message, or in a file, and where."""
    places = {"the log": bot.log.encode()}
    places |= {str(path): path.read_bytes() for path in bot.folder.rglob("*") if path.is_file()}
    with bot.server.changed:
        places["a message"] = repr([call.params for call in bot.server.calls]).encode()
    return [
        f"{secret} in {place}"
        for place, text in places.items()
        for secret in SECRETS
        if secret.encode() in text
    ]


def test_a_leak_is_not_overlooked(tmp_path: Path) -> None:
    with Harness(tmp_path) as bot:
        assert leaks(bot) == []
        bot.err.append(f"ConnectionError: /bot{TOKEN}/getMe\n")
        assert f"{TOKEN} in the log" in leaks(bot)
        bot.err.clear()
        spilled = tmp_path / "spilled"
        spilled.write_text(API_KEY)
        assert leaks(bot) == [f"{API_KEY} in {spilled}"]


# ---- Telegram fails -------------------------------------------------------------------------


def test_messages_that_cannot_be_sent_tell_nothing(talkative: Harness) -> None:
    said = []
    for kind in ("reset", "reset_after", "429", "500", "502", "invalid_json", "no_ok", "401", "409"):
        person = talkative.person()
        talkative.server.fail("sendMessage", kind, chat_id=person.id)
        said.append(talkative.server.say("/note_count", user_id=person.id))
    assert {talkative.reply_to(message)["text"] for message in said} == {"Заметок: 0."}


def test_no_method_tells_anything(talkative: Harness) -> None:
    person = talkative.person()
    person.says("/note_add мысль")
    message = person.asks("/models")
    for method in ("sendDocument", "editMessageText", "answerCallbackQuery", "sendChatAction"):
        talkative.server.fail(method, "reset")
    person.asks("/note_export")
    person.asks_model("что")
    talkative.server.press(person.id, message["message_id"], 0)
    person.says("/note_count")
    talkative.server.heal()


def test_a_telegram_that_is_away_tells_nothing(talkative: Harness) -> None:
    before = talkative.log.count("недоступен")
    talkative.server.stop_listening()
    talkative.wait(lambda: talkative.log.count("недоступен") > before)
    talkative.server.resume()
    assert talkative.person().says("/note_count") == "Заметок: 0."


@pytest.mark.parametrize("answer", ["", "<html>", "{}"], ids=["cut", "html", "json"])
def test_a_file_that_cannot_be_fetched_tells_nothing(
    talkative: Harness, between: tuple[Harness, Between], answer: str
) -> None:
    _, telegram = between
    telegram.answer("/file/", answer, status=500)
    person = talkative.person()
    asked = talkative.server.send_file(b"text", "notes.txt", caption="/ask что тут", user_id=person.id)
    talkative.wait(lambda: "не отдал файл" in talkative.reply_to(asked)["text"])


def test_a_wrong_proxy_tells_nothing(tmp_path: Path) -> None:
    bot = Harness(tmp_path, LOG_LEVEL="DEBUG")
    bot.server = BotApiServer(TOKEN)
    bot.settings["TELEGRAM_PROXY"] = f"http://somebody:{PASSWORD}@127.0.0.1:1"
    with bot:
        bot.launch()
        bot.wait(lambda: "недоступен" in bot.log)
        assert bot.stop() < 3
    assert leaks(bot) == []


@pytest.mark.parametrize(
    ("wrong", "code"), [(f"{TOKEN}x", 2), (f"{TOKEN} {TOKEN}", 2)], ids=["unknown", "twice"]
)
def test_a_token_that_is_refused_is_not_shown(tmp_path: Path, wrong: str, code: int) -> None:
    with Harness(tmp_path, TOKEN=wrong, LOG_LEVEL="DEBUG") as bot:
        bot.launch()
        assert bot.exit_code() == 2
    assert leaks(bot) == []


# ---- OpenRouter fails -----------------------------------------------------------------------

FAILURES = {
    "401": replies.status(401, f"User not found: {API_KEY}"),
    "403": replies.status(403, "Key sk-or-v1-TEST may not"),
    "429": replies.status(429),
    "500": replies.status(500, metadata={"raw": f"Bearer {API_KEY} {ACCOUNT}"}),
    "html": replies.html(502),
    "reset": replies.reset(),
    "reset before the headers": replies.reset(headers=False),
    "error in the stream": replies.events(replies.chunk("начало "), replies.error_body(502, ACCOUNT)),
    "invalid JSON": replies.body(b'{"choices": [' + ACCOUNT.encode()),
}  # fmt: skip


@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
def test_a_model_that_fails_tells_nothing(talkative: Harness, failure: replies.Behaviour) -> None:
    talkative.answers["что"] = failure
    person = talkative.person()
    assert "Ошибка: [" in person.asks_model("что")[0]["text"]


@pytest.mark.parametrize("path", ["/models", "/key"])
def test_lists_that_cannot_be_read_tell_nothing(talkative: Harness, path: str) -> None:
    person = talkative.person()
    for failure in (replies.status(401, API_KEY), replies.html(500), replies.reset(headers=False)):
        talkative.ai.always(failure, path=path)
        person.press(person.asks("/models"), "🔄 Обновить")
        person.says("/usage")
    talkative.ai.always(replies.body({"data": talkative.ai.models}), path="/models")


def test_a_wrong_proxy_for_the_models_tells_nothing(tmp_path: Path) -> None:
    bot = Harness(tmp_path, LOG_LEVEL="DEBUG", OPENROUTER_PROXY=f"http://somebody:{PASSWORD}@127.0.0.1:1")
    bot.server = BotApiServer(TOKEN)
    with bot:
        assert "Ошибка: [" in bot.start().person().asks_model("что")[0]["text"]
    assert leaks(bot) == []


@pytest.mark.parametrize("key", [f"{API_KEY} {PASSWORD}", f"{API_KEY}ы"], ids=["blank", "letter"])
def test_a_key_that_cannot_be_sent_is_not_shown(tmp_path: Path, key: str) -> None:
    bot = Harness(tmp_path, LOG_LEVEL="DEBUG", OPENROUTER_API_KEY=key)
    bot.server = BotApiServer(TOKEN)
    with bot:
        assert "Ошибка: [401]" in bot.start().person().asks_model("что")[0]["text"]
    assert leaks(bot) == []


# ---- The program fails ----------------------------------------------------------------------


def test_a_mistake_of_the_program_shows_neither_secrets_nor_texts(talkative: Harness) -> None:
    person = talkative.person()
    with closing(sqlite3.connect(talkative.db_path, isolation_level=None)) as conn:
        conn.execute("ALTER TABLE notes RENAME TO elsewhere")
        said = person.says("/note_add тайна четыре")
        conn.execute("ALTER TABLE elsewhere RENAME TO notes")
    assert said == "Непредвиденная ошибка."
    talkative.wait(lambda: "Traceback" in talkative.log)
    assert "тайна четыре" not in talkative.log


# ---- What people write ----------------------------------------------------------------------

MARKS = ["ЗАМЕТКА-17", "ПРАВКА-18", "ВОПРОС-19", "ОТВЕТ-20", "СЛОВА-21", "ИСКОМОЕ-22", "КНОПКА-23"]


def is_answered(bot: Harness, chat_id: int) -> bool:
    return any(FOOTER.search(message["text"]) for message in bot.server.messages(chat_id))


def say_everything(bot: Harness, person: Person) -> None:
    """Put every mark into some message, with and without failures on the way."""
    bot.answers[MARKS[2]] = replies.answer(f"**{MARKS[3]}** и `код`")
    others = []
    for kind in ("reset", "500", "429", "entities"):
        other = bot.person()
        others.append(other.id)
        bot.server.fail("sendMessage", kind, chat_id=other.id)
        bot.server.fail("editMessageText", kind, chat_id=other.id)
        bot.server.say(f"/note_add {MARKS[0]}", user_id=other.id)
        bot.server.say(f"/ask {MARKS[2]}", user_id=other.id)
    person.says(f"/note_add {MARKS[0]}")
    person.asks_model(MARKS[2])
    person.says(f"/note_edit 1 {MARKS[1]}")
    person.says(f"/note_find {MARKS[5]}")
    person.says(MARKS[4])
    message = person.asks("/models")
    person.press(message, 0, data=f"use:{MARKS[6]}")
    bot.server.push({"message": {"from": {"id": 7}, "chat": {"id": 7}, "text": MARKS[0]}})
    bot.wait(lambda: all(is_answered(bot, chat_id) for chat_id in others))
    bot.server.block(person.id)
    bot.server.say(f"/note_add {MARKS[0]}", user_id=person.id)
    bot.person().says("/note_count")


def test_texts_of_notes_and_questions_are_not_logged(new_bot: NewBot) -> None:
    bot = new_bot(LOG_LEVEL="INFO").start()
    say_everything(bot, bot.person())
    assert bot.stop() < 5
    assert " INFO " in bot.log
    assert [mark for mark in MARKS if mark in bot.log] == []


@pytest.mark.skipif(os.name != "posix", reason="rights as POSIX has them")
def test_only_its_owner_may_read_the_file_of_notes(new_bot: NewBot) -> None:
    bot = new_bot()
    before = os.umask(0)
    try:
        bot.start()
    finally:
        os.umask(before)
    bot.person().says("/note_add мысль")
    for name in ("notes.db", "notes.db-wal", "notes.db-shm"):
        assert stat.S_IMODE((bot.folder / name).stat().st_mode) == 0o600
