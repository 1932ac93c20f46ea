"""Imported last of all in the process that bots are forked from: what is there by now is theirs unchanged."""

import gc

gc.collect()
gc.freeze()
