"""Run the bot on a machine that refuses some threads while a file exists.

python short_of_threads.py FILE PREFIX     refuse threads whose names start with PREFIX
"""

import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import bot

file, prefix = sys.argv[1:]
start = threading.Thread.start


def start_if_there_are_any(thread: threading.Thread) -> None:
    if thread.name.startswith(prefix) and Path(file).exists():
        raise RuntimeError("can't start new thread")
    start(thread)


threading.Thread.start = start_if_there_are_any  # type: ignore[assignment,method-assign]
sys.exit(bot.main([]))
