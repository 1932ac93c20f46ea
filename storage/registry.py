"""Updates of the model registry: what the service offers, what the owner adds, how reliable models are.

`Database` lists and switches the models; this module keeps the list up to date. Model ids are never reused:
rows stay, marked as gone (by the service) or as removed (by the owner).
"""

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from db import MODEL_COLUMNS, Database, Model, found_model, read_model
from openrouter_client import FALLBACK, FREE_ROUTER, RemoteModel, is_fallback

_IS_FALLBACK = f"key GLOB '{FALLBACK}*'"
KEEP_ATTEMPTS_S = 30 * 86_400


@dataclass(frozen=True, slots=True)
class Record:
    """A model's recent record; `ms` is the mean time of its successful answers."""

    label: str
    asked: int
    failed: int
    ms: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request to a model; `failed` means by the model's own fault."""

    model_id: int
    ms: int
    tokens: int = 0
    failed: bool = False


class Registry:
    """The tables `models` and `attempts` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def sync(self, listed: Sequence[RemoteModel]) -> bool:
        """Update the registry from the service's list; return whether the list was usable.

        A list without usable models counts as a failed request and changes nothing.
        """
        offered = [model for model in listed if model.usable]
        if not offered:
            return False
        now = int(time.time())
        with self._db.write() as conn:
            conn.execute(
                f"UPDATE models SET gone_at = ? WHERE gone_at IS NULL AND NOT {_IS_FALLBACK}", (now,)
            )
            for model in offered:
                if model.free:
                    _upsert(conn, model)
                else:
                    conn.execute("UPDATE models SET gone_at = NULL WHERE key = ? AND paid", (model.key,))
            _replace_active(conn, tell=True)
        return True

    def sync_fallback(self, model: RemoteModel | None) -> None:
        """Save the second service's model, if any; its rows from earlier settings are marked as gone."""
        with self._db.write() as conn:
            conn.execute(
                f"UPDATE models SET gone_at = ? WHERE gone_at IS NULL AND {_IS_FALLBACK} AND key IS NOT ?",
                (int(time.time()), model and model.key),
            )
            if model:
                _upsert(conn, model)
                conn.execute("UPDATE models SET label = ? WHERE key = ?", (model.label, model.key))
            _replace_active(conn, tell=True)

    def find(self, part: str) -> list[Model]:
        """Return the models with `part` in their key or label; only the available ones if there are any."""
        wanted = part.casefold()
        hits = [m for m in self._db.list_models() if wanted in f"{m.key}\n{m.label}".casefold()]
        return [model for model in hits if model.available] or hits

    def substitutes(self, model: Model, needs: frozenset[str]) -> list[Model]:
        """Return the first service's free models to ask instead, beginning after this model's id.

        OpenRouter's router, which picks a model itself, is included only if fewer than two others are left.
        """
        able = [m for m in self._db.list_models() if m.available and needs <= m.inputs]
        free = [m for m in able if not m.paid and not is_fallback(m.key)]
        others = sorted((m for m in free if m.id != model.id), key=lambda m: (m.id < model.id, m.id))
        named = [other for other in others if other.key != FREE_ROUTER]
        return named if len(named) > 1 else others

    def fallback(self) -> list[Model]:
        """Return the second service's model as a list: empty if it is not available."""
        return [m for m in self._db.list_models() if m.available and is_fallback(m.key)]

    def add(self, model: RemoteModel, *, paid: bool) -> Model:
        """Add a model, or restore a removed one."""
        with self._db.write() as conn:
            _upsert(conn, model)
            return _restore(conn, "key = ?", model.key, paid=paid)

    def offer(self, model: RemoteModel) -> Model:
        """Save a paid model without adding it; `restore` adds it."""
        with self._db.write() as conn:
            conn.execute(
                "INSERT INTO models (key, label, paid, removed_at) VALUES (?, ?, 1, ?)"
                " ON CONFLICT DO NOTHING",
                (model.key, model.label, int(time.time())),
            )
            _upsert(conn, model)
            row = conn.execute(f"SELECT {MODEL_COLUMNS} FROM models WHERE key = ?", (model.key,)).fetchone()
        return read_model(row)

    def restore(self, model_id: int) -> Model:
        """Restore a model that was removed or only offered; raises UnknownModelError."""
        with self._db.write() as conn:
            return _restore(conn, "id = ?", model_id)

    def remove(self, model_id: int) -> Model:
        """Remove a model until the owner adds it again; raises UnknownModelError."""
        with self._db.write() as conn:
            row = conn.execute(
                "UPDATE models SET removed_at = ? WHERE id = ? AND removed_at IS NULL"
                f" RETURNING {MODEL_COLUMNS}",
                (int(time.time()), model_id),
            ).fetchone()
            removed = found_model(row, model_id)
            _replace_active(conn, tell=False)
        return removed

    def mark_gone(self, model: Model) -> None:
        """Mark a model as gone until the service lists it again."""
        with self._db.write() as conn:
            conn.execute(
                "UPDATE models SET gone_at = ? WHERE id = ? AND gone_at IS NULL", (int(time.time()), model.id)
            )
            _replace_active(conn, tell=True)

    def replaced(self) -> str:
        """Return the key of the active model that was replaced because it is gone; "" after a new choice."""
        return self._replaced("model_switch")

    def replaced_untold(self) -> str:
        """Return the same, but only once: for the first answer after the switch."""
        key = self._replaced("model_switch_untold")
        if not key:
            return ""
        with self._db.write() as conn:
            deleted = conn.execute("DELETE FROM facts WHERE name = 'model_switch_untold'").rowcount
        return key if deleted else ""  # another answer may have ended at the same moment

    def _replaced(self, fact: str) -> str:
        """Return the key in a fact; "" if it is not set or that model is available again."""
        query = "SELECT value FROM facts JOIN models ON key = value WHERE name = ? AND gone_at IS NOT NULL"
        row = self._db.row(query, fact)
        return row[0] if row else ""

    # Statistics

    def usage(self, since: int, user_id: int | None) -> tuple[int, int]:
        """Return the numbers of questions and tokens since then, of one person, or with None of all."""
        who = "(?2 IS NULL OR user_id = ?2)"
        asked, tokens = self._db.row(
            f"SELECT (SELECT count(*) FROM turns WHERE asked_at >= ?1 AND {who}),"
            f" (SELECT total(tokens) FROM attempts WHERE at >= ?1 AND {who})",
            since,
            user_id,
        )
        return asked, int(tokens)

    def records(self, since: int) -> list[Record]:
        """Return each model's record since then, the most asked first."""
        rows = self._db.rows(
            "SELECT label, count(*), sum(failed), avg(ms) FILTER (WHERE NOT failed)"
            " FROM attempts JOIN models ON models.id = model_id WHERE at >= ?"
            " GROUP BY model_id ORDER BY count(*) DESC, model_id",
            since,
        )
        return [
            Record(label, asked, failed, None if ms is None else round(ms))
            for label, asked, failed, ms in rows
        ]


