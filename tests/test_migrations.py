"""Old database files: from the course's code, from a newer version, or no database at all."""

import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

import migrations
from db import Database, Note
from storage.dialogue import Dialogue
from storage.journal import Journal
from storage.notebook import Notebook
from support.harness import CATALOGUE, ROOT, Harness

ANNA, BORIS = 11, 12
COURSE_MODELS = """
    CREATE TABLE models (
        id INTEGER PRIMARY KEY,
        key TEXT NOT NULL UNIQUE,
        label TEXT NOT NULL,
        active INTEGER NOT NULL DEFAULT 0 CHECK (active IN (0, 1))
    );
    CREATE UNIQUE INDEX IF NOT EXISTS ux_models_single_active ON models (active) WHERE active = 1;
    INSERT INTO models (id, key, label, active) VALUES
        (1, 'deepseek/deepseek-chat-v3.1:free', 'DeepSeek V3.1 (free)', 0),
        (2, 'deepseek/deepseek-r1:free', 'DeepSeek R1 (free)', 0),
        (3, 'mistralai/mistral-small-24b-instruct-2501:free', 'Mistral Small 24b (free)', 1),
        (4, 'meta-llama/llama-3.1-8b-instruct:free', 'Llama 3.1 8B (free)', 0);
"""
COURSE_NOTES = """
    CREATE TABLE notes (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id INTEGER NOT NULL,
        text TEXT NOT NULL,
        created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
    );
    CREATE INDEX idx_notes_user ON notes (user_id);
    INSERT INTO notes (id, user_id, text, created_at) VALUES
        (1, 11, 'Ёлка', '2024-03-07 12:00:00'),
        (2, 12, 'дело Бориса', '2024-03-08 12:00:00'),
        (5, 11, 'вторая' || char(10) || 'со второй строкой', '2024-03-09T12:00:00+03:00');
"""
# Other shapes of the table, each with one note of person 11: "columns|row".
SHAPES = {
    "seconds": "(id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT, created_at INTEGER)"
    "|(1, 11, 'мысль', 1709812800)",
    "no time": "(id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT)|(1, 11, 'мысль')",
    "no row numbers": "(id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT) WITHOUT ROWID|(1, 11, 'мысль')",
    "other names": "(id INTEGER PRIMARY KEY, chat_id INTEGER, content TEXT)|(1, 11, 'мысль')",
    "time in words": "(id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT, created_at TEXT)"
    "|(1, 11, 'мысль', 'вчера')",
    "time unknown": "(id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT, created_at TEXT)"
    "|(1, 11, 'мысль', NULL)",
}
UNREADABLE = {
    "nobody's": "(id INTEGER PRIMARY KEY, text TEXT, created_at TEXT)|(1, 'мысль', '2024-03-07')",
    "no text": "(id INTEGER PRIMARY KEY, user_id INTEGER, title TEXT)|(1, 11, 'мысль')",
    "names for ids": "(id INTEGER PRIMARY KEY, user_id TEXT, text TEXT)|(1, 'anna', 'мысль')",
    "bytes": "(id INTEGER PRIMARY KEY, user_id INTEGER, text BLOB)|(1, 11, CAST('мысль' AS BLOB))",
}


def run_script(path: Path, script: str) -> Path:
    with closing(sqlite3.connect(path)) as conn:
        conn.executescript(script)
    return path


def course_file(path: Path, notes: str = COURSE_NOTES) -> Path:
    """Create a file as the course's code leaves it."""
    return run_script(path, COURSE_MODELS + notes)


def table_of(shape: str) -> str:
    columns, row = shape.split("|")
    return f"CREATE TABLE notes {columns}; INSERT INTO notes VALUES {row};"


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as conn:
        return list(conn.iterdump())


def everything_in(path: Path) -> str:
    with closing(sqlite3.connect(path)) as conn:
        tables = [name for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for table in tables for row in conn.execute(f'SELECT * FROM "{table}"')]
    values = (value for row in rows for value in row)
    return "\n".join(value.decode() if isinstance(value, bytes) else str(value) for value in values)


