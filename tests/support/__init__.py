"""What the tests build on: the bot as a process, fake services, and people who talk to the bot."""
