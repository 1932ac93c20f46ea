"""What keeps the bot running for months without a hand: copies, health, checks, the way to systemd."""
