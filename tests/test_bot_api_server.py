"""The fake server answers as Telegram does: each refusal is tested next to a call that is accepted."""

import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from bot_api.server import BotApiServer
from support.bot_client import BotClient

ME = 1


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        running.say("привет")
        yield running


@pytest.fixture
def bot(server: BotApiServer) -> Iterator[BotClient]:
    with BotClient(server) as client:
        yield client


def keyboard(*buttons: dict[str, Any]) -> dict[str, Any]:
    return {"inline_keyboard": [list(buttons)]}


# Requests


def test_get_me_answers_who_the_bot_is(bot: BotClient) -> None:
    me = bot.call("getMe")
    assert (me["id"], me["is_bot"], me["username"]) == (123456, True, "zametochnik_bot")


def test_the_same_call_may_come_as_query_form_multipart_or_json(bot: BotClient) -> None:
    url = f"{bot.base}/sendMessage"
    text: dict[str, str] = {"chat_id": "1", "text": "Ёлка & 100% = «да»"}
    answers = [
        bot.session.get(url, params=text),
        bot.session.post(url, data=text),
        bot.session.post(url, files={key: (None, value) for key, value in text.items()}),
        bot.session.post(url, json=text),
    ]
    assert [answer.json()["result"]["text"] for answer in answers] == [text["text"]] * 4


def test_a_text_in_the_url_is_a_violation_and_in_the_body_is_not(
    server: BotApiServer, bot: BotClient
) -> None:
    bot.session.post(f"{bot.base}/sendMessage", data={"chat_id": 1, "text": "тайна"})
    assert server.violations == []
    bot.session.get(f"{bot.base}/sendMessage", params={"chat_id": "1", "text": "тайна"})
    assert server.violations == ["sendMessage: text in the URL, where proxies log it"]


def test_method_names_ignore_case_and_unknown_ones_are_not_found(
    server: BotApiServer, bot: BotClient
) -> None:
    assert bot.call("GETME")["is_bot"]
    assert bot.refusal("getYou") == "Not Found: method not found"
    assert server.violations == ["no method 'getYou'"]


@pytest.mark.parametrize(
    ("token", "status"), [("123456:TEST", 200), ("123456:OTHER", 401), ("nonsense", 404)]
)
def test_a_foreign_token_is_unauthorized_and_a_broken_one_not_found(
    server: BotApiServer, bot: BotClient, token: str, status: int
) -> None:
    answer = bot.session.get(f"{server.url}/bot{token}/getMe")
    assert (answer.status_code, answer.json().get("error_code", 200)) == (status, status)


def test_an_unknown_parameter_is_ignored_but_noted(server: BotApiServer, bot: BotClient) -> None:
    bot.call("sendMessage", chat_id=1, text="а", disable_notification=True)
    assert server.violations == []
    bot.call("sendMessage", chat_id=1, text="а", reply_to_message_id=1)
    assert server.violations == ["sendMessage: unknown parameter 'reply_to_message_id'"]


@pytest.mark.parametrize(
    ("method", "params", "description"),
    [
        ("sendMessage", {"text": "а"}, "Bad Request: chat_id is empty"),
        ("sendMessage", {"chat_id": 1}, "Bad Request: message text is empty"),
        (
            "sendMessage",
            {"chat_id": "один", "text": "а"},
            'Bad Request: invalid parameter "chat_id": integer expected',
        ),
        (
            "sendMessage",
            {"chat_id": 1, "text": "а", "entities": "[{"},
            "Bad Request: can't parse entities JSON object",
        ),
        ("sendDocument", {"chat_id": 1}, "Bad Request: there is no document in the request"),
        ("deleteMessage", {"chat_id": 1}, "Bad Request: message identifier is not specified"),
        ("editMessageText", {"chat_id": 1, "text": "а"}, "Bad Request: message identifier is not specified"),
        ("setMyCommands", {}, 'Bad Request: parameter "commands" is required'),
    ],
)
def test_missing_or_unreadable_parameters_are_refused(
    bot: BotClient, method: str, params: dict[str, Any], description: str
) -> None:
    assert bot.refusal(method, **params) == description


