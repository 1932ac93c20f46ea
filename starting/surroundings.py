"""What has to be there before anything else is imported: a new enough Python, and the packages.

An older Python has to be able to read this file, and `bot.py` as far as its syntax goes.
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
    """Exit with one sentence if the Python is too old; from now on a missing package ends so, too.

    Ctrl-C while it starts ends without a word.
    """
    if sys.version_info < NEEDED:
        sys.exit(TOO_OLD % (NEEDED + tuple(sys.version_info[:2])))
    sys.excepthook = _explain


def _explain(kind, exc, traceback):  # type: ignore[no-untyped-def]
    if issubclass(kind, ModuleNotFoundError):
        sys.stderr.write(NO_PACKAGE % exc.name + "\n")
    elif not issubclass(kind, KeyboardInterrupt):  # stopped before it had begun, which is no error
        sys.__excepthook__(kind, exc, traceback)
