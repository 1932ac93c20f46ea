"""What keeps the bot running unattended for months: copies, health, checks, systemd."""
