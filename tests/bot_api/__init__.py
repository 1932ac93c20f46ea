"""A strict Bot API server on loopback: the Telegram of the tests and of the bench.

It does not import the bot, nor the bot this. `server` is the entry point.
"""
