"""The one place that turns an exception into a sentence for a person."""

import logging
import sqlite3

import db
import migrations
from openrouter_client import OpenRouterError
from storage.dialogue import TurnNotFoundError
from storage.notes import NothingToUndoError
from storage.people import PersonNotFoundError
from storage.query import QueryError
from storage.recalled import TextGoneError
from telegram.api import TelegramError
from telegram.replies import UserError

log = logging.getLogger(__name__)
UNEXPECTED = "Непредвиденная ошибка."

_SENTENCES: dict[type[BaseException], str] = {
    db.UnknownModelError: "Неизвестный ID модели. Сначала /models.",
    db.NoModelsError: "Список моделей пуст.",
    TurnNotFoundError: "Этого вопроса больше нет. Спросите заново: /ask <вопрос>",
    TextGoneError: "Эта кнопка больше не действует.",
    PersonNotFoundError: "Среди гостей нет человека с таким id. Список: /people",
}
_OF_THE_FILE: dict[type[BaseException], str] = {
    migrations.NewerFileError: "файл базы данных записан более новой версией программы. Обновите программу",
    migrations.AlreadyOpenError: "с этой базой данных уже работает другая копия бота. Остановите её",
    db.FileReplacedError: (
        "файл базы данных удалён или заменён, пока бот работал. Бот останавливается, запустите его снова"
    ),
}
# By the prefix of SQLite's error name, which covers IOERR_WRITE, BUSY_SNAPSHOT …
_STORAGE = {
    "SQLITE_FULL": "на диске нет места. Освободите место на диске с базой",
    "SQLITE_IOERR": "диск не читается или не пишется (возможно, нет места). Проверьте диск с базой",
    "SQLITE_BUSY": "база данных занята другой программой. Закройте её",
    "SQLITE_LOCKED": "база данных занята другой программой. Закройте её",
    "SQLITE_READONLY": "файл базы данных доступен только для чтения. Дайте право записи",
    "SQLITE_CANTOPEN": "файл базы данных не открывается. Проверьте DB_PATH и права на папку",
    "SQLITE_NOTADB": "файл DB_PATH — не база данных SQLite. Укажите в DB_PATH другой файл",
    "SQLITE_CORRUPT": "файл базы данных повреждён. Восстановите его из резервной копии",
}


def storage_trouble(exc: BaseException) -> str | None:
    """Return why the database file cannot be used, in Russian; None for any other kind of exception."""
    if type(exc) in _OF_THE_FILE:
        return _OF_THE_FILE[type(exc)]
    if isinstance(exc, OSError):
        return f"файл базы данных не открывается ({exc.strerror}). Проверьте DB_PATH и права"
    name = getattr(exc, "sqlite_errorname", None) or ""
    return next((sentence for prefix, sentence in _STORAGE.items() if name.startswith(prefix)), None)


def in_words(exc: BaseException) -> str:
    """Return what went wrong as a Russian sentence; logs an unexpected exception with its traceback."""
    if isinstance(exc, UserError):
        return str(exc)
    if isinstance(exc, db.NoteNotFoundError):
        return f"Нет заметки #{exc.number}. Список: /note_list"
    if isinstance(exc, NothingToUndoError):
        return f"У заметки #{exc.number} нечего возвращать."
    if isinstance(exc, QueryError):
        return f"Не понимаю «{exc}». Дата пишется так: от:01.02.2026 до:01.03.2026"
    if type(exc) in _SENTENCES:
        return _SENTENCES[type(exc)]
    if isinstance(exc, TelegramError):
        return "Telegram не отдал файл. Пришлите его ещё раз."
    if isinstance(exc, OpenRouterError):
        return f"Ошибка: {exc}" + (f"\n{exc.hint}" if exc.hint else "")
    if isinstance(exc, sqlite3.Error | db.FileReplacedError) and (trouble := storage_trouble(exc)):
        return f"Не получилось: {trouble}."
    log.error(UNEXPECTED, exc_info=exc)
    return UNEXPECTED
