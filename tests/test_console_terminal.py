"""The terminal: what is typed reaches the bot, and what the bot sends can be read."""

import io
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TextIO

import pytest

from bot_api.server import BotApiServer
from console.terminal import Console
from support.bot_client import BotClient

OWNER = 1
Answer = Callable[[BotClient, dict[str, Any]], None]


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Bot:
    """A stand-in bot: polls in a thread and hands each update to `answer`."""

    def __init__(self, server: BotApiServer, answer: Answer) -> None:
        self._server = server
        self._answer = answer
        self._thread = threading.Thread(target=self._poll)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join()

    def _poll(self) -> None:
        offset = 0
        with BotClient(self._server) as client:
            while True:
                try:
                    updates = client.updates(offset=offset, timeout=50)
                except OSError:  # the server has stopped
                    return
                for update in updates:
                    self._answer(client, update)
                    offset = update["update_id"] + 1


def send(bot: BotClient, text: str, **more: Any) -> int:
    number: int = bot.call("sendMessage", chat_id=OWNER, text=text, **more)["message_id"]
    return number


def edit(bot: BotClient, number: int, text: str, **more: Any) -> None:
    bot.call("editMessageText", chat_id=OWNER, message_id=number, text=text, **more)


def buttons(*texts: str) -> dict[str, Any]:
    return {"inline_keyboard": [[{"text": text, "callback_data": text} for text in texts]]}


def grey(number: int) -> str:
    return f"\x1b[2m({number})\x1b[0m"


def echo(bot: BotClient, update: dict[str, Any]) -> None:
    if text := update.get("message", {}).get("text"):
        send(bot, f"Вы: {text}")


def say_nothing(_bot: BotClient, _update: dict[str, Any]) -> None:
    """Confirm, and that is all."""


@pytest.fixture
def server() -> Iterator[BotApiServer]:
    with BotApiServer() as running:
        yield running
    assert running.violations == []


def session(
    server: BotApiServer, tmp_path: Path, typed: str, answer: Answer = echo, out: TextIO | None = None
) -> str:
    """Type the lines into a console with this bot behind it and return what was printed."""
    out = out or io.StringIO()
    console = Console(server, io.StringIO(typed), out, tmp_path / "files")
    with Bot(server, answer):
        console.run(idle=lambda: wait_for_answers(server))
        console.close()
    assert isinstance(out, io.StringIO)
    return out.getvalue()


def wait_for_answers(server: BotApiServer) -> None:
    server.wait(lambda: not server.pending)


def watching(
    server: BotApiServer, tmp_path: Path, bot_sends: Callable[[BotClient], object], out: TextIO
) -> str:
    """Let the bot send something unasked and return what was printed."""
    server.chat(OWNER)
    console = Console(server, io.StringIO(), out, tmp_path / "files")
    with BotClient(server) as client:
        bot_sends(client)
    console.close()
    assert isinstance(out, io.StringIO)
    return out.getvalue()


# From a pipe


def test_a_pipe_prints_exactly_the_answers_in_order(server: BotApiServer, tmp_path: Path) -> None:
    printed = session(server, tmp_path, "/note_add привет\n\n/note_list\n")
    assert printed == "Вы: /note_add привет\nВы: /note_list\n"


def test_the_last_line_needs_no_line_break(server: BotApiServer, tmp_path: Path) -> None:
    assert session(server, tmp_path, "раз\nдва") == "Вы: раз\nВы: два\n"


def test_run_returns_when_everything_typed_is_confirmed(server: BotApiServer, tmp_path: Path) -> None:
    console = Console(server, io.StringIO("раз\nдва\n"), io.StringIO(), tmp_path)
    with Bot(server, say_nothing):
        console.run()
        assert server.pending == 0
        console.close()


def test_closing_ends_a_run_that_waits_for_a_dead_bot(server: BotApiServer, tmp_path: Path) -> None:
    console = Console(server, io.StringIO("раз\n"), io.StringIO(), tmp_path)
    thread = threading.Thread(target=console.run)
    thread.start()
    server.wait(lambda: server.pending)
    console.close()
    thread.join(5)
    assert not thread.is_alive()


