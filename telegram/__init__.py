"""Everything that knows Telegram: API calls, delivery, reading of updates, text and entities."""
