"""The terminal as its user sees it: a prompt, and output above it."""

import re
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.harness import Harness
from support.openrouter_replies import DONE, Behaviour, Call, chunk

if sys.platform == "win32":
    pytest.skip("Windows has no pseudo-terminals", allow_module_level=True)

from support.drawn_terminal import PATIENCE_S, DrawnTerminal


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harness]:
    """The fake services; the bot has no Telegram token."""
    with Harness(tmp_path_factory.mktemp("world"), TOKEN="") as servers:
        yield servers


@pytest.fixture(scope="module")
def terminal(world: Harness) -> Iterator[DrawnTerminal]:
    """One terminal session shared by the tests."""
    with DrawnTerminal(world.environment, world.folder) as drawn:
        drawn.sees(lambda lines: lines[-1] == ">")
        yield drawn
        drawn.type_bytes(b"\x04")  # Ctrl-D
        assert drawn.ends() == 0
        assert "Traceback" not in drawn.everything


class Steps:
    """An answer sent one piece for each call of `go`."""

    def __init__(self, *pieces: str) -> None:
        self._pieces = pieces
        self._may = threading.Semaphore(0)

    def go(self, times: int = 1) -> None:
        self._may.release(times)

    @property
    def behaviour(self) -> Behaviour:
        def behave(call: Call) -> None:
            call.start()
            for piece in self._pieces:
                assert self._may.acquire(timeout=PATIENCE_S)
                call.part(chunk(piece))
            call.part(chunk("", finish="stop"))
            call.part(DONE)
            call.end()

        return behave


def another(
    world: Harness, folder: Path, *, columns: int = 80, rows: int = 24, term: str = "xterm"
) -> DrawnTerminal:
    return DrawnTerminal(
        {**world.environment, "DB_PATH": str(folder / "own.db")}, folder, columns, rows, term
    )


def test_it_says_how_to_begin_and_shows_a_prompt(terminal: DrawnTerminal) -> None:
    seen = "\n".join(terminal.shown)
    for hint in ("/help", "!1 — нажать кнопку", "Ctrl-D"):
        assert hint in seen
    assert terminal.shown[-1] == ">"


def test_tab_completes_commands(terminal: DrawnTerminal) -> None:
    terminal.types("/note_c\t")
    terminal.sees(lambda lines: lines[-1] == "> /note_count")
    terminal.enters("")
    terminal.sees("Заметок: ")


def test_tab_shows_what_the_commands_do(terminal: DrawnTerminal) -> None:
    terminal.types("/note_\t")
    terminal.sees("Добавить заметку")
    terminal.type_bytes(b"\x15")  # Ctrl-U: clear the line
    terminal.sees(lambda lines: lines[-1] == ">")


def test_a_pasted_text_is_one_message(terminal: DrawnTerminal) -> None:
    terminal.pastes("/note_add первая строка\n    вторая\nтретья\n")
    terminal.sees("третья")
    assert not [line for line in terminal.shown if "сохранена" in line]
    terminal.enters("")
    terminal.sees("сохранена.")
    terminal.enters("/note_find вторая")
    terminal.sees(lambda lines: any(re.search(r"#1 · .*вторая", line) for line in lines))


def test_the_list_of_models_is_shown_once(terminal: DrawnTerminal) -> None:
    terminal.enters("/models")
    terminal.sees("Обновить")
    # It may have scrolled off the screen already, and a prompt that is being redrawn hides a line.
    line = re.compile(r"\[!(\d+)\] [^\n]*Nemotron 3 Ultra \(free\)")
    terminal.sees(lambda _: len(line.findall(terminal.everything)) == 1)
    number = line.findall(terminal.everything)[0]
    terminal.enters(f"!{number}")
    terminal.sees(lambda _: "Активна Nemotron 3 Ultra (free)" in terminal.everything)


def test_an_answer_grows_in_its_place_and_typed_text_is_not_torn(
    terminal: DrawnTerminal, world: Harness
) -> None:
    steps = Steps("Раз", ", два", ", три.")
    world.answers["растёт"] = steps.behaviour
    terminal.enters("/ask растёт")
    terminal.sees("⏹ Стоп")
    terminal.types("/note_add набрано ме")
    steps.go()
    terminal.sees(lambda lines: any(line.endswith("Раз") for line in lines))
    steps.go()
    lines = terminal.sees("Раз, два")
    assert lines[-1] == "> /note_add набрано ме"
    assert sum("Раз" in line for line in lines) == 1
    steps.go()
    terminal.sees("мс; модель: ")
    terminal.sees(lambda lines: lines[-1] == "> /note_add набрано ме")
    terminal.sees(lambda _: terminal.everything.count("Раз") == 1)
    assert "⏹ Стоп" not in terminal.everything
    terminal.enters("жду делом")
    terminal.enters("/note_find делом")
    terminal.sees(lambda lines: any(re.search(r"#\d+ · .* · набрано между делом", line) for line in lines))


