"""A strict Bot API server on loopback: the terminal's Telegram, and the tests'.

It knows nothing of the bot. `server` is the door to the rest.
"""
