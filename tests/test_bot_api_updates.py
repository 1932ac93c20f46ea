"""getUpdates as Telegram does it, and updates as the bot receives them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from bot_api.server import BotApiServer
from support.bot_client import BotClient

CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        running.updates.next_id = 10
        yield running


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[BotClient]:
    with BotClient(server) as client:
        yield client


def ids(updates: list[dict[str, Any]]) -> list[int]:
    return [update["update_id"] for update in updates]


# Offsets


@pytest.mark.parametrize(
    ("offset", "answered", "left"),
    [
        (0, [10, 11, 12], 3),  # receiving confirms nothing
        (10, [10, 11, 12], 3),
        (11, [11, 12], 2),
        (13, [], 0),
        (20, [], 0),
        (1000, [10, 11, 12], 3),  # too high: Telegram assumes that the numbering was restarted
        (-1, [12], 1),
        (-2, [11, 12], 2),
        (-9, [10, 11, 12], 3),
    ],
)
def test_an_offset_confirms_what_is_below_it(
    server: BotApiServer, bot: BotClient, offset: int, answered: list[int], left: int
) -> None:
    for text in ("а", "б", "в"):
        server.say(text)
    assert ids(bot.updates(offset=offset)) == answered
    assert server.pending == left


def test_a_limit_of_1_to_100_cuts_the_batch(server: BotApiServer, bot: BotClient) -> None:
    for number in range(105):
        server.say(str(number))
    assert len(bot.updates()) == len(bot.updates(limit=1000)) == 100
    assert ids(bot.updates(limit=2)) == [10, 11]


def test_a_long_poll_ends_when_something_comes(server: BotApiServer, bot: BotClient) -> None:
    with ThreadPoolExecutor() as pool:
        poll = pool.submit(bot.updates, timeout=50)
        server.wait(lambda: server.updates.polled)
        server.say("привет")
        assert poll.result(5)[0]["message"]["text"] == "привет"


def test_an_empty_poll_ends_after_its_timeout(bot: BotClient) -> None:
    assert bot.updates(timeout=1) == []


def test_only_wanted_kinds_are_queued_and_the_wish_is_remembered(
    server: BotApiServer, bot: BotClient
) -> None:
    bot.updates(allowed_updates=["edited_message"])
    message = server.say("а")
    bot.updates()
    server.edit(message, "б")
    assert [set(update) for update in bot.updates()] == [{"update_id", "edited_message"}]
    bot.updates(allowed_updates=[])
    server.say("в")
    server.push({"message_reaction": {}})
    assert "message" in bot.updates()[-1]


# Two polls at once


def test_the_older_of_two_polls_is_told_of_the_conflict(server: BotApiServer, bot: BotClient) -> None:
    with BotClient(server) as other, ThreadPoolExecutor() as pool:
        older = pool.submit(bot.refusal, "getUpdates", timeout=50)
        server.wait(lambda: server.updates.polled)
        assert other.updates() == []
        assert older.result(5) == CONFLICT
    assert bot.updates() == []


def test_a_webhook_ends_polling_until_it_is_deleted(server: BotApiServer, bot: BotClient) -> None:
    with BotClient(server) as other, ThreadPoolExecutor() as pool:
        poll = pool.submit(bot.refusal, "getUpdates", timeout=50)
        server.wait(lambda: server.updates.polled)
        other.call("setWebhook", url="https://example.com/hook")
        assert poll.result(5) == "Conflict: terminated by setWebhook request"
    assert bot.refusal("getUpdates").startswith(
        "Conflict: can't use getUpdates method while webhook is active"
    )
    assert bot.call("getWebhookInfo")["url"] == "https://example.com/hook"
    bot.call("deleteWebhook")
    assert bot.updates() == []
    assert "HTTPS" in bot.refusal("setWebhook", url="http://example.com")


def test_deleting_a_webhook_may_drop_what_waits(server: BotApiServer, bot: BotClient) -> None:
    server.say("а")
    bot.call("deleteWebhook")
    assert server.pending == 1
    bot.call("deleteWebhook", drop_pending_updates=True)
    assert server.pending == 0


# What a person does


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("/ask что", [(0, 4)]),
        ("/ask@zametochnik_bot что", [(0, 20)]),
        ("/ask\nчто", [(0, 4)]),
        ("/ask:что", [(0, 4)]),
        ("😀 /help", [(3, 5)]),
        ("/note_add a/b", [(0, 9)]),
        ("/аск", []),
        ("/askчто", []),
        ("a/ask", []),
        ("//ask", []),
        ("/ask/", []),
        (f"/{'a' * 64}", [(0, 65)]),
        (f"/{'a' * 65}", []),
    ],
)
def test_commands_are_marked_where_telegram_sees_them(
    server: BotApiServer, text: str, commands: list[tuple[int, int]]
) -> None:
    entities = server.say(text).get("entities", [])
    assert [(e["offset"], e["length"]) for e in entities if e["type"] == "bot_command"] == commands


def test_links_addresses_mentions_and_tags_are_marked(server: BotApiServer) -> None:
    message = server.say("(https://ya.ru/a?b=1), ivan@ya.ru @ivan #заметка #1")
    assert [e["type"] for e in message["entities"]] == ["url", "email", "mention", "hashtag"]


def test_nobody_can_send_an_empty_or_too_long_text(server: BotApiServer) -> None:
    assert server.say("  ы ")["text"] == "ы"
    for text in (" ", "ы" * 4097):
        with pytest.raises(ValueError, match="4096"):
            server.say(text)


def test_a_reply_carries_the_whole_replied_message_one_level_deep(server: BotApiServer) -> None:
    first = server.say("раз")
    second = server.say("два", reply_to=first["message_id"])
    third = server.say("три", reply_to=second["message_id"])
    assert third["reply_to_message"]["text"] == "два"
    assert "reply_to_message" not in third["reply_to_message"]


def test_people_have_their_own_chats_and_groups_are_shared(server: BotApiServer) -> None:
    server.user(2, first_name="Иван", username="ivan")
    private = server.say("а", user_id=2)
    group = server.say("б", user_id=2, chat_id=-100)
    assert private["chat"] == {"id": 2, "type": "private", "first_name": "Иван", "username": "ivan"}
    assert (group["chat"]["type"], group["from"]["username"]) == ("supergroup", "ivan")
    assert private["message_id"] == group["message_id"] == 1


def test_a_press_carries_the_message_and_is_answered_once_known(server: BotApiServer, bot: BotClient) -> None:
    server.say("а")
    markup = {
        "inline_keyboard": [[{"text": "Да", "callback_data": "y"}], [{"text": "Нет", "callback_data": "n"}]]
    }
    number = bot.call("sendMessage", chat_id=1, text="?", reply_markup=markup)["message_id"]
    presses = [
        server.press(1, number, 0),
        server.press(1, number, "Нет"),
        server.press(1, number, data="чужое", user_id=2),
    ]
    queries = [update["callback_query"] for update in bot.updates()[1:]]
    assert [query["data"] for query in queries] == ["y", "n", "чужое"]
    assert [query["from"]["id"] for query in queries] == [1, 1, 2]
    assert queries[0]["message"]["text"] == "?"
    with pytest.raises(ValueError, match="Может"):
        server.press(1, number, "Может быть")

    assert bot.call("answerCallbackQuery", callback_query_id=presses[0], text="ы" * 200)
    assert server.answers[presses[0]]["text"] == "ы" * 200
    assert bot.refusal("answerCallbackQuery", callback_query_id=presses[1], text="ы" * 201)
    refusal = bot.refusal("answerCallbackQuery", callback_query_id="1")
    assert refusal == "Bad Request: query is too old and response timeout expired or query ID is invalid"


def test_other_messages_have_their_own_shape(server: BotApiServer, bot: BotClient) -> None:
    server.sticker()
    server.join(user_id=5, chat_id=-100)
    server.forward("раз", "user")
    server.forward("два", "hidden_user")
    server.forward("три", "channel")
    server.push({"message": {"message_id": 7}})
    messages = [update["message"] for update in bot.updates()]
    assert messages[0]["sticker"]["emoji"] == "👍"
    assert messages[1]["new_chat_members"][0]["id"] == 5
    assert [m["forward_origin"]["type"] for m in messages[2:5]] == ["user", "hidden_user", "channel"]
    assert messages[5] == {"message_id": 7}


# Files, menus and the rest


def test_a_persons_file_can_be_downloaded(server: BotApiServer, bot: BotClient) -> None:
    sent = server.send_file(b"\x00\r\n--x", "отчёт.pdf", caption="/ask что тут?")
    assert sent["document"]["mime_type"] == "application/pdf"
    assert sent["caption_entities"][0]["type"] == "bot_command"
    record = bot.call("getFile", file_id=sent["document"]["file_id"])
    url = f"{server.url}/file/bot{server.token}/{record['file_path']}"
    assert bot.session.get(url).content == b"\x00\r\n--x"
    assert bot.session.get(url.replace("file_", "file_9")).status_code == 404
    assert bot.session.get(url.replace("TEST", "OTHER")).status_code == 401
    assert bot.refusal("getFile", file_id="x").startswith("Bad Request: wrong file_id")


def test_the_largest_size_of_a_photo_is_the_last(server: BotApiServer, bot: BotClient) -> None:
    sizes = server.send_photo(b"JPEG")["photo"]
    assert [size["width"] for size in sizes] == sorted(size["width"] for size in sizes)
    assert bot.call("getFile", file_id=sizes[-1]["file_id"])["file_size"] == 4


def test_files_over_20_megabytes_cannot_be_downloaded(server: BotApiServer, bot: BotClient) -> None:
    fits = server.send_file(bytes(20 * 2**20), "a.bin")["document"]["file_id"]
    too_big = server.send_file(bytes(20 * 2**20 + 1), "a.bin")["document"]["file_id"]
    assert bot.call("getFile", file_id=fits)
    assert bot.refusal("getFile", file_id=too_big) == "Bad Request: file is too big"


def test_a_document_of_the_bot_is_kept_byte_by_byte(server: BotApiServer, bot: BotClient) -> None:
    server.say("а")
    data = "заметки\r\n--\r\n".encode() + bytes(range(256))
    bot.call("sendDocument", chat_id=1, caption="Готово", files={"document": ("Мои заметки.txt", data)})
    attached = {"notes": ("б.txt", b"b")}
    bot.call("sendDocument", chat_id=1, document="attach://notes", files=attached)
    assert [(d.name, d.data, d.caption) for d in server.documents] == [
        ("Мои заметки.txt", data, "Готово"),
        ("б.txt", b"b", ""),
    ]
    assert server.violations == []


def test_captions_and_files_have_their_limits(server: BotApiServer, bot: BotClient) -> None:
    server.say("а")

    def file(data: bytes) -> dict[str, Any]:
        return {"document": ("a.txt", data)}

    assert bot.call("sendDocument", chat_id=1, caption="ы" * 1024, files=file(b"a"))
    refusal = bot.refusal("sendDocument", chat_id=1, caption="ы" * 1025, files=file(b"a"))
    assert refusal == "Bad Request: message caption is too long"
    assert bot.refusal("sendDocument", chat_id=1, files=file(b"")) == "Bad Request: file must be non-empty"
    assert bot.refusal("sendDocument", chat_id=1, document="https://example.com/a.txt")
    assert bot.call("sendPhoto", chat_id=1, files={"photo": ("a.jpg", b"JPEG")})["photo"]


def test_the_menu_is_the_first_list_that_is_set(server: BotApiServer, bot: BotClient) -> None:
    everywhere = [{"command": "start", "description": "Начало"}]
    private = [{"command": "help", "description": "Помощь"}]
    bot.call("setMyCommands", commands=everywhere)
    assert server.commands == bot.call("getMyCommands") == everywhere
    scope = {"type": "all_private_chats"}
    bot.call("setMyCommands", commands=private, scope=scope)
    assert server.commands == private
    bot.call("deleteMyCommands", scope=scope)
    assert server.commands == everywhere


@pytest.mark.parametrize(
    ("name", "description", "fine"),
    [
        ("note_add", "Добавить", True),
        ("a" * 32, "ы" * 256, True),
        ("Note", "Добавить", False),
        ("note-add", "Добавить", False),
        ("a" * 33, "Добавить", False),
        ("note_add", "", False),
        ("note_add", "ы" * 257, False),
    ],
)
def test_commands_of_the_menu_are_checked(bot: BotClient, name: str, description: str, fine: bool) -> None:
    command = {"command": name, "description": description}
    assert bot.answer("setMyCommands", commands=[command])["ok"] is fine


def test_a_menu_has_a_hundred_commands_at_most(bot: BotClient) -> None:
    commands = [{"command": f"c{number}", "description": "Команда"} for number in range(101)]
    assert bot.call("setMyCommands", commands=commands[:100])
    assert bot.refusal("setMyCommands", commands=commands) == "Bad Request: BOT_COMMANDS_TOO_MUCH"


def test_descriptions_are_kept_by_language(server: BotApiServer, bot: BotClient) -> None:
    bot.call("setMyDescription", description="Bot")
    bot.call("setMyDescription", description="Бот", language_code="ru")
    bot.call("setMyShortDescription", short_description="ы" * 120)
    assert bot.call("getMyDescription") == {"description": "Bot"}
    assert server.description == "Бот"
    assert bot.refusal("setMyShortDescription", short_description="ы" * 121)


def test_chat_actions_and_reactions_come_from_a_fixed_set(server: BotApiServer, bot: BotClient) -> None:
    server.say("а")
    assert bot.call("sendChatAction", chat_id=1, action="typing")
    assert bot.refusal("sendChatAction", chat_id=1, action="dancing")
    thumb = [{"type": "emoji", "emoji": "👍"}]
    assert bot.call("setMessageReaction", chat_id=1, message_id=1, reaction=thumb)
    assert server.reactions[1, 1] == thumb
    tick = [{"type": "emoji", "emoji": "✅"}]
    refusal = bot.refusal("setMessageReaction", chat_id=1, message_id=1, reaction=tick)
    assert refusal == "Bad Request: REACTION_INVALID"
    assert bot.refusal("setMessageReaction", chat_id=1, message_id=9, reaction=thumb)