def test_a_reader_that_goes_away_does_not_stop_the_bot(server: BotApiServer, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8", buffering=1) as out:
        console = Console(server, io.StringIO("раз\nдва\n"), out, tmp_path)
        with Bot(server, echo):
            console.run()
            server.wait_text(OWNER, "Вы: два")
            console.close()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_streams_speak_utf8_whatever_the_locale_says(
    server: BotApiServer, tmp_path: Path, encoding: str
) -> None:
    lines = io.TextIOWrapper(io.BytesIO("Ёж 😀\n".encode() + b"\xff\n"), encoding=encoding)
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    console = Console(server, lines, out, tmp_path)
    with Bot(server, echo):
        console.run()
        console.close()
    out.seek(0)
    assert out.read() == "Вы: Ёж 😀\nВы: \ufffd\n"


# What is typed


def test_typed_commands_carry_entities_and_come_from_the_owner(server: BotApiServer, tmp_path: Path) -> None:
    session(server, tmp_path, "/ask@zametochnik_bot что\n", say_nothing)
    message = server.find(OWNER, 1)
    assert message["from"]["id"] == message["chat"]["id"] == OWNER
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 20}]


def test_a_backslash_goes_on_with_the_next_line(server: BotApiServer, tmp_path: Path) -> None:
    assert session(server, tmp_path, "раз\\\nдва\\\n\nтри\\") == "Вы: раз\nдва\nВы: три\n"


def test_a_text_too_long_for_one_message_arrives_in_pieces(server: BotApiServer, tmp_path: Path) -> None:
    typed = " ".join(["слово"] * 1500)
    session(server, tmp_path, typed + "\n", say_nothing)
    pieces = [message["text"] for message in server.chats[OWNER].messages.values()]
    assert [len(piece) for piece in pieces] == [4091, 4091, 815]
    assert " ".join(pieces) == typed


def test_a_button_is_pressed_by_its_number(server: BotApiServer, tmp_path: Path) -> None:
    def ask(bot: BotClient, update: dict[str, Any]) -> None:
        if query := update.get("callback_query"):
            bot.call("answerCallbackQuery", callback_query_id=query["id"], text=f"Нажато: {query['data']}")
        else:
            send(bot, "Точно?", reply_markup=buttons("Да", "Нет"))

    printed = session(server, tmp_path, "/del\n!2\n!3\n!важно\n", ask)
    assert printed.splitlines() == [
        "Точно?",
        "[!1] Да  [!2] Нет",
        "🔔 Нажато: Нет",
        "Кнопки !3 нет, есть с !1 по !2.",
        "Точно?",
        "[!1] Да  [!2] Нет",
    ]


def test_without_buttons_there_is_nothing_to_press(server: BotApiServer, tmp_path: Path) -> None:
    assert session(server, tmp_path, "!1\n") == "Кнопок сейчас нет.\n"


def test_a_caret_replies_to_the_last_or_to_a_numbered_message(server: BotApiServer, tmp_path: Path) -> None:
    def repeat(bot: BotClient, update: dict[str, Any]) -> None:
        replied = update["message"].get("reply_to_message", {}).get("text", "ничего")
        send(bot, f"Ответ на: {replied}")

    printed = session(server, tmp_path, "раз\n^ два\n^1 три\n^_^\n", repeat)
    assert printed.splitlines() == [
        "Ответ на: ничего",
        "Ответ на: Ответ на: ничего",
        "Ответ на: раз",
        "Ответ на: ничего",
    ]


def test_messages_count_from_one_in_each_session(server: BotApiServer, tmp_path: Path) -> None:
    server.chat(OWNER).last_id = 10**12
    session(server, tmp_path, "раз\n^1 два\n", say_nothing)
    assert server.find(OWNER, 10**12 + 2)["reply_to_message"]["text"] == "раз"


def test_a_reply_to_nothing_is_explained(server: BotApiServer, tmp_path: Path) -> None:
    printed = session(server, tmp_path, "^ а\n^9 б\n")
    assert printed == "Отвечать не на что: бот ещё ничего не написал.\nСообщения 9 нет.\n"


