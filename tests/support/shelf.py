"""A model registry in a real file, and entries that a service may list."""

import sqlite3
from contextlib import closing
from pathlib import Path

from db import Database, Model
from openrouter_client import RemoteModel
from storage.registry import Registry

FIRST = "deepseek/deepseek-chat-v3.1:free"  # in the catalogue, and active
ROUTER = "openrouter/free"
SEES = frozenset({"text", "image"})


class Shelf:
    """A model registry in a real file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.db = Database(path)
        self.registry = Registry(self.db)

    def sync(self, *keys: str) -> bool:
        """Update the registry from a list of free models."""
        return self.registry.sync([remote(key) for key in keys])

    def rows(self) -> list[str]:
        return [model.key for model in self.db.list_models()]

    def available(self) -> list[str]:
        return [model.key for model in self.db.list_models() if model.available]

    def model(self, key: str) -> Model:
        return next(model for model in self.db.list_models() if model.key == key)

    def active(self) -> str:
        return self.db.get_active_model().key

    def sql(self, query: str) -> None:
        with closing(sqlite3.connect(self.path)) as conn, conn:
            conn.execute(query)


def remote(key: str, *, free: bool = True, usable: bool = True, **more: object) -> RemoteModel:
    described = {"label": key.title(), "context_length": 8000, "inputs": frozenset({"text"}), **more}
    return RemoteModel(key=key, free=free, usable=usable, **described)  # type: ignore[arg-type]
