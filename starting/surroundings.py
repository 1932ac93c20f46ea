"""Checks, before anything else is imported, for a new enough Python and the packages.

An older Python must be able to run this file, and to parse `bot.py`.
"""

import sys

NEEDED = (3, 11)
TOO_OLD = "Нужен Python %d.%d или новее, а это %d.%d. Установите его и запустите бота заново: make run"
NO_PACKAGE = (
    "Нет пакета %s: бот запущен без своего окружения. Запустите его так: make run\n"
    "Без make: .venv/bin/python bot.py, на Windows .venv\\Scripts\\python bot.py (см. README.md)."
)


def check():
    # type: () -> None
    """Exit with one sentence if Python is too old; from then on, do the same for a missing package.

    Ctrl-C during the start exits silently.
    """
    if sys.version_info < NEEDED:
        sys.exit(TOO_OLD % (NEEDED + tuple(sys.version_info[:2])))
    sys.excepthook = _explain


def _explain(kind, exc, traceback):  # type: ignore[no-untyped-def]
    if issubclass(kind, ModuleNotFoundError):
        sys.stderr.write(NO_PACKAGE % exc.name + "\n")
    elif not issubclass(kind, KeyboardInterrupt):  # stopping the bot while it starts is not an error
        sys.__excepthook__(kind, exc, traceback)