def test_long_urls_and_large_forms_are_refused_and_long_texts_in_a_body_are_not(bot: BotClient) -> None:
    text = "ы" * 4096
    long_url = bot.session.get(f"{bot.base}/sendMessage", params={"chat_id": "1", "text": text})
    assert long_url.status_code == 414
    assert bot.call("sendMessage", chat_id=1, text=text)["text"] == text
    assert bot.refusal("sendMessage", chat_id=1, text="ы" * 2**20) == "Request Entity Too Large"
    headers = {f"X-{number}": "x" * 60_000 for number in range(5)}
    assert bot.session.get(f"{bot.base}/getMe", headers=headers).status_code == 431


def test_text_that_is_not_utf8_is_refused(bot: BotClient) -> None:
    answer = bot.session.post(
        f"{bot.base}/sendMessage",
        data=b"chat_id=1&text=%FF%FE",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.json()["description"] == "Bad Request: strings must be encoded in UTF-8"


def test_a_connection_serves_many_requests(server: BotApiServer) -> None:
    request = f"GET /bot{server.token}/getMe HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as connection:
        for _ in range(3):
            connection.sendall(request)
            head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 OK")
            assert json.loads(body)["ok"]


# Texts


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\t", "\u00a0", "\u200b\ufeff"])
def test_an_empty_or_blank_text_is_refused(bot: BotClient, text: str) -> None:
    assert bot.refusal("sendMessage", chat_id=1, text=text) == "Bad Request: message text is empty"


@pytest.mark.parametrize(("fits", "too_long"), [("ы" * 4096, "ы" * 4097), ("😀" * 2048, "😀" * 2048 + "a")])
def test_a_text_has_4096_utf16_units_at_most(bot: BotClient, fits: str, too_long: str) -> None:
    assert bot.call("sendMessage", chat_id=1, text=fits)["text"] == fits
    assert bot.refusal("sendMessage", chat_id=1, text=too_long) == "Bad Request: message is too long"


def test_blanks_around_a_text_do_not_count(bot: BotClient) -> None:
    assert bot.call("sendMessage", chat_id=1, text=f"\n {'ы' * 4096} \n")["text"] == "ы" * 4096
    assert bot.refusal("sendMessage", chat_id=1, text="ы" + " " * 40_000) == "Bad Request: text is too long"


def test_a_text_is_trimmed_and_its_entities_with_it(bot: BotClient) -> None:
    bold = {"type": "bold", "offset": 2, "length": 8}
    sent = bot.call("sendMessage", chat_id=1, text="  жирно \t\r\n", entities=[bold])
    assert sent["text"] == "жирно"
    assert sent["entities"] == [{"type": "bold", "offset": 0, "length": 5}]


def test_blanks_under_formatting_stay_at_the_beginning(bot: BotClient) -> None:
    code = {"type": "pre", "offset": 0, "length": 6}
    sent = bot.call("sendMessage", chat_id=1, text="  x=1\n", entities=[code])
    assert (sent["text"], sent["entities"]) == ("  x=1", [code | {"length": 5}])


def test_carriage_returns_vanish_and_entities_move_along(bot: BotClient) -> None:
    italic = {"type": "italic", "offset": 3, "length": 4}
    sent = bot.call("sendMessage", chat_id=1, text="а\r\nб\r\nв", entities=[italic])
    assert (sent["text"], sent["entities"]) == ("а\nб\nв", [italic | {"offset": 2, "length": 3}])


@pytest.mark.parametrize(
    "entity",
    [
        {"type": "bold", "offset": 0, "length": 6},
        {"type": "bold", "offset": -1, "length": 2},
        {"type": "bold", "offset": 0, "length": 0},
        {"type": "bold", "offset": 0},
        {"type": "shouting", "offset": 0, "length": 2},
        {"type": "text_link", "offset": 0, "length": 2},
        {"type": "bold", "offset": 1, "length": 2},  # begins inside the emoji
        {"type": "bold", "offset": 0, "length": 1},  # ends inside it
        "bold",
    ],
)
def test_impossible_entities_are_refused(bot: BotClient, entity: Any) -> None:
    refusal = bot.refusal("sendMessage", chat_id=1, text="😀 да", entities=[entity])
    assert refusal.startswith("Bad Request: can't parse entities: ")


@pytest.mark.parametrize(
    "entity",
    [
        {"type": "bold", "offset": 0, "length": 5},
        {"type": "bold", "offset": 0, "length": 2},
        {"type": "text_link", "offset": 3, "length": 2, "url": "https://example.com"},
        {"type": "pre", "offset": 0, "length": 5, "language": "python"},
    ],
)
def test_fitting_entities_are_kept(server: BotApiServer, bot: BotClient, entity: dict[str, Any]) -> None:
    assert bot.call("sendMessage", chat_id=1, text="😀 да", entities=[entity])["entities"] == [entity]
    assert server.violations == []


def test_telegram_finds_links_and_commands_beside_the_given_entities(bot: BotClient) -> None:
    bold = {"type": "bold", "offset": 0, "length": 5}
    sent = bot.call("sendMessage", chat_id=1, text="/help https://ya.ru. /model", entities=[bold])
    assert [(e["type"], e["offset"], e["length"]) for e in sent["entities"]] == [
        ("bold", 0, 5),
        ("url", 6, 13),
        ("bot_command", 21, 6),
    ]


def test_parse_mode_is_noted_as_a_violation(server: BotApiServer, bot: BotClient) -> None:
    bot.call("sendMessage", chat_id=1, text="*а*", parse_mode="MarkdownV2")
    assert len(server.violations) == 1
    assert "parse_mode" in server.violations[0]


# Chats and replies


def test_a_bot_cannot_write_first(server: BotApiServer, bot: BotClient) -> None:
    assert bot.refusal("sendMessage", chat_id=2, text="а") == "Bad Request: chat not found"
    assert bot.refusal("sendMessage", chat_id="@somebody", text="а") == "Bad Request: chat not found"
    server.say("я здесь", user_id=2)
    assert bot.call("sendMessage", chat_id=2, text="а")["chat"]["id"] == 2


def test_a_person_who_blocked_the_bot_gets_nothing_until_unblocking(
    server: BotApiServer, bot: BotClient
) -> None:
    server.block(ME)
    answer = bot.answer("sendMessage", chat_id=1, text="а")
    assert (answer["error_code"], answer["description"]) == (403, "Forbidden: bot was blocked by the user")
    assert bot.answer("sendChatAction", chat_id=1, action="typing")["error_code"] == 403
    server.unblock(ME)
    assert bot.call("sendMessage", chat_id=1, text="а")
    states = [
        u["my_chat_member"]["new_chat_member"]["status"] for u in bot.updates() if "my_chat_member" in u
    ]
    assert states == ["kicked", "member"]


def test_a_reply_quotes_an_existing_message(server: BotApiServer, bot: BotClient) -> None:
    sent = bot.call("sendMessage", chat_id=1, text="а", reply_parameters={"message_id": 1})
    assert sent["reply_to_message"]["text"] == "привет"
    assert [m["text"] for m in server.replies_to(ME, 1)] == ["а"]


def test_a_reply_to_nothing_is_refused_unless_it_may_go_without(server: BotApiServer, bot: BotClient) -> None:
    gone = {"message_id": 77}
    refusal = bot.refusal("sendMessage", chat_id=1, text="а", reply_parameters=gone)
    assert refusal == "Bad Request: message to be replied not found"
    anyway = gone | {"allow_sending_without_reply": True}
    assert "reply_to_message" not in bot.call("sendMessage", chat_id=1, text="а", reply_parameters=anyway)
    server.erase(ME, 1)
    assert bot.refusal("sendMessage", chat_id=1, text="а", reply_parameters={"message_id": 1}) == refusal


def test_a_quote_has_to_be_in_the_quoted_message(bot: BotClient) -> None:
    quoted = {"message_id": 1, "quote": "прив"}
    assert bot.call("sendMessage", chat_id=1, text="а", reply_parameters=quoted)
    wrong = {"message_id": 1, "quote": "пока"}
    refusal = bot.refusal("sendMessage", chat_id=1, text="а", reply_parameters=wrong)
    assert refusal == "Bad Request: QUOTE_TEXT_INVALID"


# Buttons


@pytest.mark.parametrize("data", ["x" * 64, "ы" * 32, "0"])
def test_callback_data_of_1_to_64_bytes_is_accepted(bot: BotClient, data: str) -> None:
    markup = keyboard({"text": "да", "callback_data": data})
    assert bot.call("sendMessage", chat_id=1, text="а", reply_markup=markup)["reply_markup"] == markup


@pytest.mark.parametrize("data", ["", "x" * 65, "ы" * 33])
def test_other_callback_data_is_refused(bot: BotClient, data: str) -> None:
    markup = keyboard({"text": "да", "callback_data": data})
    refusal = bot.refusal("sendMessage", chat_id=1, text="а", reply_markup=markup)
    assert refusal == "Bad Request: BUTTON_DATA_INVALID"


@pytest.mark.parametrize(
    "button",
    [
        {"text": "да"},
        {"text": " ", "callback_data": "x"},
        {"callback_data": "x"},
        {"text": "да", "callback_data": "x", "url": "https://example.com"},
        {"text": "да", "url": "javascript:alert(1)"},
        {"text": "да", "copy_text": {"text": "x" * 257}},
        {"text": "да", "copy_text": {}},
    ],
)
def test_impossible_buttons_are_refused(bot: BotClient, button: dict[str, Any]) -> None:
    assert bot.refusal("sendMessage", chat_id=1, text="а", reply_markup=keyboard(button))


@pytest.mark.parametrize(
    "button",
    [
        {"text": "да", "url": "https://example.com"},
        {"text": "да", "url": "tg://user?id=1"},
        {"text": "да", "copy_text": {"text": "x" * 256}},
        {"text": "да", "callback_data": "x", "style": "danger"},
    ],
)
def test_possible_buttons_are_accepted(server: BotApiServer, bot: BotClient, button: dict[str, Any]) -> None:
    assert bot.call("sendMessage", chat_id=1, text="а", reply_markup=keyboard(button))
    assert server.violations == []


def test_a_hundred_buttons_are_enough(bot: BotClient) -> None:
    button = {"text": "да", "callback_data": "x"}
    assert bot.call("sendMessage", chat_id=1, text="а", reply_markup=keyboard(*[button] * 100))
    refusal = bot.refusal("sendMessage", chat_id=1, text="а", reply_markup=keyboard(*[button] * 101))
    assert refusal == "Bad Request: reply markup is too long"


# Edits


@pytest.fixture
def sent(bot: BotClient) -> int:
    number: int = bot.call("sendMessage", chat_id=1, text="было")["message_id"]
    return number


def test_an_edit_changes_the_message_and_drops_its_buttons(server: BotApiServer, bot: BotClient) -> None:
    markup = keyboard({"text": "да", "callback_data": "x"})
    number = bot.call("sendMessage", chat_id=1, text="было", reply_markup=markup)["message_id"]
    edited = bot.call("editMessageText", chat_id=1, message_id=number, text="стало")
    assert (edited["text"], "reply_markup" in edited, "edit_date" in edited) == ("стало", False, True)
    assert [m["text"] for m in server.messages(ME)] == ["стало"]


def test_an_edit_that_changes_nothing_is_refused(bot: BotClient, sent: int) -> None:
    refusal = bot.refusal("editMessageText", chat_id=1, message_id=sent, text=" было ")
    assert refusal == (
        "Bad Request: message is not modified: specified new message content and reply markup are exactly"
        " the same as a current content and reply markup of the message"
    )
    bold = [{"type": "bold", "offset": 0, "length": 4}]
    assert bot.call("editMessageText", chat_id=1, message_id=sent, text="было", entities=bold)


def test_only_own_existing_texts_can_be_edited(server: BotApiServer, bot: BotClient, sent: int) -> None:
    def refusal(number: int) -> str:
        return bot.refusal("editMessageText", chat_id=1, message_id=number, text="стало")

    assert refusal(1) == "Bad Request: message can't be edited"
    assert refusal(99) == "Bad Request: message to edit not found"
    document = bot.call("sendDocument", chat_id=1, files={"document": ("a.txt", b"a")})
    assert refusal(document["message_id"]) == "Bad Request: there is no text in the message to edit"
    server.erase(ME, sent)
    assert refusal(sent) == "Bad Request: message to edit not found"


def test_buttons_alone_can_be_edited(bot: BotClient, sent: int) -> None:
    markup = keyboard({"text": "да", "callback_data": "x"})
    where = {"chat_id": 1, "message_id": sent}
    assert bot.call("editMessageReplyMarkup", reply_markup=markup, **where)["reply_markup"] == markup
    assert "not modified" in bot.refusal("editMessageReplyMarkup", reply_markup=markup, **where)
    assert "reply_markup" not in bot.call("editMessageReplyMarkup", **where)


def test_a_deleted_message_is_gone(server: BotApiServer, bot: BotClient, sent: int) -> None:
    assert bot.call("deleteMessage", chat_id=1, message_id=sent) is True
    assert server.messages(ME) == []
    refusal = bot.refusal("deleteMessage", chat_id=1, message_id=sent)
    assert refusal == "Bad Request: message to delete not found"
