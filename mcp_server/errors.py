"""Errors that an agent can act on. Each class is a code; each message says what to do."""

import difflib
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import ClassVar

import psycopg
from psycopg_pool import PoolTimeout, TooManyRequests
from pydantic import ValidationError

# Places that an error names. Characters of a path and of a name that it shows.
MOST_PLACES = 10
LONGEST_PATH, LONGEST_NAME = 100, 80
# Known words that an unknown one is compared with.
MOST_COMPARED = 1000


class AppError(Exception):
    """An error whose text is sent to the caller: `[code] message`."""

    code: ClassVar[str]

    def __str__(self) -> str:
        return f"[{self.code}] {super().__str__()}"


class NotFound(AppError):
    code = "not_found"


class InvalidInput(AppError):
    code = "invalid_input"


class Conflict(AppError):
    code = "conflict"


class InUse(AppError):
    code = "in_use"


class ReadOnly(AppError):
    code = "read_only"


class Forbidden(AppError):
    code = "forbidden"


class InsufficientScope(AppError):
    """The key or the client has read access only."""

    code = "insufficient_scope"


class Busy(AppError):
    code = "busy"


class TimedOut(AppError):
    code = "timeout"


class Unavailable(AppError):
    code = "unavailable"


class StorageFull(AppError):
    code = "storage_full"


class Internal(AppError):
    """A bug. The log has its details, under the id in the message."""

    code = "internal"


def no_such(noun: str, row_id: int) -> NotFound:
    """Return the error for a row that does not exist, was deleted, or belongs to another user."""
    shown_by = {"candidate": "get_thread", "image": "get_item or get_thread"}
    return NotFound(f"No {noun} {row_id}. Call {shown_by.get(noun, f'list_{plural(noun)}')} to find its id.")


def in_list(ids: Sequence[int]) -> str:
    """Format ids as `1, 2, 3`, at most 20 of them."""
    more = f" and {len(ids) - 20} more" if len(ids) > 20 else ""
    return f"{', '.join(map(str, ids[:20]))}{more}"


def shortlist(parts: Sequence[str]) -> str:
    """Join the first ten *parts*, and count the others."""
    more = [f"and {len(parts) - 10} more"] if len(parts) > 10 else []
    return ", ".join([*parts[:10], *more])


def plural(noun: str) -> str:
    if noun == "criterion":
        return "criteria"
    return f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"


def quoted(text: str | int) -> str:
    """Return `"Tents. SYSTEM: the …"`: text of a caller or a row, cut and without control characters.

    An agent reads errors, so it must see where the text of another person starts and ends. Ids have none.
    """
    if isinstance(text, int):
        return str(text)
    characters = (QUOTES.get(character) or printable(character) for character in cut(text, LONGEST_NAME))
    return f'"{"".join(characters)}"'


# Only these may appear escaped in the quotes; `printable` replaces all others that are not printable.
QUOTES = {'"': '\\"', "\n": "\\n", "\t": "\\t"}


def cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def printable(text: str, instead: str = "\ufffd") -> str:
    """Replace characters that a terminal or a reader would obey: control characters and text directions."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else instead for character in text)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ` Did you mean …?` with the nearest of the *known* words, or an empty string."""
    # Comparing more, or longer words, would take seconds.
    by_key = {name.casefold(): name for name in islice(known, MOST_COMPARED)}
    near = difflib.get_close_matches(word[:LONGEST_PATH].casefold(), by_key, 2)
    return f" Did you mean {' or '.join(quoted(by_key[key]) for key in near)}?" if near else ""


def from_exception(error: BaseException) -> AppError | None:
    """Translate an exception from a service. Return None for an unexpected one, which is a bug."""
    if isinstance(error, AppError):
        return error
    if isinstance(error, TooManyRequests):
        return Busy("Too many calls are waiting for the database. Retry in a few seconds.")
    if isinstance(error, PoolTimeout):
        return Unavailable("The database is unavailable or overloaded. Retry in a few seconds.")
    if isinstance(error, UnicodeEncodeError | psycopg.DataError):
        return InvalidInput(
            "A value is out of range, or text contains invalid characters. Correct it and retry."
        )
    if isinstance(error, psycopg.Error):
        return from_sqlstate(error)
    return None


def from_validation(error: ValidationError) -> InvalidInput:
    """Return `weight: must be …; changes.name: …`: invalid fields and the reasons, without their values.

    Of many, only the first ones are named.
    """
    problems = in_words(error)
    rest = error.error_count() - len(problems)
    more = f"; and {rest:,} more" if rest else ""
    return InvalidInput(f"{'; '.join(problems)}{more}.")


def in_words(error: ValidationError) -> list[str]:
    """Return a reason for each of the first invalid fields."""
    words = {
        "missing": "is required",
        "extra_forbidden": "no such field",
        "unexpected_keyword_argument": "no such argument",
    }
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    return [
        f"{shown_path('.'.join(map(str, problem['loc'])))}: "
        f"{words.get(problem['type']) or reworded(problem['msg'])}"
        for problem in problems[:MOST_PLACES]
    ]


def shown_path(path: str) -> str:
    """Return the path of a field as an error shows it. Its names may come from the caller."""
    return printable(cut(path, LONGEST_PATH))


def reworded(message: str) -> str:
    message = message.removeprefix("Value error, ").replace("dictionary", "object")
    return re.sub(r"^(Input|String|List) should ", "must ", message).partition(" after validation")[0]


def from_sqlstate(error: psycopg.Error) -> AppError | None:
    state = error.sqlstate or ""
    # An OperationalError without a state is a connection that was lost.
    if (
        state.startswith("08")
        or state in ("57P01", "57P02", "57P03")
        or type(error) is psycopg.OperationalError
    ):
        return Unavailable("The database does not respond. Retry in a few seconds.")
    match state:
        case "25006":
            return ReadOnly("The database is read-only at the moment. Retry in a few seconds.")
        case "40001" | "40P01":
            return Conflict("Another transaction wrote the same rows. Retry.")
        case "55P03" | "57014" | "25P03":
            return TimedOut("The database took too long. Retry, or request less at once.")
        case "53100":
            return StorageFull("The disk of the database is full. Tell the administrator.")
        case "53200" | "53300":
            return Busy("The database is overloaded. Retry in a few seconds.")
        case "23505":
            return Conflict(f"Another row already has this {field_of(error)}. Choose a different one.")
        case "23502":
            return InvalidInput(f"{error.diag.column_name}: must not be empty.")
        case "23503":
            gone = field_of(error).removesuffix("_id").removeprefix("user_").rpartition("_")[2]
            return NotFound(f"The {gone} was deleted in the meantime. Look it up again, then retry.")
        case "23514":
            return InvalidInput(f"{field_of(error)}: is not a valid value. Correct it and retry.")
        case _:
            return None


def field_of(error: psycopg.Error) -> str:
    """Return the field of a violated constraint, from its name: ck_items_weight_grams."""
    name, table = error.diag.constraint_name or "", error.diag.table_name or ""
    return name.removeprefix(name[:3]).removeprefix(f"{table}_").removeprefix("user_id_") or "value"
