"""The tables besides notes and models, one module each, on top of the Database in `db`."""
