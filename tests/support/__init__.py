"""What the tests stand on: the bot as a process, made-up services, people who talk to it."""