def note_attempts(conn: sqlite3.Connection, user_id: int, attempts: Iterable[Attempt]) -> None:
    """Save attempts in the caller's transaction, and delete those older than 30 days."""
    now = int(time.time())
    conn.execute("DELETE FROM attempts WHERE at < ?", (now - KEEP_ATTEMPTS_S,))
    conn.executemany(
        "INSERT INTO attempts (at, user_id, model_id, ms, tokens, failed) VALUES (?, ?, ?, ?, ?, ?)",
        [(now, user_id, one.model_id, one.ms, one.tokens, one.failed) for one in attempts],
    )


def _upsert(conn: sqlite3.Connection, model: RemoteModel) -> None:
    """Insert a model, or update what the service reports; its label and whether it was removed stay."""
    conn.execute(
        "INSERT INTO models (key, label, context_length, inputs) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (key) DO UPDATE"
        " SET context_length = excluded.context_length, inputs = excluded.inputs, gone_at = NULL",
        (model.key, model.label, model.context_length, ",".join(sorted(model.inputs))),
    )


def _restore(conn: sqlite3.Connection, where: str, which: object, *, paid: bool | None = None) -> Model:
    row = conn.execute(
        f"UPDATE models SET removed_at = NULL, by_hand = 1, paid = coalesce(?, paid) WHERE {where}"
        f" RETURNING {MODEL_COLUMNS}",
        (paid, which),
    ).fetchone()
    restored = found_model(row, which)
    # If no model is active, this one is, even a paid one: the owner has just chosen it.
    conn.execute(
        "UPDATE models SET active = 1 WHERE id = ? AND NOT EXISTS (SELECT 1 FROM models WHERE active)",
        (restored.id,),
    )
    return restored


def _replace_active(conn: sqlite3.Connection, *, tell: bool) -> None:
    """If the active model is gone or removed, activate the first available free one; without one it stays.

    A removed model cannot stay active, so a paid or gone one replaces it if necessary.
    """
    active = conn.execute("SELECT key, gone_at, removed_at FROM models WHERE active").fetchone()
    key, gone, removed = active or ("", True, True)
    if not gone and not removed:
        return
    successor = _first_free(conn) or (_first_of_any_kind(conn) if removed else None)
    if successor is None and not removed:
        return
    conn.execute("UPDATE models SET active = 0 WHERE active")
    conn.execute("UPDATE models SET active = 1 WHERE id = ?", (successor,))
    if tell and key:
        for name in ("model_switch", "model_switch_untold"):
            conn.execute("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)", (name, key))


def _first_free(conn: sqlite3.Connection) -> int | None:
    """Return the id of the first available free model; the second service's comes last."""
    row = conn.execute(
        "SELECT id FROM models WHERE removed_at IS NULL AND gone_at IS NULL AND NOT paid AND NOT active"
        f" ORDER BY {_IS_FALLBACK}, id LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def _first_of_any_kind(conn: sqlite3.Connection) -> int | None:
    """Return the id of a model that was not removed; available before gone, free before paid."""
    row = conn.execute(
        "SELECT id FROM models WHERE removed_at IS NULL AND NOT active"
        " ORDER BY gone_at IS NOT NULL, paid, id LIMIT 1"
    ).fetchone()
    return row[0] if row else None
