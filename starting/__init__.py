"""Before the bot works: its arguments, its `.env`, and what it needs around it."""
