"""/note_export in each format, and the import of an exported file, through the bot."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot_api.chats import SentDocument
from support.asking_bot import STOP
from support.fill import fill
from support.harness import Harness, Message, Person

ADD, KEEP = "📥 Добавить", "📎 Оставить файлом"


def sent_to(person: Person) -> list[SentDocument]:
    return [document for document in person.bot.server.documents if document.chat_id == person.id]


def exported(person: Person, command: str = "/note_export json") -> SentDocument:
    """Export notes that fit into one file, and return it."""
    message = person.asks(command)
    (found,) = [document for document in sent_to(person) if document.message_id == message["message_id"]]
    return found


def sends(person: Person, data: bytes, name: str = "notes.json", **more: Any) -> Message:
    """Send a file, and return the bot's final reply to it."""
    answer = person.bot.reply_to(person.bot.server.send_file(data, name, user_id=person.id, **more))
    return settled(person, answer, "Смотрю")


def settled(person: Person, message: Message, until: str) -> Message:
    """Wait until a message no longer contains its temporary text, and return it."""
    message_id = message["message_id"]

    def now() -> Message | None:
        (found,) = [m for m in person.bot.server.messages(person.id) if m["message_id"] == message_id]
        return None if until in found["text"] else found

    return person.bot.wait(now, 60)


def imports(person: Person, data: bytes, name: str = "notes.json") -> str:
    """Send a file, agree to the import, and return the report."""
    offer = sends(person, data, name)
    person.press(offer, ADD)
    return str(settled(person, settled(person, offer, "?"), "Добавляю")["text"])


def buttons(message: Message) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


# ---- Export ---------------------------------------------------------------------------------


def test_json_has_everything_and_markdown_is_for_reading(anna: Person) -> None:
    anna.says("/note_add купить хлеб #дом")
    whole = json.loads(exported(anna).data)
    assert [(note["number"], note["text"], note["tags"]) for note in whole["notes"]] == [
        (1, "купить хлеб #дом", ["дом"])
    ]
    markdown = exported(anna, "/note_export md")
    assert markdown.name == "notes.md"
    assert re.match(r"## \d\d\.\d\d\.\d{4} \d\d:\d\d · №1\n\nкупить хлеб #дом\n", markdown.data.decode())
    assert exported(anna, "/note_export").name == exported(anna, "/note_export txt").name == "notes.txt"


def test_a_format_that_there_is_not_is_named(anna: Person) -> None:
    anna.says("/note_add мысль")
    assert anna.says("/note_export xml") == "Использование: /note_export [json | md]\nВыгрузки «xml» нет."


# ---- Import ---------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["/note_export json", "/note_export txt"])
def test_an_export_goes_from_one_notebook_into_another_once(
    anna: Person, boris: Person, command: str
) -> None:
    anna.says("/note_add первая\n#5 · 24.11.2026 10:00\n\nи ещё")
    anna.says("/note_add вторая")
    file = exported(anna, command)
    assert imports(boris, file.data, file.name) == "Добавлено: 2. Уже были: 0."
    assert exported(boris, "/note_export").data == exported(anna, "/note_export").data
    assert imports(boris, file.data, file.name) == "Добавлено: 0. Уже были: 2."
    assert boris.says("/note_count") == "Заметок: 2."


def test_the_offer_says_how_many_and_what_cannot_be_read(anna: Person, boris: Person) -> None:
    for number in range(3):
        anna.says(f"/note_add мысль {number}")
    broken = exported(anna).data.replace("мысль 1".encode(), b"\xd1", 1)
    offer = sends(boris, broken)
    assert offer["text"] == "Это выгрузка заметок: 2 шт. Не прочитано: 1 (строка 3). Добавить?"
    assert buttons(offer) == [ADD, KEEP]
    assert boris.says("/note_count") == "Заметок: 0."
    boris.press(offer, ADD)
    report = settled(boris, settled(boris, offer, "?"), "Добавляю")
    assert report["text"] == "Добавлено: 2. Уже были: 0. Не прочитано: 1 (строка 3)."
    assert buttons(report) == []


def test_a_broken_file_changes_nothing(anna: Person, boris: Person) -> None:
    anna.says("/note_add мысль")
    answer = sends(boris, exported(anna).data[:-4])
    assert answer["text"] == "Это файл с выгрузкой заметок, но у него нет конца. Ничего не добавлено."
    assert buttons(answer) == []
    assert boris.says("/note_count") == "Заметок: 0."


def test_a_file_may_be_kept_as_it_is(anna: Person, boris: Person) -> None:
    anna.says("/note_add мысль")
    bold = {"type": "bold", "offset": 0, "length": 5}
    offer = sends(boris, exported(anna).data, caption="копия заметок", caption_entities=[bold])
    boris.press(offer, KEEP)
    assert settled(boris, offer, "?")["text"] == "Заметка #1 сохранена."
    (kept,) = json.loads(exported(boris).data)["notes"]
    assert (kept["text"], kept["entities"]) == ("копия заметок", [bold])
    assert kept["files"][0]["name"] == "notes.json"


def test_where_nothing_can_be_added_it_is_not_offered(anna: Person, boris: Person) -> None:
    anna.says("/note_add мысль")
    offer = sends(boris, exported(anna).data.replace(b'"text"', b'"texts"'))
    assert offer["text"] == "Это выгрузка заметок: 0 шт. Не прочитано: 1 (строка 2). Добавлять нечего."
    assert buttons(offer) == [KEEP]


