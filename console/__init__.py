"""The terminal, a replacement for Telegram."""
