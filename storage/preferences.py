"""Values kept per person, by name: choices of /settings, progress of long works."""

from db import Database


class Preferences:
    """The table `preferences` of a Database."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def get(self, user_id: int, name: str, default: str = "") -> str:
        """Return a person's value, or the default."""
        row = self._db.row("SELECT value FROM preferences WHERE user_id = ? AND name = ?", user_id, name)
        return row[0] if row else default

    def put(self, user_id: int, name: str, value: str) -> None:
        """Save a person's value."""
        with self._db.write() as conn:
            conn.execute(
                "INSERT OR REPLACE INTO preferences (user_id, name, value) VALUES (?, ?, ?)",
                (user_id, name, value),
            )