def test_a_file_that_was_deleted_meanwhile_is_asked_for_again(
    bot: Harness, anna: Person, boris: Person
) -> None:
    anna.says("/note_add мысль")
    asked = bot.server.send_file(exported(anna).data, "notes.json", user_id=boris.id)
    offer = settled(boris, bot.reply_to(asked), "Смотрю")
    with bot.server.changed:
        bot.server.find(boris.id, offer["message_id"]).pop("reply_to_message")
    assert boris.press(offer, ADD) == "Этого файла больше нет. Пришлите его ещё раз."


def test_a_file_that_is_no_export_is_kept_as_any_other(bot: Harness, anna: Person) -> None:
    assert "сохранена" in sends(anna, "просто текст".encode(), "текст.txt")["text"]
    bot.server.fail("getFile", "500")
    assert "сохранена" in sends(anna, b"{}", "other.json")["text"]
    assert anna.says("/note_count") == "Заметок: 2."


def test_where_plain_text_is_a_question_a_file_with_words_is_asked_about(bot: Harness, anna: Person) -> None:
    anna.press(anna.asks("/settings"), data=f"set:{anna.id}.1.2")
    sent = bot.server.send_file(b"some text", "a.txt", caption="что здесь?", user_id=anna.id)
    answer = bot.reply_to(sent)
    assert "Вы спросили: что здесь?" in bot.server.wait_text(anna.id, "мс; модель", 30)["text"]
    assert bot.server.find(anna.id, answer["message_id"])["text"].endswith(")")


# ---- Large exports --------------------------------------------------------------------------

MANY, LONG = 3_000, "слово " * 700  # about 20 MB, three files


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with many notes of person 1001."""
    file = tmp_path_factory.mktemp("filled") / "notes.db"
    fill(file, 1001, MANY, LONG)
    return file


@pytest.fixture
def full(new_bot: Callable[..., Harness], filled: Path) -> Harness:
    """A bot with that database."""
    bot = new_bot()
    shutil.copy(filled, bot.db_path)
    return bot.start()


def parts_of(bot: Harness) -> list[SentDocument]:
    return [document for document in bot.server.documents if document.chat_id == 1001]


def memory_mb(bot: Harness, name: str) -> float:
    assert bot.process is not None
    status = Path(f"/proc/{bot.process.pid}/status").read_text("utf-8")
    return int(re.findall(rf"^{name}:\s+(\d+)", status, re.MULTILINE)[0]) / 1000


def numbers_in(documents: list[SentDocument]) -> list[int]:
    headers = re.compile(r"^#(\d+) · ", re.MULTILINE)
    return [int(number) for document in documents for number in headers.findall(document.data.decode())]


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="memory is looked up in /proc")
def test_what_is_long_goes_out_in_parts_that_can_come_back(full: Harness) -> None:
    anna = full.person(1001)
    before = memory_mb(full, "VmRSS")
    status = settled(anna, anna.asks("/note_export"), "Готовлю")
    assert memory_mb(full, "VmHWM") - before < 100
    parts = parts_of(full)
    assert status["text"] == f"Готово. Заметок: 3 000, файлов: {len(parts)}."
    assert [part.name for part in parts] == [f"notes-{n}.txt" for n in range(1, len(parts) + 1)]
    assert len(parts) == 3
    assert max(len(part.data) for part in parts) <= 10 * 2**20
    assert numbers_in(parts) == list(range(1, MANY + 1))
    told = [call.params["text"] for call in full.server.calls_of("editMessageText", 1001)]
    assert any(re.fullmatch(r"Готовлю: \d[ \d]* из 3 000…", text) for text in told)
    boris = full.person(1002)
    assert imports(boris, parts[1].data, parts[1].name).startswith("Добавлено: 1 ")
    assert boris.says("/note_count") != "Заметок: 0."


def test_an_export_can_be_stopped(full: Harness) -> None:
    anna = full.person(1001)
    full.server.fail("sendDocument", "500", times=None)
    status = anna.asks("/note_export")
    shown = full.wait(lambda: [m for m in full.server.messages(1001) if STOP in buttons(m)], 30)[0]
    assert shown["message_id"] == status["message_id"]
    full.wait(lambda: full.server.calls_of("sendDocument"), 30)
    assert anna.press(shown, STOP) == "Останавливаю."
    full.server.heal()
    stopped = full.server.wait_text(1001, "Остановлено.", 60)
    assert stopped["message_id"] == status["message_id"]
    assert re.fullmatch(r"Остановлено\.\nГотовлю: [\d ]+ из 3 000…", stopped["text"])
    assert (buttons(stopped), parts_of(full)) == ([], [])
    # The last text is shown a moment before the export counts as finished.
    full.wait(lambda: anna.press(shown, data=_stop_data(shown)) == "Уже закончено.")


def _stop_data(message: Message) -> str:
    return str(message["reply_markup"]["inline_keyboard"][0][0]["callback_data"])


def test_a_killed_export_goes_on_where_it_was(full: Harness) -> None:
    anna = full.person(1001)
    status = anna.asks("/note_export")
    full.wait(lambda: len(parts_of(full)) == 1, 60)
    full.kill()
    full.start()
    done = settled(anna, status, "Готовлю")
    assert re.fullmatch(r"Готово\. Заметок: 3 000, файлов: \d\.", done["text"])
    assert set(numbers_in(parts_of(full))) == set(range(1, MANY + 1))
    assert len(parts_of(full)) <= 4  # the file that was being sent may arrive twice
