"""Notes as files and back: a module for each format. Nothing here knows Telegram or the database's tables."""
