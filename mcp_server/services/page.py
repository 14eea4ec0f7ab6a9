"""Pages: as many rows as fit into an answer, and cursors to the next ones."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeAlias, TypeVar
from zlib import crc32

from psycopg import AsyncConnection
from psycopg.abc import QueryNoTemplate
from psycopg.rows import class_row, kwargs_row
from pydantic import ConfigDict, TypeAdapter

from db.messages import Connection, Read
from db.query import fetch_only
from mcp_server.errors import InvalidInput
from mcp_server.models.answer import LONGEST, MOST, TEXTS, Abridged, size
from mcp_server.models.fields import Row

Result = TypeVar("Result", bound=Row)
Text = TypeVar("Text", bound=Abridged)
Model = TypeVar("Model")
Count = TypeVar("Count")
# The values by which a list is sorted. The last one is unique.
Place: TypeAlias = list[str | int | float]

# Rows of a page of setups, lines, categories or threads.
DEFAULT_LIMIT = 200
# A checksum of the arguments, and the place of the last row.
CURSOR = TypeAdapter(tuple[int, Place], config=ConfigDict(strict=True))


@dataclass(frozen=True)
class Found(Generic[Model]):
    """The rows of a page, and one more if there are more; their places; the number of all rows from here."""

    rows: list[Model]
    places: list[Place]
    remaining: int


async def fetch_page(
    conn: AsyncConnection, model: Callable[..., Model], query: QueryNoTemplate, params: Mapping[str, Any]
) -> Found[Model]:
    """Run a statement whose columns are those of a *model*, `place` and, if it counts them, `remaining`."""
    async with conn.cursor(row_factory=kwargs_row(partial(split, model))) as cursor:
        await cursor.execute(query, params)
        return found_in(await cursor.fetchall())


async def fetch_counted(
    conn: AsyncConnection,
    count: type[Count],
    counting: QueryNoTemplate,
    model: Callable[..., Model],
    query: QueryNoTemplate,
    params: Mapping[str, Any],
) -> tuple[Count, Found[Model]]:
    """Return a page like *fetch_page*, and the one row of another statement, in one message if possible."""
    if not isinstance(conn, Connection):
        return await fetch_only(conn, count, counting, params), await fetch_page(conn, model, query, params)
    counted, rows = await conn.fetch_together(
        Read(class_row(count), counting, params), Read(kwargs_row(partial(split, model)), query, params)
    )
    return counted[0], found_in(rows)


def found_in(found: Sequence[tuple[Model, Place, int]]) -> Found[Model]:
    return Found(
        [row for row, _, _ in found],
        [place for _, place, _ in found],
        found[0][2] if found else 0,
    )


def split(
    model: Callable[..., Model], *, place: Place, remaining: int = 0, **fields: Any
) -> tuple[Model, Place, int]:
    return model(**fields), place, remaining


class Cursors:
    """The cursors of one list. They are only valid for the same tool with the same arguments."""

    def __init__(self, *arguments: object, keys: Sequence[str]) -> None:
        self._checksum = crc32(repr(arguments).encode())
        self._keys = keys

    def read(self, cursor: str) -> dict[str, Any]:
        """Return the parameters `after_…` with the place of the last row of the previous page, if any."""
        if not cursor:
            return {f"after_{key}": None for key in self._keys}
        try:
            checksum, place = CURSOR.validate_json(
                base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
            )
        except ValueError:
            checksum, place = None, Place()
        if checksum != self._checksum or len(place) != len(self._keys):
            raise InvalidInput(
                "cursor: not the next_cursor of a page with this sort and these filters. "
                "Omit it to start again."
            )
        return {f"after_{key}": value for key, value in zip(self._keys, place, strict=True)}

    def next(self, places: Sequence[Place], shown: int) -> str | None:
        """Return the cursor of the next page if *shown* of the rows at these places are on this one."""
        if shown == len(places):
            return None
        content = CURSOR.dump_json((self._checksum, places[shown - 1]))
        return base64.urlsafe_b64encode(content).decode().rstrip("=")


def fit(
    result: Result,
    rows: str,
    left_out: Callable[[int], Mapping[str, Any]],
    *,
    least: int = 1,
    most: int = MOST,
) -> Result:
    """Return a result with as many of its *rows* as fit, and the fields that say what is left out then.

    A page has at *least* one row, so that its cursor leads further.
    """
    found: Sequence[Any] = getattr(result, rows)

    def first(count: int) -> Result:
        return result.model_copy(update={rows: found[:count], **left_out(count)})

    fits, too_many = min(least, len(found)), len(found) + 1
    trial, guesses = len(found), 4
    while fits + 1 < too_many:
        taken = size(first(trial))
        if taken <= most:
            fits = trial
        else:
            too_many = trial
        # Rows are usually about as large as one another. If not, halve what is left.
        guess = trial * most // taken if guesses else (fits + too_many) // 2
        trial, guesses = max(fits + 1, min(guess, too_many - 1)), max(guesses - 1, 0)
    return first(fits)


def whole(row: Text) -> Text:
    """Return a row with its whole texts if they fit. With many characters that JSON escapes, they may not."""
    if size(row) <= MOST:
        return row
    texts = {name: str(getattr(row, name, None) or "") for name in TEXTS}
    cut = {name: f"{text[:LONGEST]}…" for name, text in texts.items() if len(text) > LONGEST}
    return row.model_copy(update={**cut, "cut": tuple(cut)})
