"""What runs on the board before anything is installed there: Python's own library, nothing else.

Sent as source text over the connection and never stored; ``probe.py`` runs on any Python 3,
the others, which need 3.10, after it has said that this is what the board has.
"""
