"""The tables of a person's collection. Everything that lists them reads this list or PostgreSQL's catalogue.

It is not in schema.py because the server needs it, and does not import SQLAlchemy, to start quickly.
"""

from collections.abc import Mapping
from types import MappingProxyType

# Each table stands after those that its rows belong to; the value is what a row of it is called.
# The rows of these tables are logged, so that a change of them can be shown and undone.
COLLECTION: Mapping[str, str] = MappingProxyType(
    {
        "images": "image",
        "categories": "category",
        "items": "item",
        "threads": "thread",
        "candidates": "candidate",
        "criteria": "criterion",
        "scores": "score",
        "setups": "setup",
        "setup_items": "setup line",
        "shares": "share",
        "settings": "setting",
    }
)
# Triggers and the log write these. Like those of a collection, their rows belong to one user each.
DERIVED = ("item_words", "category_words", "item_sums", "changes", "row_changes")
# The tables in which row level security shows each user only their own rows.
PROTECTED = (*COLLECTION, *DERIVED)
