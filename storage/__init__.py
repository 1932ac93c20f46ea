"""The tables besides notes and models, one module for each, upon the Database of `db`."""
