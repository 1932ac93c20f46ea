"""Notes in the terminal: typed lines become notes, cards show their files, buttons work as in Telegram."""

from pathlib import Path

from support.harness import setting_names
from support.program import piped
from telegram.attachments import NOT_SENT


def typed(folder: Path, *lines: str) -> list[str]:
    """Type lines into a bot without settings, and return the printed lines."""
    settings = dict.fromkeys(setting_names(), "") | {"DB_PATH": str(folder / "notes.db")}
    return piped(settings, folder, *lines).splitlines()


def test_what_is_typed_is_a_note_and_its_card_opens_by_its_number(tmp_path: Path) -> None:
    said = typed(tmp_path, "купить хлеб #дом", "/note_list", "!1")
    assert said[:2] == ["Заметка #1 сохранена.", "[!1] 🤖 Спросить  [!2] ↩️ Убрать"]
    assert "[!1] 1" in said
    assert said[-3:-1] == ["купить хлеб #дом", "Теги: #дом"]
    assert said[-1].startswith("[!1] ✏️ Изменить  [!2] 📌  [!3] 🗑  [📋: купить хлеб #дом]")


def test_a_card_shows_where_its_file_is(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.pdf"):
        (tmp_path / name).write_text("x")
    said = typed(tmp_path, "<a.jpg чек", "<c.pdf договор", "/note 1", "/note 2")
    assert f"Файл: {tmp_path / 'a.jpg'}" in said
    assert f"Файл: {tmp_path / 'c.pdf'}" in said


def test_a_file_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("x")
    typed(tmp_path, "<a.txt договор")
    (tmp_path / "a.txt").unlink()
    assert f"{NOT_SENT} 📄 файл a.txt" in typed(tmp_path, "/note 1")


def test_a_change_asks_for_a_reply_and_takes_it(tmp_path: Path) -> None:
    said = typed(tmp_path, "старое", "/note 1", "!1", "^ новое", "/note 1")
    assert "Ответьте на это сообщение новым текстом." in said
    assert "Заметка #1 изменена." in said
    assert said[-3] == "новое"


def test_a_receipt_may_be_a_reaction(tmp_path: Path) -> None:
    said = typed(tmp_path, "/settings", "!3", "тихо", "/note_count")
    assert said[-2:] == ["👌", "Заметок: 1."]
