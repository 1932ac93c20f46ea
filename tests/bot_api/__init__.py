"""A strict Bot API server on loopback: the Telegram of the tests and of the bench.

It does not import the bot, and the bot does not import it. `server` is the entry point.
"""
