"""A bot without a key: whatever needs one says so at once, and where to get it."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot_api.chats import callback_buttons
from support.harness import Harness, Message
from support.registry_people import FIRST, KNOWN, begin

GROUP = -1001
NO_KEY = """Ошибка: [401] Отсутствует OPENROUTER_API_KEY (.env).
Ключ создают на openrouter.ai/settings/keys и пишут в .env: OPENROUTER_API_KEY=…"""


@pytest.fixture(scope="module")
def keyless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """A bot at openrouter.ai whose key was removed; person 1 got an answer before that."""
    with Harness(tmp_path_factory.mktemp("keyless"), ALLOWED_USERS="1,2") as bot:
        begin(bot, *KNOWN)
        bot.person(1).asks_model("раньше")
        bot.stop()
        bot.settings["OPENROUTER_API_KEY"] = ""
        yield bot.start()


def answered(bot: Harness) -> Message:
    """Return the answer from the time when there was a key."""
    return next(message for message in bot.server.messages(1) if "мс; модель: " in message.get("text", ""))


@pytest.mark.parametrize("how", [{}, {"chat_id": GROUP}])
def test_without_a_key_a_question_is_answered_at_once(keyless: Harness, how: dict[str, Any]) -> None:
    message = keyless.person(1).asks("/ask привет", **how)
    assert message["text"] == NO_KEY
    assert callback_buttons(message) == []


def test_without_a_key_a_reply_and_a_photo_are_answered_so_too(keyless: Harness) -> None:
    owner = keyless.person(1)
    assert owner.says("а дальше?", reply_to=answered(keyless)["message_id"]) == NO_KEY
    photo = keyless.server.send_photo(b"JPEG", caption="/ask что тут?", user_id=1)
    assert keyless.reply_to(photo)["text"] == NO_KEY


@pytest.mark.parametrize("button", ["🔁 Ещё раз", "with"])
def test_without_a_key_a_button_leads_to_where_there_is_one(keyless: Harness, button: str) -> None:
    owner, message = keyless.person(1), answered(keyless)
    turn = callback_buttons(message)[0]["callback_data"].partition(":")[2]
    before = len(keyless.server.replies_to(1, message["message_id"]))
    owner.press(message, **({"data": f"with:{turn}.5"} if button == "with" else {"button": button}))
    told = keyless.wait(lambda: keyless.server.replies_to(1, message["message_id"])[before:])
    assert told[0]["text"] == NO_KEY


def test_without_a_key_the_list_says_that_none_can_be_asked(keyless: Harness) -> None:
    shown = keyless.person(2).says("/models")
    assert "\n⚠ Спросить пока нельзя: Отсутствует OPENROUTER_API_KEY (.env).\nКлюч создают на" in shown
    assert f"[{FIRST}]" in shown


def test_without_a_key_nothing_was_asked_or_counted(keyless: Harness) -> None:
    keyless.person(1).says("/ask привет")
    said = keyless.person(1).says("/usage")
    assert said.startswith("Сегодня у всех: вопросов 1, токенов 14.\n")
    assert "неизвестен: [401] Отсутствует OPENROUTER_API_KEY (.env).\nКлюч создают на" in said
    assert [request.question for request in keyless.ai.questions] == ["раньше"]
