"""Before the bot runs: the command line, `.env`, the Python and the packages it needs."""
