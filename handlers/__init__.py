"""What a person can say and what the bot answers. The order of the imports is the order of the menu."""

from handlers import (  # noqa: F401, I001
    basics, notes, export, stats, imports, models, ask, note_ask, brief, usage, manage_models, people, backup,
)  # fmt: skip
