"""From a question to the answer that a person sees grow.

`questions` decides whose turn it is, `asking` puts a question to models, `conversation` builds what they
read, `media` reads the photos and files, `answering` is what the person sees, and `screen` the messages
that show it.
"""