def shape_of(path: Path) -> dict[str, object]:
    """Return each table's columns and indexes, without the course's old table."""
    found: dict[str, object] = {}
    with closing(sqlite3.connect(path)) as conn:
        tables = conn.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        for (table,) in tables.fetchall():
            if table == "notes_of_the_course":
                continue
            columns = conn.execute(f"PRAGMA table_info({table})").fetchall()
            found[table] = [(name, kind, needed, default) for _, name, kind, needed, default, _ in columns]
            for _, index, *kind in conn.execute(f"PRAGMA index_list({table})").fetchall():
                of = [name for _, _, name in conn.execute(f"PRAGMA index_info({index})")]
                found[f"{table}.{index}"] = (kind, of)
    return found


# ---- The course's database ------------------------------------------------------------------


def test_a_file_of_the_course_keeps_its_models_and_gains_the_others(tmp_path: Path) -> None:
    with closing(Database(course_file(tmp_path / "a.db"))) as database:
        models = database.list_models()
    assert [(m.id, m.key, m.label) for m in models] == [
        (number, key, label) for number, (key, label) in enumerate(CATALOGUE.items(), 1)
    ]
    assert [m.id for m in models if m.active] == [3]


def test_the_notes_of_the_course_are_taken_over(tmp_path: Path) -> None:
    with closing(Database(course_file(tmp_path / "a.db"))) as database:
        assert database.list_notes(ANNA) == [
            Note(5, "вторая\nсо второй строкой", 1_709_974_800),
            Note(1, "Ёлка", 1_709_812_800),
        ]
        assert [note.text for note in database.list_notes(BORIS)] == ["дело Бориса"]
        assert database.find_notes(ANNA, "елка", 10)[0] == 1
        new = database.add_note(ANNA, "новая", created_at=1, source="1/1/1")
        assert new.number == 6


def test_a_file_of_the_course_ends_in_the_shape_of_a_new_one(tmp_path: Path) -> None:
    Database(tmp_path / "new.db").close()
    Database(course_file(tmp_path / "old.db")).close()
    assert shape_of(tmp_path / "old.db") == shape_of(tmp_path / "new.db")


def test_opening_it_again_changes_nothing(tmp_path: Path) -> None:
    path = course_file(tmp_path / "a.db")
    Database(path).close()
    before = dump(path)
    for _ in range(2):
        Database(path).close()
    assert dump(path) == before


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_notes_in_other_shapes_are_taken_over(tmp_path: Path, shape: str) -> None:
    with closing(Database(course_file(tmp_path / "a.db", table_of(shape)))) as database:
        (note,) = database.list_notes(ANNA)
        assert (note.number, note.text) == (1, "мысль")
        assert note.created_at >= 1_709_812_800


SEVENTH_OF_MARCH = 1_709_812_800


@pytest.mark.parametrize(
    "time",
    [
        "1709812800", "'1709812800'", "1709812800.9", "1709812800000", "'1709812800000'", "1709812800000000",
        "1709812800000000000", "'2024-03-07 12:00:00'", "'2024-03-07T12:00:00Z'",
        "'2024-03-07T15:00:00+03:00'",
        "'07.03.2024 12:00'", "'07.03.2024, 12:00:00'",
        "'2024-03-07 12:00:00.250'", "' 2024-03-07T12:00 '",
    ],
)  # fmt: skip
def test_a_time_is_read_in_whatever_shape_it_was_written(tmp_path: Path, time: str) -> None:
    table = table_of(f"(id INTEGER PRIMARY KEY, user_id, text, created_at)|(1, 11, 'мысль', {time})")
    with closing(Database(course_file(tmp_path / "a.db", table))) as database:
        assert database.list_notes(ANNA) == [Note(1, "мысль", SEVENTH_OF_MARCH)]


