"""A strict Bot API server on loopback: the Telegram of the tests and of the bench.

It knows nothing of the bot, and the bot nothing of it. `server` is the door to the rest.
"""