def test_a_growing_answer_is_stopped_by_its_button(terminal: DrawnTerminal, world: Harness) -> None:
    steps = Steps("Начало", "никогда")
    world.answers["стой"] = steps.behaviour
    terminal.enters("/ask стой")
    steps.go()
    terminal.sees("Начало")
    terminal.enters("!1")
    terminal.sees("остановлено)")
    steps.go()


def test_mistakes_at_the_prompt_are_sentences(terminal: DrawnTerminal) -> None:
    for typed, sentence in (
        ("!99", "Кнопки !99 нет"),
        ("^9999 а", "Сообщения 9999 нет."),
        ("<нет", "Нет файла нет."),
    ):
        terminal.enters(typed)
        terminal.sees(sentence)


def test_who_may_come_in_is_said_truly(terminal: DrawnTerminal) -> None:
    for command in ("/invite", "/people", "/remove 7"):
        terminal.enters(command)
    terminal.sees(lambda lines: sum("В терминале бот только ваш." in line for line in lines) == 3)
    assert "ALLOWED_USERS" not in terminal.everything


def test_keys_of_another_encoding_are_never_replaced(terminal: DrawnTerminal) -> None:
    terminal.type_bytes(b"/note_add " + "жук в cp1251".encode("cp1251") + b"\r")
    terminal.enters("/note_find cp1251")
    terminal.sees(lambda lines: any(re.search(r"#\d+ · .*жук в cp1251", line) for line in lines))


def test_an_answer_longer_than_a_narrow_screen_leaves_the_prompt_in_sight(
    world: Harness, tmp_path: Path
) -> None:
    steps = Steps(
        "\n\n".join(f"Абзац {number} о том, как растёт длинный ответ" for number in range(1, 31)), "Всё."
    )
    world.answers["длинный"] = steps.behaviour
    with another(world, tmp_path, columns=40, rows=12) as terminal:
        terminal.sees(lambda lines: lines[-1] == ">")
        terminal.enters("/ask длинный")
        steps.go()
        lines = terminal.sees("Абзац 30")
        assert lines[-1] == ">"
        assert not any("Абзац 1 " in line for line in lines)
        steps.go()
        terminal.sees("Другая модель")
        numbers = [int(number) for number in re.findall(r"Абзац (\d+) ", terminal.everything)]
        assert numbers == [*range(1, 31)]
        terminal.type_bytes(b"\x04")
        assert terminal.ends() == 0


def test_the_end_of_the_input_waits_for_the_end_of_the_answer(world: Harness, tmp_path: Path) -> None:
    steps = Steps("Начало", " и конец.")
    world.answers["последний"] = steps.behaviour
    with another(world, tmp_path) as terminal:
        terminal.sees(lambda lines: lines[-1] == ">")
        terminal.enters("/ask последний")
        steps.go()
        terminal.sees("Начало")
        terminal.type_bytes(b"\x04")
        terminal.sees("Жду конца ответа.")
        steps.go()
        assert terminal.ends() == 0
        assert "Начало и конец." in terminal.everything


@pytest.mark.parametrize("by", ["key", "SIGINT", "SIGTERM"])
def test_an_interrupt_ends_it_and_shows_what_there_is_of_an_answer(
    world: Harness, tmp_path: Path, by: str
) -> None:
    steps = Steps("Начало", " и конец.")
    world.answers["прерван"] = steps.behaviour
    with another(world, tmp_path) as terminal:
        terminal.sees(lambda lines: lines[-1] == ">")
        terminal.enters("/ask прерван")
        steps.go()
        terminal.sees("Начало")
        if by == "key":
            terminal.type_bytes(b"\x03")
        else:
            terminal.process.send_signal(signal.Signals[by])
        terminal.sees("Заканчиваю начатое.")
        steps.go()
        assert terminal.ends() == 0
        assert "Начало и конец." in terminal.everything
        assert "Traceback" not in terminal.everything


@pytest.mark.parametrize("term", ["dumb", ""])
def test_a_terminal_that_cannot_be_drawn_on_gets_plain_lines(
    world: Harness, tmp_path: Path, term: str
) -> None:
    steps = Steps("Раз", ", два.")
    world.answers["просто"] = steps.behaviour
    with another(world, tmp_path, term=term) as terminal:
        terminal.sees(lambda lines: lines[-1] == ">")
        terminal.enters("/ask просто")
        terminal.sees("⏹ Стоп")
        steps.go(2)
        terminal.sees("Раз, два.")
        terminal.enters("/note_count")
        terminal.sees("Заметок: 0.")
        terminal.type_bytes(b"\x04")
        assert terminal.ends() == 0
        assert "\x1b" not in terminal.raw
