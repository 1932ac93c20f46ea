"""The living part of the registry: what the service offers now, what the owner adds, how it fares.

`Database` lists and switches the models; this keeps the list true. A model's id is never used again: rows
stay, marked as gone (the service's doing) or as removed (the owner's).
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
    """How a model did lately; `ms` is the mean of its answers."""

    label: str
    asked: int
    failed: int
    ms: int | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a model was asked, for `Dialogue.finish`; `failed` means by its own fault."""

    model_id: int
    ms: int
    tokens: int = 0
    failed: bool = False


class Registry:
    """The tables `models` and `attempts` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def sync(self, listed: Sequence[RemoteModel], *, free_only: bool) -> bool:
        """Make the registry what the service lists, and say whether it was a list.

        An empty one is taken for a failed reading and changes nothing.
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
                if model.free or not free_only:
                    _upsert(conn, model)
                else:
                    conn.execute("UPDATE models SET gone_at = NULL WHERE key = ? AND paid", (model.key,))
            _replace_active(conn, tell=True)
        return True

    def sync_fallback(self, model: RemoteModel | None) -> None:
        """Make this model (or none) the row of the second service; that of earlier settings is gone."""
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
        """Return the models with that in their key or label; only available ones if there are any."""
        wanted = part.casefold()
        hits = [m for m in self._db.list_models() if wanted in f"{m.key}\n{m.label}".casefold()]
        return [model for model in hits if model.available] or hits

    def substitutes(self, model: Model, needs: frozenset[str]) -> list[Model]:
        """Return the free models of the first service to ask instead, the next ones first.

        OpenRouter's router is among them only if fewer than two others are left: it picks one of them itself.
        """
        able = [m for m in self._db.list_models() if m.available and needs <= m.inputs]
        free = [m for m in able if not m.paid and not is_fallback(m.key)]
        others = sorted((m for m in free if m.id != model.id), key=lambda m: (m.id < model.id, m.id))
        named = [other for other in others if other.key != FREE_ROUTER]
        return named if len(named) > 1 else others

    def fallback(self) -> list[Model]:
        """Return the model of the second service if it can be asked."""
        return [m for m in self._db.list_models() if m.available and is_fallback(m.key)]

    def add(self, model: RemoteModel, *, paid: bool) -> Model:
        """Add a model, or take back one that was removed."""
        with self._db.write() as conn:
            _upsert(conn, model)
            return _restore(conn, "key = ?", model.key, paid=paid)

    def offer(self, model: RemoteModel) -> Model:
        """Note a model that costs, without adding it: that takes a `restore`."""
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
        """Take back a model that was removed or only offered; raises UnknownModelError."""
        with self._db.write() as conn:
            return _restore(conn, "id = ?", model_id)

    def remove(self, model_id: int) -> Model:
        """Put a model away until the owner adds it again; raises UnknownModelError."""
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
        """Note that nobody offers a model any more, until the service lists it again."""
        with self._db.write() as conn:
            conn.execute(
                "UPDATE models SET gone_at = ? WHERE id = ? AND gone_at IS NULL", (int(time.time()), model.id)
            )
            _replace_active(conn, tell=True)

    def replaced(self) -> str:
        """Return the key of the model that was active until it was gone; empty once somebody has chosen."""
        return self._replaced("model_switch")

    def replaced_untold(self) -> str:
        """Return the same once: for the first answer after it."""
        key = self._replaced("model_switch_untold")
        if key:
            with self._db.write() as conn:
                conn.execute("DELETE FROM facts WHERE name = 'model_switch_untold'")
        return key

    def _replaced(self, fact: str) -> str:
        """Return the key that a fact holds, unless that model has come back meanwhile."""
        query = "SELECT value FROM facts JOIN models ON key = value WHERE name = ? AND gone_at IS NOT NULL"
        row = self._db.row(query, fact)
        return row[0] if row else ""

    # How the models do

    def usage(self, since: int, user_id: int | None) -> tuple[int, int]:
        """Return how many questions were asked and tokens used since then, by one person or by all."""
        who = "(?2 IS NULL OR user_id = ?2)"
        asked, tokens = self._db.row(
            f"SELECT (SELECT count(*) FROM turns WHERE asked_at >= ?1 AND {who}),"
            f" (SELECT total(tokens) FROM attempts WHERE at >= ?1 AND {who})",
            since,
            user_id,
        )
        return asked, int(tokens)

    def records(self, since: int) -> list[Record]:
        """Return how each model did since then, the busiest first."""
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
    """Note, within a transaction, that models were asked; what is older than a month is forgotten."""
    now = int(time.time())
    conn.execute("DELETE FROM attempts WHERE at < ?", (now - KEEP_ATTEMPTS_S,))
    conn.executemany(
        "INSERT INTO attempts (at, user_id, model_id, ms, tokens, failed) VALUES (?, ?, ?, ?, ?, ?)",
        [(now, user_id, one.model_id, one.ms, one.tokens, one.failed) for one in attempts],
    )


def _upsert(conn: sqlite3.Connection, model: RemoteModel) -> None:
    """Add a model or note what is known of it now; its label and whether it was removed are the owner's."""
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
    # In an empty registry the first model is active, even a paid one: the owner has just chosen it.
    conn.execute(
        "UPDATE models SET active = 1 WHERE id = ? AND NOT EXISTS (SELECT 1 FROM models WHERE active)",
        (restored.id,),
    )
    return restored


def _replace_active(conn: sqlite3.Connection, *, tell: bool) -> None:
    """Make the first free model on offer the active one if the active one is gone; with none it stays.

    One that the owner removed cannot stay: then a model that costs or is gone takes its place, if need be.
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
    """Return the id of the first model that can be asked for nothing, that of the second service last."""
    row = conn.execute(
        "SELECT id FROM models WHERE removed_at IS NULL AND gone_at IS NULL AND NOT paid AND NOT active"
        f" ORDER BY {_IS_FALLBACK}, id LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def _first_of_any_kind(conn: sqlite3.Connection) -> int | None:
    """Return the id of a model that the owner kept: on offer rather than gone, free rather than paid."""
    row = conn.execute(
        "SELECT id FROM models WHERE removed_at IS NULL AND NOT active"
        " ORDER BY gone_at IS NOT NULL, paid, id LIMIT 1"
    ).fetchone()
    return row[0] if row else None
