"""The command line: the options of `python bot.py`."""

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn

WHAT_IT_IS = """Заметочник: заметки и бесплатные языковые модели в Telegram.

  python bot.py             бот в Telegram; в .env нужен TOKEN
  python bot.py --console   тот же бот здесь, в терминале"""
SEE_HELP = "Подсказка: python bot.py --help\n"


class _Parser(argparse.ArgumentParser):
    def error(self, _message: str) -> NoReturn:
        self.exit(2, f"Ключи написаны неправильно. {SEE_HELP}")


def parse(args: Sequence[str]) -> argparse.Namespace:
    """Parse the arguments; on an error prints it and raises SystemExit(2), after the help SystemExit(0)."""
    parser = _Parser(
        usage=argparse.SUPPRESS,
        description=WHAT_IT_IS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        add_help=False,
        allow_abbrev=False,
    )
    group = parser.add_argument_group("Ключи")
    one_of = group.add_mutually_exclusive_group()
    keys = [
        one_of.add_argument("--console", action="store_true", help="терминал вместо Telegram"),
        one_of.add_argument("--check", action="store_true", help="проверить всё, что нужно боту"),
        one_of.add_argument("--health", action="store_true", help="работает ли бот: код 0 или 1"),
        one_of.add_argument("--backup", action="store_true", help="сделать копию базы, можно на ходу"),
        one_of.add_argument("--restore", metavar="ФАЙЛ", help="вернуть базу из копии"),
        group.add_argument("-h", "--help", action="help", help="эта подсказка"),
    ]
    known, unknown = parser.parse_known_args(args)
    if unknown:
        near = get_close_matches(unknown[0].lower(), [name for key in keys for name in key.option_strings], 1)
        perhaps = f"Может быть, {near[0]}? " if near else ""
        parser.exit(2, f"Нет ключа {unknown[0]}. {perhaps}{SEE_HELP}")
    return known