@pytest.mark.parametrize(
    ("typed", "kind", "caption"),
    [
        ("<{path}", "document", None),
        ("<{path} /ask что тут?", "document", "/ask что тут?"),
        ('<"{spaced}" /ask что тут?', "photo", "/ask что тут?"),
        ("<{spaced}", "photo", None),
        ("^1 <{path}", "document", None),
    ],
)
def test_a_file_is_sent_after_a_less_than_sign(
    server: BotApiServer, tmp_path: Path, typed: str, kind: str, caption: str | None
) -> None:
    (tmp_path / "a.txt").write_bytes(b"text")
    (tmp_path / "мой кот.JPG").write_bytes(b"jpeg")
    line = typed.format(path=tmp_path / "a.txt", spaced=tmp_path / "мой кот.JPG")
    assert session(server, tmp_path, f"первое\n{line}\n", say_nothing) == ""
    sent = server.find(OWNER, 2)
    assert (kind in sent, sent.get("caption"), "reply_to_message" in sent) == (True, caption, typed[0] == "^")


def test_a_file_that_cannot_be_sent_is_explained(server: BotApiServer, tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    printed = session(server, tmp_path, f"<нет.txt привет\n<\n<{tmp_path}\n<{empty}\n <3\n").splitlines()
    assert "Нет файла нет.txt." in printed[0]
    assert printed[1] == "После < нужен путь к файлу."
    assert f"Нет файла {tmp_path}." in printed[2]
    assert printed[3] == f"Файл {empty} пуст, Telegram такой не отправит."
    assert printed[4] == "Вы: <3"


def test_an_interrupt_passes_through(server: BotApiServer, tmp_path: Path) -> None:
    class Interrupted(io.StringIO):
        def readline(self, _size: int = -1, /) -> str:  # type: ignore[override]
            raise KeyboardInterrupt

    console = Console(server, Interrupted(), io.StringIO(), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        console.run()
    console.close()


# What is printed


def test_a_growing_answer_reads_as_one_text(server: BotApiServer, tmp_path: Path) -> None:
    def stream(bot: BotClient) -> None:
        stop = buttons("⏹ Стоп")
        number = send(bot, "⏳ Модель", reply_markup=stop)
        edit(bot, number, "⏳ Модель\nДумает, уже 5 с…", reply_markup=stop)
        for text in ("Раз", "Раз, два", "Раз, два\n\nтри"):
            edit(bot, number, text, reply_markup=stop)
        edit(bot, number, "Раз, два\n\nтри\n\n(9 мс)")
        send(bot, "Дальше")

    assert watching(server, tmp_path, stream, io.StringIO()) == "Раз, два\n\nтри\n\n(9 мс)\nДальше\n"
    assert watching(server, tmp_path, stream, Terminal()) == (
        f"{grey(1)} ⏳ Модель\n[!1] ⏹ Стоп\n{grey(1)} Думает, уже 5 с…\n"
        f"{grey(1)} Раз, два\n\nтри\n\n(9 мс)\n{grey(2)} Дальше\n"
    )


def test_an_interrupted_growing_answer_goes_on_on_its_own_line(server: BotApiServer, tmp_path: Path) -> None:
    def stream(bot: BotClient) -> None:
        number = send(bot, "⏳")
        edit(bot, number, "Раз, два")
        send(bot, "Заметка #1")
        edit(bot, number, "Раз, два, три")

    assert watching(server, tmp_path, stream, io.StringIO()) == "Раз, два\nЗаметка #1\n…, три\n"


def test_a_growing_answer_that_changes_is_repeated_from_the_changed_line(
    server: BotApiServer, tmp_path: Path
) -> None:
    def stream(bot: BotClient) -> None:
        number = send(bot, "⏳")
        edit(bot, number, "Первая строка\n**жир")
        edit(bot, number, "Первая строка\nжирно и")
        edit(bot, number, "Первая строка\nжирно и точка")

    printed = watching(server, tmp_path, stream, io.StringIO())
    assert printed == "Первая строка\n**жир\n✎ жирно и точка\n"


def test_another_edit_prints_the_new_text_with_a_mark(server: BotApiServer, tmp_path: Path) -> None:
    def switch(bot: BotClient) -> None:
        number = send(bot, "Модели:\n★ 1\n  2", reply_markup=buttons("1", "2"))
        edit(bot, number, "Модели:\n  1\n★ 2", reply_markup=buttons("1", "2"))

    printed = watching(server, tmp_path, switch, io.StringIO())
    assert printed == "Модели:\n★ 1\n  2\n[!1] 1  [!2] 2\n✎ Модели:\n  1\n★ 2\n"


def test_a_placeholder_that_stays_is_printed_in_the_end(server: BotApiServer, tmp_path: Path) -> None:
    def stream(bot: BotClient) -> None:
        send(bot, "⏳ Модель")
        bot.call("deleteMessage", chat_id=OWNER, message_id=send(bot, "⏳ Удалено"))
        send(bot, "Ответ")

    assert watching(server, tmp_path, stream, io.StringIO()) == "Ответ\n⏳ Модель\n"


def test_a_line_that_stands_still_is_ended(server: BotApiServer, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    with os.fdopen(reading, encoding="utf-8") as lines, os.fdopen(writing, "w", encoding="utf-8") as out:
        server.chat(OWNER)
        console = Console(server, io.StringIO(), out, tmp_path)
        with BotClient(server) as bot:
            edit(bot, send(bot, "⏳"), "Раз")
        assert lines.readline() == "Раз\n"
        console.close()


def test_a_terminal_shows_numbers_in_grey_and_a_hint_and_a_pipe_neither(
    server: BotApiServer, tmp_path: Path
) -> None:
    def greet(bot: BotClient) -> None:
        send(bot, "Привет")

    assert watching(server, tmp_path, greet, Terminal()) == f"{grey(1)} Привет\n"
    assert watching(server, tmp_path, greet, io.StringIO()) == "Привет\n"
    out = io.StringIO()
    console = Console(server, Terminal(), out, tmp_path)
    console.run()
    console.close()
    assert "!1 — нажать кнопку" in out.getvalue()


def test_what_a_terminal_would_obey_is_left_out(server: BotApiServer, tmp_path: Path) -> None:
    printed = watching(server, tmp_path, lambda bot: send(bot, "а\x1b[31mб\x9b2Jв"), io.StringIO())
    assert printed == "а [31mб2Jв\n"


def test_buttons_that_lead_elsewhere_have_no_number(server: BotApiServer, tmp_path: Path) -> None:
    row = [
        {"text": "Сайт", "url": "https://ya.ru"},
        {"text": "Код", "copy_text": {"text": "abc"}},
        {"text": "Да", "callback_data": "y"},
    ]
    keyboard = {"inline_keyboard": [row]}
    printed = watching(server, tmp_path, lambda bot: send(bot, "?", reply_markup=keyboard), io.StringIO())
    assert printed == "?\n[Сайт: https://ya.ru]  [Код: abc]  [!1] Да\n"


def test_documents_are_saved_and_their_path_is_printed(server: BotApiServer, tmp_path: Path) -> None:
    def export(bot: BotClient) -> None:
        for name, data in (("заметки.txt", b"1"), ("заметки.txt", b"2"), ("../../.bashrc", b"3")):
            bot.call("sendDocument", chat_id=OWNER, caption="Готово", files={"document": (name, data)})
        bot.call("sendPhoto", chat_id=OWNER, files={"photo": ("a.jpg", b"4")})

    printed = watching(server, tmp_path, export, io.StringIO()).splitlines()
    names = ["заметки.txt", "заметки (2).txt", "_.._.bashrc", "photo.jpg"]
    assert printed == [
        line
        for name in names
        for line in ("Готово", f"Файл: {tmp_path / 'files' / name}")
        if not (name == "photo.jpg" and line == "Готово")
    ]
    assert [(tmp_path / "files" / name).read_bytes() for name in names] == [b"1", b"2", b"3", b"4"]


def test_a_document_that_cannot_be_saved_is_explained(server: BotApiServer, tmp_path: Path) -> None:
    (tmp_path / "files").write_text("не папка")

    def export(bot: BotClient) -> None:
        bot.call("sendDocument", chat_id=OWNER, files={"document": ("a.txt", b"1")})

    printed = watching(server, tmp_path, export, io.StringIO())
    assert printed.startswith("Файл a.txt не сохранить: ")
