"""What a person can say and what the bot answers. The order of the imports is the order of the menu."""

from handlers import basics, notes, models, ask, usage, cards, trash, tags  # noqa: F401, I001
from handlers import preferences, manage_models, people, backup  # noqa: F401
