"""The parts of `openrouter_client`; other code imports only that."""
