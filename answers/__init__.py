"""From a question to the answer that a person sees grow.

`questions` says whose turn it is, `asking` puts a question to models, `conversation` is what they get to
read, with the `media` that came along, `answering` is what the person sees, and `screen` the messages in
which that stands.
"""
