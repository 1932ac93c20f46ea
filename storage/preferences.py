"""Scaffold."""

from db import Database


class Preferences:
    """Scaffold."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, user_id: int, key: str, default: str = "") -> str:
        """Scaffold."""
        with self._db.read() as conn:
            row = conn.execute(
                "SELECT value FROM preferences WHERE user_id = ? AND name = ?", (user_id, key)
            ).fetchone()
        return row[0] if row else default

    def put(self, user_id: int, key: str, value: str) -> None:
        """Scaffold."""
        with self._db.write() as conn:
            conn.execute("REPLACE INTO preferences VALUES (?, ?, ?)", (user_id, key, value))
