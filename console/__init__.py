"""The terminal: a second door beside Telegram."""
