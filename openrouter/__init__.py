"""The parts of `openrouter_client`, which is the door to them."""
