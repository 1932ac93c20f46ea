"""All that knows Telegram: one call, delivery, what an update says, text and entities."""
