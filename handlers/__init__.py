"""What people can say and what the bot answers. The import order is the order of the menu."""

from handlers import (  # noqa: F401, I001
    basics, notes, export, stats, models, ask, usage, cards, trash, tags, note_ask, brief, preferences,
    imports, manage_models, people, backup,
)  # fmt: skip
