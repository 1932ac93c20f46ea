"""A command that waits for the service answers with what is known, delays nobody, and survives a kill."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

import support.openrouter_replies as replies
from support.harness import Harness, Message, Person
from support.openrouter_replies import Call, Gate, Json, default_key, model_entry
from support.registry_people import GUEST, KNOWN, OWNER, REFRESH, begin, seen

NEW = model_entry("new/one:free", "New One")
ASKING, SEARCHING, READING = "узнаю…", "Ищу модель у сервиса…", "Читаю список…"
KEY_LINE = "Бесплатных запросов за сутки: 12 из 50, осталось 38."
ADDED = "Добавлена: 11. New One [new/one:free]"
TOLD: dict[str, Json] = {"/key": {"data": default_key()}, "/models": {"data": [*KNOWN, NEW]}}

NewBot = Callable[..., Harness]


@pytest.fixture
def bot(new_bot: NewBot) -> Harness:
    """A bot for one test, at openrouter.ai, with an owner and guests."""
    guests = ",".join(str(number) for number in range(GUEST, 30))
    return begin(new_bot(ALLOWED_USERS=f"{OWNER},{guests}"), *KNOWN)


@pytest.fixture
def owner(bot: Harness) -> Person:
    return bot.person(OWNER)


@contextmanager
def silent(bot: Harness, path: str) -> Iterator[Callable[[], None]]:
    """Make the service hold its answers on a path until the yielded function is called."""
    gate = Gate()

    def behave(call: Call) -> None:
        call.pause(gate=gate)
        replies.body(TOLD[path])(call)

    bot.ai.always(behave, path=path)
    yield gate.open
    gate.close()
    bot.ai.always(replies.body(TOLD[path]), path=path)


def asked(bot: Harness, path: str, before: int, count: int = 1) -> None:
    """Wait until the service has received `count` more requests on a path."""
    bot.ai.wait(lambda: requests(bot, path) >= before + count)


def requests(bot: Harness, path: str) -> int:
    return len([request for request in bot.ai.requests if request.path.endswith(path)])


def as_it_is(bot: Harness, message: Message) -> str:
    return str(bot.server.find(message["chat"]["id"], message["message_id"])["text"])


@pytest.mark.parametrize(
    ("text", "path", "at_once", "later"),
    [("/usage", "/key", ASKING, KEY_LINE), (f"/model_add {NEW['id']}", "/models", SEARCHING, ADDED)],
)
def test_what_is_known_is_said_at_once_and_the_rest_in_its_place(
    bot: Harness, owner: Person, text: str, path: str, at_once: str, later: str
) -> None:
    with silent(bot, path) as let_go:
        message = owner.asks(text)
        assert at_once in message["text"]
        assert owner.says("/note_count") == "Заметок: 0."  # answered in the same chat without waiting
        assert at_once in as_it_is(bot, message)
        let_go()
        assert at_once not in seen(bot, message, later)["text"]
    assert len(bot.server.replies_to(OWNER, message["reply_to_message"]["message_id"])) == 1


def test_the_list_is_read_anew_beside_the_chat(bot: Harness, owner: Person) -> None:
    message = owner.asks("/models")
    with silent(bot, "/models") as let_go:
        assert owner.press(message, REFRESH) == READING
        assert owner.says("/note_count") == "Заметок: 0."
        assert as_it_is(bot, message) == message["text"]
        let_go()
        now = seen(bot, message, "New One")
    assert now["text"].endswith("Активировать: /model <ID>\nСписок обновлён.")


def test_sixteen_who_wait_for_a_silent_service_hold_up_nobody(bot: Harness, owner: Person) -> None:
    before = requests(bot, "/key")
    with silent(bot, "/key") as let_go:
        shown = [bot.person(number).asks("/usage") for number in range(GUEST, GUEST + 16)]
        asked(bot, "/key", before, 16)
        assert owner.says("/note_add хлеб") == "Заметка #1 сохранена."
        assert owner.says("/usage").count(ASKING) == 1  # even the question that is still queued says so
        assert not bot.server.calls_of("editMessageText")  # so no request was abandoned in the meantime
        let_go()
        for message in shown:
            seen(bot, message, KEY_LINE)


@pytest.mark.parametrize(
    ("text", "path", "later"),
    # «Добавлена», or «Уже есть» if the request at startup was faster.
    [("/usage", "/key", KEY_LINE), (f"/model_add {NEW['id']}", "/models", "11. New One [new/one:free]")],
)
def test_after_a_kill_it_ends_in_the_same_message(
    bot: Harness, owner: Person, text: str, path: str, later: str
) -> None:
    before = requests(bot, path)
    with silent(bot, path):
        message = owner.asks(text)
        asked(bot, path, before)
        bot.kill()
    bot.start()
    seen(bot, message, later)
    assert len(bot.server.replies_to(OWNER, message["reply_to_message"]["message_id"])) == 1


def test_after_a_kill_a_list_is_read_all_the_same(bot: Harness, owner: Person) -> None:
    message = owner.asks("/models")
    before = requests(bot, "/models")
    with silent(bot, "/models"):
        owner.press(message, REFRESH)
        asked(bot, "/models", before)
        bot.kill()
    bot.start()
    seen(bot, message, "Список обновлён.")


def test_what_the_service_refuses_stands_in_its_place_and_the_list_stays(bot: Harness, owner: Person) -> None:
    bot.ai.always(replies.status(503), path="/models")
    message = owner.asks("/model_add no/such:free")
    assert seen(bot, message, "Ошибка")["text"].startswith("Ошибка: [503] ")
    message = owner.asks("/models")
    owner.press(message, REFRESH)
    assert seen(bot, message, "не обновлён")["text"].startswith(
        f"{message['text']}\n⚠ Список не обновлён: [503]"
    )
