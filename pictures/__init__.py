"""Draws numbers as PNGs. Nothing here knows whose numbers they are."""