@pytest.mark.parametrize(
    "odd",
    [
        "2, 11, 'мысль', NULL", "2, 11, 'мысль', -5", "2, 11, 'мысль', 9e18", "2, 11, 'мысль', 9e999",
        "2, 11, 'мысль', 'вчера'", "2, 11, 'мысль', X'00FF'", "2, 11, 'мысль', '0000-00-00 00:00:00'",
        "2, 11, 'мысль', '40000-01-01'", "2, 11, 'мысль', '03/07/2024'",
        "2, 11, 'мысль', '31.02.2024 12:00'", "2, 11, 'мысль', 'nan'",
        "NULL, 11, 'мысль', 5", "1, 11, 'мысль', 5",
        "'два', 11, 'мысль', 5", "-3, 11, 'мысль', 5", "2, '11', 'мысль', 5",
    ],
)  # fmt: skip
def test_one_odd_row_blocks_no_other(tmp_path: Path, odd: str) -> None:
    rows = f"(1, 11, 'раз', 7), ({odd}), (3, 11, 'три', 9)"
    table = table_of(f"(id, user_id, text, created_at)|{rows}")
    with closing(Database(course_file(tmp_path / "a.db", table))) as database:
        notes = database.list_notes(ANNA)
        assert sorted(note.text for note in notes) == ["мысль", "раз", "три"]
        assert [note.number for note in notes if note.text != "мысль"] == [3, 1]
        assert len({note.number for note in notes}) == 3
        assert all(0 < note.created_at < migrations.LATEST_S for note in notes)


@pytest.mark.parametrize("shape", UNREADABLE.values(), ids=UNREADABLE)
def test_notes_that_cannot_be_read_stay_where_they_are(tmp_path: Path, shape: str) -> None:
    path = course_file(tmp_path / "a.db", table_of(shape))
    with closing(Database(path)) as database:
        assert database.add_note(ANNA, "новая", created_at=1, source="1/1/1").number == 1
        assert database.list_notes(ANNA) == [Note(1, "новая", 1)]
    assert "мысль" in everything_in(path)


def test_a_file_without_notes_or_with_an_empty_table_gets_them(tmp_path: Path) -> None:
    empty = "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, text TEXT);"
    for name, notes in (("none.db", ""), ("empty.db", empty)):
        with closing(Database(course_file(tmp_path / name, notes))) as database:
            assert database.add_note(ANNA, "первая", created_at=1, source="1/1/1").number == 1


def test_nothing_of_a_file_of_the_course_is_dropped(tmp_path: Path) -> None:
    path = course_file(tmp_path / "a.db")
    run_script(path, "CREATE TABLE homework (answer TEXT); INSERT INTO homework VALUES ('сорок два');")
    before = everything_in(path).splitlines()
    Database(path).close()
    after = everything_in(path)
    assert [line for line in before if line not in after] == []


def test_a_model_of_ones_own_keeps_its_id_and_the_catalogue_gives_way(tmp_path: Path) -> None:
    path = course_file(tmp_path / "a.db")
    run_script(path, "INSERT INTO models (id, key, label) VALUES (5, 'my/own:free', 'Своя')")
    with closing(Database(path)) as database:
        models = {model.id: model for model in database.list_models()}
    assert models[5].key == "my/own:free"
    assert {model.key for model in models.values()} == {*CATALOGUE, "my/own:free"}
    assert [model.id for model in models.values() if model.active] == [3]


def test_a_registry_without_an_active_model_gets_the_first(tmp_path: Path) -> None:
    path = course_file(tmp_path / "a.db")
    run_script(path, "UPDATE models SET active = 0")
    with closing(Database(path)) as database:
        assert database.get_active_model().id == 1


def test_a_registry_with_two_active_models_keeps_one_of_them(tmp_path: Path) -> None:
    path = course_file(tmp_path / "a.db")
    run_script(path, "DROP INDEX ux_models_single_active; UPDATE models SET active = id IN (2, 3)")
    with closing(Database(path)) as database:
        assert database.get_active_model().id in (2, 3)


def test_the_bot_runs_on_a_file_of_the_course(new_bot: Callable[..., Harness]) -> None:
    bot = new_bot()
    course_file(bot.db_path)
    anna = bot.start().person(ANNA)
    assert "Mistral Small 24b (free)" in anna.says("/model")
    assert "#1 · 07.03.2024" in anna.says("/note_list")
    assert "#5" in anna.says("/note_find СО ВТОРОЙ")
    assert anna.says("/note_add новая") == "Заметка #6 сохранена."


# ---- Unusable files -------------------------------------------------------------------------


