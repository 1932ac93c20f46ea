"""What is drawn: numbers become a PNG. Nothing here knows whose numbers they are."""
