"""Messages as text, before they are parsed: how many values they hold, their id, and their rejection."""

import json
import re
from collections.abc import Iterator
from itertools import islice

from mcp.types import ErrorData, JSONRPCError, RequestId

# Values that a message may hold. Lists and objects count, as do the values in them.
MOST_VALUES = 50_000
TOO_MANY = f"more than {MOST_VALUES:,} values"
# Values that are counted at a time, which takes less than a millisecond.
STEP = 2_000
# Characters of a text that are read at a time.
BLOCK = 2**18
# Characters at each end of a text, enough to find its id.
KEPT = 1000

# Up to the next character outside of strings that starts a list or an object, or separates values. Each match
# starts where the last one ended and cannot backtrack, so that all of them read the text once.
NEXT_VALUE = re.compile(r'(?:[^"\[{,]++|"(?:[^"\\]++|\\.)*+"?)*+(?:[\[{,]|\Z)', re.DOTALL)

SCALAR = r'("[^"\\\x00-\x1f]*"|-?\d{1,18})'
ID = rf'"id"\s*:\s*(?P<id>{SCALAR})'
FIELD = rf'"\w+"\s*:\s*{SCALAR}'
# An id with only scalars before it, or only scalars after it, is the id of the message.
FIRST_ID = re.compile(rf"\s*\{{\s*({FIELD}\s*,\s*)*?{ID}\s*[,}}]")
LAST_ID = re.compile(rf"{ID}\s*(,\s*{FIELD}\s*)*\}}\s*$")


def has_too_many_values(text: str) -> bool:
    """Whether JSON holds more than MOST_VALUES values. Reading stops there.

    Parsing millions of empty lists takes seconds, during which no other call is served.
    """
    return any(crowded for crowded in counted(text))


def counted(text: str) -> Iterator[bool]:
    """Count the values of JSON in steps, and yield after each whether there are more than MOST_VALUES."""
    signs = 0
    for start in range(0, len(text), BLOCK):
        if start:
            yield False
        # Signs in strings are counted too, which is faster. Few texts have too many of them.
        signs += sum(text.count(sign, start, start + BLOCK) for sign in "[{,")
        if signs >= MOST_VALUES:
            break
    else:
        return
    matches, left = NEXT_VALUE.finditer(text), MOST_VALUES + 1
    while left >= 0 and (read := sum(1 for _ in islice(matches, STEP))):
        left -= read
        # The outermost value and the end of the text have a match too.
        yield left < 0


def id_at_an_end(text: str) -> RequestId | None:
    """Return the id of a message that is before or after all nested values."""
    found = FIRST_ID.match(text[:KEPT]) or LAST_ID.search(text[-KEPT:])
    return found and json.loads(found["id"])


def rejection(code: int, reason: str, request_id: RequestId | None) -> JSONRPCError:
    message = f"Invalid message: {reason}. Nothing was done. Correct it and send it again."
    return JSONRPCError(jsonrpc="2.0", id=request_id, error=ErrorData(code=code, message=message))
