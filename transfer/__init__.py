"""Notes to files and back, one module per format. Nothing here calls Telegram or the database."""
