"""The way of an update: read, handled in its chat's lane, and resumed after a restart."""