def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = course_file(tmp_path / "a.db")
    run_script(path, f"PRAGMA user_version = {migrations.VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(migrations.NewerFileError):
        Database(path)
    assert path.read_bytes() == before


def test_a_step_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = course_file(tmp_path / "a.db")
    run_script(path, "CREATE TABLE people (whatever TEXT)")  # so creating the index on `owner` fails
    before = dump(path)
    with pytest.raises(sqlite3.OperationalError, match="owner"):
        Database(path)
    assert dump(path) == before
    run_script(path, "DROP TABLE people")
    with closing(Database(path)) as database:
        assert len(database.list_notes(ANNA)) == 2


def test_a_file_that_is_no_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_text("дневник\n" * 200, encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(sqlite3.DatabaseError):
        Database(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("kind", ["newer", "no database", "folder"])
def test_the_bot_says_what_is_the_matter_with_the_file_and_ends(
    new_bot: Callable[..., Harness], kind: str
) -> None:
    bot = new_bot()
    if kind == "newer":
        run_script(course_file(bot.db_path), "PRAGMA user_version = 99")
    elif kind == "no database":
        bot.db_path.write_text("дневник\n" * 200, encoding="utf-8")
    else:
        bot.db_path.mkdir()
    before = bot.db_path.read_bytes() if bot.db_path.is_file() else b""
    bot.launch()
    assert bot.exit_code() == (2 if kind == "folder" else 1)  # a folder is detected with the settings
    assert "notes.db" in bot.log
    assert len(bot.log.splitlines()) == 1
    assert (bot.db_path.read_bytes() if bot.db_path.is_file() else b"") == before
    assert bot.server.calls == []


# ---- The first start ------------------------------------------------------------------------


def test_many_first_starts_at_once_make_one_database(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        databases = list(pool.map(Database, [tmp_path / "a.db"] * 8))
    for database in databases:
        assert len(database.list_models()) == 10
        database.close()


def test_the_schema_can_be_run_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(sqlite3.connect(path)) as conn:
        for _ in range(3):
            conn.executescript(migrations.SCHEMA.read_text("utf-8"))
        assert conn.execute("SELECT count(*), sum(active) FROM models").fetchone() == (10, 1)
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# ---- Our own first version --------------------------------------------------------------------


def version_1(path: Path) -> Path:
    """Create a file as the code of commit 7b8c1f5 wrote it, with some rows imported by hand."""
    return run_script(path, (ROOT / "tests" / "data" / "version1.sql").read_text("utf-8"))


def test_a_file_of_version_1_keeps_every_note_and_finds_it(tmp_path: Path) -> None:
    with closing(Database(version_1(tmp_path / "a.db"))) as database:
        notes = {note.number: note for note in database.list_notes(ANNA)}
        assert sorted(notes) == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11]
        assert (notes[2].text, notes[2].edited_at) == ("позвонить врачам", 1_700_000_500)
        assert notes[8].created_at == notes[9].created_at == 1_700_000_000
        assert all(0 < note.created_at < migrations.LATEST_S for note in notes.values())
        for query, number in (
            ("елка", 1),
            ("врачу", 2),
            ("пушкин", 3),
            ("5 кг", 4),
            ("38k2580", 5),
            ("#дом", 6),
        ):
            assert [hit.note.number for hit in database.find_notes(ANNA, query, 5)[1]] == [number]
        notebook = Notebook(database)
        assert [note.number for note in notebook.trash(ANNA, 5)[1]] == [7]
        assert notebook.restore_note(ANNA, 7).text == "C++ и 50%"
        assert notebook.tags(ANNA) == [("дом", 1)]
        assert database.add_note(ANNA, "новая", created_at=1, source="update 1000").number == 12
        assert database.get_active_model().id == 3
        assert [entry.body["update_id"] for entry in Journal(database).unanswered()] == [8]
        turn = Dialogue(database).in_message(ANNA, 5)
        assert turn
        assert (turn.question, turn.answer) == ("вопрос", "ответ")


def test_a_file_of_version_1_ends_in_the_shape_of_a_new_one(tmp_path: Path) -> None:
    Database(tmp_path / "new.db").close()
    Database(version_1(tmp_path / "old.db")).close()
    assert shape_of(tmp_path / "old.db") == shape_of(tmp_path / "new.db")
    before = dump(tmp_path / "old.db")
    Database(tmp_path / "old.db").close()
    assert dump(tmp_path / "old.db") == before


def test_signs_are_found_in_a_file_of_version_2_which_had_none_in_its_index(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(Database(path)) as database:
        database.add_note(ANNA, "ура !!!", created_at=1, source="m 1")
    run_script(
        path,
        "DELETE FROM words WHERE word = '!!!';"
        "UPDATE vocabulary SET words = replace(words, '!!!' || char(10), '');"
        "PRAGMA user_version = 2;",
    )
    with closing(Database(path)) as database:
        assert [database.find_notes(ANNA, query, 1)[0] for query in ("!!", "ура")] == [1, 1]


KILLED = """
import os, sys
from storage import word_index
add_many, left = word_index.add_many, [int(sys.argv[2])]
def dying(*args):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), 9)
    add_many(*args)
word_index.add_many = dying
from db import Database
Database(sys.argv[1])
"""


def test_what_the_owner_of_a_file_of_version_1_has_added_stays_listed(tmp_path: Path) -> None:
    path = version_1(tmp_path / "a.db")
    run_script(path, "UPDATE models SET gone_at = 1, paid = id = 7")
    with closing(Database(path)) as database:
        active = database.get_active_model().id
        assert {model.id for model in database.list_models()} == {active, 7}, "and the one that was added"


def test_whoever_is_killed_while_notes_are_made_found_goes_on_there(tmp_path: Path) -> None:
    path = version_1(tmp_path / "a.db")
    numbers = "WITH RECURSIVE n (i) AS (VALUES (12) UNION ALL SELECT i + 1 FROM n WHERE i < 9000)"
    run_script(
        path, f"{numbers} INSERT INTO notes (user_id, number, text, folded, created_at) SELECT 11, i,"
        " 'слово' || i, '', 1 FROM n",
    )  # fmt: skip
    for batches in (0, 1, 1):
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(path), str(batches)], cwd=ROOT, check=False, timeout=120
        )
        assert killed.returncode == -signal.SIGKILL
    with closing(Database(path)) as database:
        assert database.count_notes(ANNA) == 8999
        assert database.find_notes(ANNA, "слово", 1)[0] == 8989
        assert database.find_notes(ANNA, "слово8999", 5)[0] == 1


@pytest.mark.parametrize("kind", ["into a new file", "the table alone"])
def test_notes_that_are_copied_without_their_words_are_found(tmp_path: Path, kind: str) -> None:
    with closing(Database(tmp_path / "a.db")) as database:
        for text in ("ёлка", "врачам"):
            database.add_note(ANNA, text, created_at=5, source=text)
    if kind == "into a new file":
        Database(tmp_path / "b.db").close()
        copy = "INSERT INTO notes SELECT * FROM old.notes"
    else:
        copy = "CREATE TABLE notes AS SELECT * FROM old.notes"
    run_script(tmp_path / "b.db", f"ATTACH '{tmp_path / 'a.db'}' AS old; {copy}")
    with closing(Database(tmp_path / "b.db")) as database:
        assert [note.number for note in database.list_notes(ANNA)] == [2, 1]
        assert database.find_notes(ANNA, "врачу", 5)[0] == database.find_notes(ANNA, "елка", 5)[0] == 1
        assert database.add_note(ANNA, "ёлка", created_at=5, source="ёлка").number == 1


def test_notes_that_somebody_deleted_by_hand_are_not_found(tmp_path: Path) -> None:
    with closing(Database(tmp_path / "a.db")) as database:
        for text in ("ёлка", "врачам"):
            database.add_note(ANNA, text, created_at=5, source=text)
    run_script(tmp_path / "a.db", "DELETE FROM notes WHERE number = 1")
    with closing(Database(tmp_path / "a.db")) as database:
        assert database.find_notes(ANNA, "ёлка", 5) == (0, [])
        assert database.find_notes(ANNA, "врачу", 5)[0] == 1


def test_a_time_that_is_none_cannot_get_in(tmp_path: Path) -> None:
    Database(tmp_path / "a.db").close()
    for time in ("'вчера'", "1700000000000", "-1", "NULL", "1.5"):
        with pytest.raises(sqlite3.IntegrityError):
            run_script(
                tmp_path / "a.db",
                f"INSERT INTO notes (user_id, number, text, created_at) VALUES (1, 1, 'x', {time})",
            )
