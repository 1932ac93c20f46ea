"""The terminal: typed lines reach the bot, and the bot's messages are readable."""

import io
import os
import stat
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self, TextIO

import pytest
from telebot import types

from console.door import OWNER_ID, TerminalDoor
from console.screen import Screen
from console.terminal import Console
from telegram.api import RefusedError

Answer = Callable[["Bot", dict[str, Any]], object]
Sends = Callable[["Bot"], object]


class Terminal(io.StringIO):
    """A stream that claims to be a terminal."""

    def isatty(self) -> bool:
        return True


class Bot:
    """A stand-in bot that polls in a thread and hands each update to `answer`."""

    def __init__(self, door: TerminalDoor, answer: Answer) -> None:
        self.door = door
        self.updates: list[dict[str, Any]] = []
        self._answer = answer
        self._stopping = False
        self._thread = threading.Thread(target=self._poll)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping = True
        self.door.close()
        self._thread.join()

    def _poll(self) -> None:
        offset = None
        while not self._stopping:
            for update in self.door.call("get_updates", offset=offset, long_polling_timeout=25):
                self.updates.append(update)
                self._answer(self, update)
                offset = update["update_id"] + 1

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages that the person has sent."""
        return [update["message"] for update in self.updates if "message" in update]

    def send(self, text: str, **more: Any) -> int:
        number: int = self.door.call("send_message", chat_id=OWNER_ID, text=text, **more)["message_id"]
        return number

    def edit(self, number: int, text: str, **more: Any) -> None:
        self.door.call("edit_message_text", chat_id=OWNER_ID, message_id=number, text=text, **more)

    def document(self, name: str, data: bytes, **more: Any) -> None:
        file = {"data": data, "data_type": "document", "visible_file_name": name}
        self.door.call("send_data", chat_id=OWNER_ID, **file, **more)


def buttons(*texts: str, **more: str) -> types.InlineKeyboardMarkup:
    row = [types.InlineKeyboardButton(text, callback_data=text) for text in texts]
    row += [types.InlineKeyboardButton(text, callback_data=data) for data, text in more.items()]
    return types.InlineKeyboardMarkup([row])


STOP = types.InlineKeyboardMarkup([[types.InlineKeyboardButton("⏹ Стоп", callback_data="stop:7")]])


def numbered(number: int) -> str:
    return f"({number})"


def echo(bot: Bot, update: dict[str, Any]) -> None:
    if text := update.get("message", {}).get("text"):
        bot.send(f"Вы: {text}")


def say_nothing(_bot: Bot, _update: dict[str, Any]) -> None:
    """Do nothing: the update is only confirmed."""


def piped(typed: str | bytes) -> TextIO:
    data = typed if isinstance(typed, bytes) else typed.encode()
    return io.TextIOWrapper(io.BytesIO(data), encoding="ascii")  # whatever the locale's encoding is


def talk(typed: str | bytes, folder: Path, answer: Answer = echo) -> tuple[str, Bot]:
    """Pipe text into a console connected to this bot; return the output and the bot."""
    out = io.StringIO()
    console = Console(piped(typed), out, folder / "files")
    with Bot(console.door, answer) as bot:
        console.run(idle=lambda: None)
        console.close()
    return out.getvalue(), bot


def session(typed: str | bytes, folder: Path, answer: Answer = echo) -> str:
    return talk(typed, folder, answer)[0]


def watching(folder: Path, sends: Sends, out: TextIO) -> str:
    """Let the bot send messages unasked, and return the output."""
    console = Console(piped(""), out, folder / "files")
    sends(Bot(console.door, say_nothing))
    console.close()
    assert isinstance(out, io.StringIO)
    return out.getvalue()


# From a pipe


def test_a_pipe_prints_exactly_the_answers_in_order(tmp_path: Path) -> None:
    printed = session("/note_add привет\n\n/note_list\n", tmp_path)
    assert printed == "Вы: /note_add привет\nВы: /note_list\n"


def test_the_last_line_needs_no_line_break(tmp_path: Path) -> None:
    assert session("раз\nдва", tmp_path) == "Вы: раз\nВы: два\n"


def test_run_returns_when_everything_typed_is_confirmed_and_answered(tmp_path: Path) -> None:
    console = Console(piped("раз\nдва\n"), io.StringIO(), tmp_path)
    waited_for = []
    with Bot(console.door, say_nothing) as bot:
        console.run(idle=lambda: waited_for.append([message["text"] for message in bot.messages]))
    assert waited_for == [["раз", "два"]]


def test_closing_ends_a_run_that_waits_for_a_dead_bot(tmp_path: Path) -> None:
    console = Console(piped("раз\n"), io.StringIO(), tmp_path)
    thread = threading.Thread(target=console.run, args=(lambda: None,))
    thread.start()
    assert console.door.call("get_updates", long_polling_timeout=25)  # received, but never confirmed
    console.close()
    thread.join(30)
    assert not thread.is_alive()


def test_a_reader_that_goes_away_does_not_stop_the_bot(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8", buffering=1) as out:
        console = Console(piped("раз\nдва\n"), out, tmp_path)
        with Bot(console.door, echo) as bot:
            console.run(idle=lambda: None)
        assert [message["text"] for message in bot.messages] == ["раз", "два"]


def test_output_is_utf8_whatever_the_locale_says(tmp_path: Path) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    console = Console(piped("Ёж 😀\n"), out, tmp_path)
    with Bot(console.door, echo):
        console.run(idle=lambda: None)
    out.seek(0)
    assert out.read() == "Вы: Ёж 😀\n"


# Encodings of the input

RUSSIAN = "/note_add купить хлеб, ёлку и «№ 5» — это всё\n"


@pytest.mark.parametrize(
    "data",
    [
        RUSSIAN.encode(),
        RUSSIAN.encode("utf-8-sig"),
        RUSSIAN.replace("\n", "\r\n").encode("utf-8-sig"),
        RUSSIAN.encode("cp1251"),
        RUSSIAN.replace("\n", "\r\n").encode("utf-16"),  # with a BOM
        b"\xfe\xff" + RUSSIAN.encode("utf-16-be"),
        RUSSIAN.encode("utf-16-le"),  # without a BOM
        RUSSIAN.encode("utf-16") + b"\n",  # cut in the middle of a character
        b"\0" + RUSSIAN.encode().replace(b" ", b"\0 "),
    ],
)
def test_a_text_is_the_same_however_windows_wrote_it(tmp_path: Path, data: bytes) -> None:
    assert session(data, tmp_path) == f"Вы: {RUSSIAN}"


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("купить хлеб\n".encode("cp866"), "купить хлеб"),  # what `echo` writes in the Windows console
        ("Привет, Ёж\n".encode("cp866"), "Привет, Ёж"),
        ("он\n".encode("cp1251"), "он"),
        ("Жук у дома\n".encode("cp1251"), "Жук у дома"),
        (b"caf\xe9\xff\n", "cafйя"),
        ("п\n".encode("utf-16-le"), "п"),
        (b"\xed\xa0\xbd\xed\xb8\x80 \xed\xa0\xbd!\n", "😀 !"),  # a surrogate pair, and one surrogate alone
        ("a\n\ufeffb\n".encode(), "a\nb"),  # two files one after the other
        ("а\x1b[2Jб\x07\n".encode(), "а[2Jб"),
        (b"a\tb\n", "a\tb"),
    ],
)
def test_other_encodings_and_oddities_are_read_for_what_they_mean(
    tmp_path: Path, data: bytes, text: str
) -> None:
    _, bot = talk(data, tmp_path, say_nothing)
    assert "\n".join(message["text"] for message in bot.messages) == text


@pytest.mark.parametrize("broken", ["привет".encode()[:-1], "раз".encode() + "два".encode("cp1251")])
def test_a_damaged_line_is_refused_in_words_and_the_next_one_works(tmp_path: Path, broken: bytes) -> None:
    printed = session(b"/note_add " + broken + b"\n/note_count\n", tmp_path)
    refused, answer = printed.splitlines()
    assert refused.startswith("Строка не отправлена: ")
    assert answer == "Вы: /note_count"


# Typed input


def test_what_is_typed_comes_from_the_owner_in_a_private_chat(tmp_path: Path) -> None:
    _, bot = talk("/ask что\n", tmp_path, say_nothing)
    (message,) = bot.messages
    assert message["from"]["id"] == message["chat"]["id"] == OWNER_ID
    assert (message["chat"]["type"], message["text"]) == ("private", "/ask что")


def test_a_backslash_goes_on_with_the_next_line(tmp_path: Path) -> None:
    assert session("раз\\\nдва\\\n\nтри\\", tmp_path) == "Вы: раз\nдва\nВы: три\n"


def test_a_long_text_is_one_message(tmp_path: Path) -> None:
    typed = " ".join(["слово"] * 1500)
    _, bot = talk(f"{typed}\n", tmp_path, say_nothing)
    assert [message["text"] for message in bot.messages] == [typed]


def test_a_button_is_pressed_by_its_number(tmp_path: Path) -> None:
    def ask(bot: Bot, update: dict[str, Any]) -> None:
        if query := update.get("callback_query"):
            text = f"Нажато: {query['data']} под «{query['message']['text']}»"
            bot.door.call("answer_callback_query", callback_query_id=query["id"], text=text)
        else:
            bot.send("Точно?", reply_markup=buttons("Да", "Нет"))

    printed = session("/del\n!2\n!3\n!важно\n", tmp_path, ask)
    assert printed.splitlines() == [
        "Точно?",
        "[!1] Да  [!2] Нет",
        "🔔 Нажато: Нет под «Точно?»",
        "Кнопки !3 нет, есть с !1 по !2.",
        "Точно?",
        "[!1] Да  [!2] Нет",
    ]


def test_the_buttons_of_what_was_shown_last_are_pressed(tmp_path: Path) -> None:
    pressed = []

    def ask(bot: Bot, update: dict[str, Any]) -> None:
        if query := update.get("callback_query"):
            pressed.append(query["data"])
        elif update["message"]["text"] == "две":
            first = bot.send("Первая", reply_markup=buttons("старая"))
            gone = bot.send("Вторая", reply_markup=buttons("удалена"))
            bot.edit(first, "Первая", reply_markup=buttons("новая"))
            bot.door.call("delete_message", chat_id=OWNER_ID, message_id=gone)
        else:
            bot.send("Без кнопок")

    session("две\nещё\n!1\n", tmp_path, ask)
    assert pressed == ["новая"]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("!1", "Кнопок сейчас нет."),
        ("^ а", "Отвечать не на что: бот ещё ничего не написал."),
        ("^9 б", "Сообщения 9 нет."),
        ("^999999999 б", "Сообщения 999999999 нет."),
        ("<", "После < нужен путь к файлу."),
        ("<нет.txt привет", "Нет файла нет.txt."),
        ("<" + "ы" * 5000, "Нет файла ы"),
        ("<~никто/файл", "Нет файла ~никто/файл."),
        ("<.", "Нет файла .."),
        ("<\0", "После < нужен путь к файлу."),
    ],
)
def test_what_cannot_be_sent_is_explained(tmp_path: Path, typed: str, sentence: str) -> None:
    assert session(f"{typed}\n", tmp_path).startswith(sentence)


def test_an_empty_file_is_not_sent_and_a_text_may_begin_like_a_file(tmp_path: Path) -> None:
    empty = tmp_path / "empty.txt"
    empty.touch()
    printed = session(f"<{empty}\n <3\n", tmp_path).splitlines()
    assert printed == [f"Файл {empty} пуст, Telegram такой не отправит.", "Вы: <3"]


def test_a_caret_replies_to_the_last_or_to_a_numbered_message(tmp_path: Path) -> None:
    def repeat(bot: Bot, update: dict[str, Any]) -> None:
        replied = update["message"].get("reply_to_message", {})
        assert "reply_to_message" not in replied
        bot.send(f"Ответ на: {replied.get('text', 'ничего')}")

    printed = session("раз\n^ два\n^1 три\n^_^\n", tmp_path, repeat)
    assert printed.splitlines() == [
        "Ответ на: ничего",
        "Ответ на: Ответ на: ничего",
        "Ответ на: раз",
        "Ответ на: ничего",
    ]


def test_numbers_never_come_again_in_another_session(tmp_path: Path) -> None:
    _, first = talk("раз\nдва\n", tmp_path, say_nothing)
    time.sleep(0.01)  # no two sessions start within the same millisecond
    _, second = talk("раз\n", tmp_path, say_nothing)
    numbers = [update["update_id"] for bot in (first, second) for update in bot.updates]
    messages = [message["message_id"] for bot in (first, second) for message in bot.messages]
    assert numbers == sorted(set(numbers))
    assert messages == sorted(set(messages))


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
    tmp_path: Path, typed: str, kind: str, caption: str | None
) -> None:
    (tmp_path / "a.txt").write_bytes(b"text")
    (tmp_path / "мой кот.JPG").write_bytes(b"jpeg")
    line = typed.format(path=tmp_path / "a.txt", spaced=tmp_path / "мой кот.JPG")
    printed, bot = talk(f"первое\n{line}\n", tmp_path, say_nothing)
    sent = bot.messages[1]
    assert printed == ""
    assert (kind in sent, sent.get("caption"), "reply_to_message" in sent) == (True, caption, typed[0] == "^")
    file = sent["document"] if kind == "document" else sent["photo"][-1]
    assert bot.door.download(file["file_id"]) == (b"text" if kind == "document" else b"jpeg")


def test_an_interrupt_passes_through(tmp_path: Path) -> None:
    class Interrupted(io.BytesIO):
        def readline(self, _size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

    console = Console(io.TextIOWrapper(Interrupted()), io.StringIO(), tmp_path)
    with pytest.raises(KeyboardInterrupt):
        console.run(idle=lambda: None)
    console.close()


# TerminalDoor, used directly


@pytest.mark.parametrize(
    ("method", "params", "description"),
    [
        ("send_message", {"chat_id": 77, "text": "чужому"}, "chat not found"),
        ("edit_message_text", {"chat_id": OWNER_ID, "message_id": 7, "text": "а"}, "to edit not found"),
        ("delete_message", {"chat_id": OWNER_ID, "message_id": 7}, "to delete not found"),
        ("get_file", {"file_id": "AgACAgIAAxk"}, "wrong file_id"),
        ("send_venue", {"chat_id": OWNER_ID}, "no such method"),
    ],
)
def test_what_the_terminal_cannot_do_is_refused_as_telegram_refuses(
    method: str, params: dict[str, Any], description: str
) -> None:
    door = TerminalDoor(Screen(io.StringIO()), Path())
    with pytest.raises(RefusedError, match=description) as refused:
        door.call(method, **params)
    assert refused.value.code == 400  # 401 or 404 would mean a wrong token


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("set_my_description", {"description": "а"}),
        ("delete_webhook", {}),
        ("send_chat_action", {"chat_id": OWNER_ID, "action": "typing"}),
    ],
)
def test_what_a_terminal_does_not_show_is_done_with_at_once(method: str, params: dict[str, Any]) -> None:
    assert TerminalDoor(Screen(io.StringIO()), Path()).call(method, **params) is True


def test_a_file_above_the_limit_is_not_given_out(tmp_path: Path) -> None:
    door, large = TerminalDoor(Screen(io.StringIO()), tmp_path), tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(20 * 2**20 + 1)
    with pytest.raises(RefusedError, match="too big"):
        door.download(str(large))


# Output


def test_a_growing_answer_is_printed_when_it_is_complete(tmp_path: Path) -> None:
    def stream(bot: Bot) -> None:
        number = bot.send("⏳ Модель", reply_markup=STOP)
        bot.edit(number, "⏳ Модель\nДумает, уже 5 с…", reply_markup=STOP)
        for text in ("Раз", "Раз, **два", "Раз, два\n\nтри"):
            bot.edit(number, text, reply_markup=STOP)
        bot.send("Заметка #1")
        bot.edit(number, "Раз, два\n\nтри\n\n(9 мс)", reply_markup=buttons("Ещё раз"))

    answer = "Раз, два\n\nтри\n\n(9 мс)\n[!1] Ещё раз\n"
    assert watching(tmp_path, stream, io.StringIO()) == f"Заметка #1\n{answer}"
    assert watching(tmp_path, stream, Terminal()) == (
        f"{numbered(1)} ⏳ Модель\n[!1] ⏹ Стоп\n{numbered(2)} Заметка #1\n{numbered(1)} {answer}"
    )


def test_what_did_not_come_to_its_end_is_printed_as_it_stands(tmp_path: Path) -> None:
    def stream(bot: Bot) -> None:
        bot.send("⏳ Модель", reply_markup=STOP)
        deleted = bot.send("⏳ Удалено", reply_markup=STOP)
        bot.door.call("delete_message", chat_id=OWNER_ID, message_id=deleted)
        bot.send("Ответ")

    assert watching(tmp_path, stream, io.StringIO()) == "Ответ\n⏳ Модель\n[!1] ⏹ Стоп\n"


def test_a_message_that_changes_is_printed_again_with_a_mark(tmp_path: Path) -> None:
    def switch(bot: Bot) -> None:
        number = bot.send("Модели:\n★ 1\n  2", reply_markup=buttons("1", "2"))
        for _ in range(2):  # the second, identical edit prints nothing
            bot.edit(number, "Модели:\n  1\n★ 2", reply_markup=buttons("1", "2"))

    printed = watching(tmp_path, switch, io.StringIO())
    assert printed == "Модели:\n★ 1\n  2\n[!1] 1  [!2] 2\n✎ Модели:\n  1\n★ 2\n[!1] 1  [!2] 2\n"


def test_a_list_with_a_button_for_each_line_is_printed_once(tmp_path: Path) -> None:
    def models(bot: Bot) -> None:
        text = "Модели:\n★ 1. Gemma 3 4B [a]\n  2. Gemma 3 [b]\n  3. Nova [c] · ⚠ недоступна\nNova (free)"
        bot.send(text, reply_markup=buttons("★ Gemma 3 4B", "Gemma 3", "Nova", "🔄 Обновить"))

    assert watching(tmp_path, models, io.StringIO()) == (
        "Модели:\n[!1] ★ 1. Gemma 3 4B [a]\n[!2]   2. Gemma 3 [b]\n"
        "  3. Nova [c] · ⚠ недоступна\nNova (free)\n"
        "[!3] Nova  [!4] 🔄 Обновить\n"  # two of the lines match the first of these buttons
    )


def test_messages_count_from_one_on_a_terminal_and_have_no_number_in_a_pipe(tmp_path: Path) -> None:
    def greet(bot: Bot) -> None:
        bot.send("Привет")

    assert watching(tmp_path, greet, Terminal()) == f"{numbered(1)} Привет\n"
    assert watching(tmp_path, greet, io.StringIO()) == "Привет\n"


def test_what_a_terminal_would_obey_is_left_out(tmp_path: Path) -> None:
    printed = watching(tmp_path, lambda bot: bot.send("а\x1b[31mб\x9b2Jв"), io.StringIO())
    assert printed == "а[31mб2Jв\n"


def test_a_link_shows_its_address(tmp_path: Path) -> None:
    link = {"type": "text_link", "offset": 3, "length": 4, "url": "https://ya.ru"}
    bold = {"type": "bold", "offset": 0, "length": 2}
    printed = watching(tmp_path, lambda bot: bot.send("😀 сайт!", entities=[bold, link]), io.StringIO())
    assert printed == "😀 сайт (https://ya.ru)!\n"


def test_buttons_that_lead_elsewhere_have_no_number(tmp_path: Path) -> None:
    row = [
        types.InlineKeyboardButton("Сайт", url="https://ya.ru"),
        types.InlineKeyboardButton("Код", copy_text=types.CopyTextButton("abc")),
        types.InlineKeyboardButton("Да", callback_data="y"),
    ]
    keyboard = types.InlineKeyboardMarkup([row])
    printed = watching(tmp_path, lambda bot: bot.send("?", reply_markup=keyboard), io.StringIO())
    assert printed == "?\n[Сайт: https://ya.ru]  [Код: abc]  [!1] Да\n"


# Files from the bot


def test_documents_are_saved_and_their_path_is_printed(tmp_path: Path) -> None:
    def export(bot: Bot) -> None:
        for name, data in (("заметки.txt", b"1"), ("заметки.txt", b"2"), ("../../.bashrc", b"3")):
            bot.document(name, data, caption="Готово")
        bot.door.call("send_photo", chat_id=OWNER_ID, photo=io.BytesIO(b"4"))

    printed = watching(tmp_path, export, io.StringIO()).splitlines()
    files = [tmp_path / "files" / n for n in ("заметки.txt", "заметки (2).txt", "_.._.bashrc", "photo.png")]
    assert [line for line in printed if line != "Готово"] == [f"Файл: {file}" for file in files]
    assert printed.count("Готово") == 3
    assert [file.read_bytes() for file in files] == [b"1", b"2", b"3", b"4"]


def test_a_document_that_cannot_be_saved_is_explained(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("не папка")
    printed = watching(tmp_path, lambda bot: bot.document("a.txt", b"1"), io.StringIO())
    assert printed.startswith("Файл a.txt не сохранить: ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other rights")
@pytest.mark.parametrize("before", [None, 0o755, 0o777])
def test_what_is_saved_is_the_owners_only(tmp_path: Path, before: int | None) -> None:
    folder = tmp_path / "files"
    if before:
        folder.mkdir()
        folder.chmod(before)
    umask = os.umask(0)
    try:
        watching(tmp_path, lambda bot: bot.document("заметки.txt", b"1"), io.StringIO())
    finally:
        os.umask(umask)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "заметки.txt").stat().st_mode) == 0o600


@pytest.fixture(autouse=True)
def _no_unended_threads() -> Iterator[None]:
    before = threading.active_count()
    yield
    assert threading.active_count() <= before
