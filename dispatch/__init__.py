"""An update on its way: read, handled in the lane of its chat, and taken up again after a restart."""
