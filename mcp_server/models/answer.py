"""Answers: how large they may be, and rows whose long texts are cut."""

import re

from pydantic import BaseModel

from mcp_server.models.fields import Row

# Bytes of the text of an answer, and of its structured content.
LARGEST = 256 * 1024
# Bytes that services fill. The rest is for the change of a write and the headers of tables.
MOST = 240_000
# Rows of a list that has no limit of its own.
MOST_ROWS = 100
# Characters of a long text in a list or a comparison, and in a row that is too large with whole texts.
EXCERPT, LONGEST = 1000, 4000
# Characters of a whole text: notes have at most as many bytes.
WHOLE = 65536
TEXTS = ("pros", "cons", "notes", "product_url")
# Characters that take up to five bytes more in a table than in JSON.
ESCAPED = re.compile(r"[\x7f-\x9f\u2028\u2029]")


class Abridged(Row):
    """A row whose long texts may be cut. They end in `…`, and `cut` names them."""

    cut: tuple[str, ...] = ()


def size(result: BaseModel) -> int:
    """Return the bytes that a result takes as text or as structured content, whichever is larger."""
    text = result.model_dump_json(exclude_none=True, exclude_defaults=True)
    # Most texts are ASCII, where a single character is escaped. Counting one takes a fraction of the time.
    escaped = text.count("\x7f") if text.isascii() else len(ESCAPED.findall(text))
    return len(text.encode()) + 5 * escaped
