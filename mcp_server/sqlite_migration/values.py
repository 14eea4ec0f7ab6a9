"""The kinds of value: their rules, defects of values that violate them, and the flags that repair those."""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, cast
from unicodedata import is_normalized, normalize

from mcp_server.models.weight import Weighing, to_grams

MS, TEXT_TIMES = "--ms-timestamps", "--text-timestamps"
TEXT_WEIGHTS, URLS = "--text-weights", "--urls=complete"
EMPTY, NUL, UTF8 = "--empty-as-null", "--nul=strip", "--bad-utf8=replace"
TO_NOTES, MERGE = "--unreadable=to-notes", "--categories=merge"
ORPHANS, SKIP = "--orphans=as-deleted", "--skip-rejected"

# JavaScript, which wrote the old files, has no exact integers beyond this.
MAX_ID = 2**53 - 1
# 9999-12-31T23:59:59Z in seconds. A larger number is milliseconds, of a time after 1978, or invalid.
LAST_SECOND = 253402300799
# A host with at least one dot, and what may follow it.
BARE_URL = re.compile(
    r"(//)?([a-z\d]([a-z\d-]*[a-z\d])?\.)+[a-z]{2,}(:\d{1,5})?([/?#]\S*)?", re.ASCII | re.IGNORECASE
)
# The weight units that this server supports.
UNITS = ("g", "kg", "oz", "lb")
# A value as returned by SQLite. In invalid UTF-8, surrogates stand for invalid bytes.
Value: TypeAlias = int | float | str | bytes | None


class Micros(int):
    """A converted time: microseconds since 1970, where the file has seconds."""


class Defect(NamedTuple):
    """A defect of a value, and what the value becomes with *flag*. An *automatic* repair needs no flag."""

    problem: str
    flag: str | None = None
    mended: Value = None
    automatic: bool = False


class ValueKind(Protocol):
    """A kind of value, and its type in COPY."""

    wire: ClassVar[str]

    def proof(self, column: str) -> str:
        """Return an SQL comparison that is true only for values without a defect."""
        ...

    def defect(self, value: Value) -> Defect | None:
        """Return the first defect of *value*, which is not None."""
        ...


def not_a_number(value: str | bytes) -> Defect:
    if value == "":
        return Defect("empty", EMPTY)
    return Defect("text_in_number" if isinstance(value, str) else "blob")


@dataclass(frozen=True)
class Whole:
    """A whole number from *low* to *high*."""

    low: int
    high: int
    wire: ClassVar[str] = "int8"

    def proof(self, column: str) -> str:
        return f"{column} BETWEEN {self.low} AND {self.high} AND typeof({column}) = 'integer'"

    def defect(self, value: Value) -> Defect | None:
        if isinstance(value, str | bytes):
            return not_a_number(value)
        if isinstance(value, float):
            if not math.isfinite(value):
                return Defect("not_finite")
            return Defect("out_of_range" if value.is_integer() else "fraction")
        return None if value is not None and self.low <= value <= self.high else Defect("out_of_range")


@dataclass(frozen=True)
class Count(Whole):
    wire: ClassVar[str] = "int4"


@dataclass(frozen=True)
class Real:
    """A number from *low* to below *high*."""

    low: float
    high: float
    wire: ClassVar[str] = "float8"

    def proof(self, column: str) -> str:
        # SQLite reads 9e999 as infinity.
        high = "9e999" if math.isinf(self.high) else repr(self.high)
        return f"{column} >= {self.low!r} AND {column} < {high}"

    def defect(self, value: Value) -> Defect | None:
        if isinstance(value, str | bytes):
            return not_a_number(value)
        if value is None or not math.isfinite(value):
            return Defect("not_finite")
        return None if self.low <= value < self.high else Defect("out_of_range")


@dataclass(frozen=True)
class Weight(Real):
    """A weight in grams."""

    def defect(self, value: Value) -> Defect | None:
        found = super().defect(value)
        if found is None or found.problem != "text_in_number" or not isinstance(value, str):
            return found
        try:
            grams = to_grams(value)
        except ValueError:
            return found
        # An old file has no column for a margin.
        return found if isinstance(grams, Weighing) else Defect(found.problem, TEXT_WEIGHTS, grams)


@dataclass(frozen=True)
class Moment:
    """A time in seconds since 1970."""

    wire: ClassVar[str] = "timestamptz"

    def proof(self, column: str) -> str:
        return f"{column} BETWEEN 0 AND {LAST_SECOND} AND typeof({column}) = 'integer'"

    def defect(self, value: Value) -> Defect | None:
        if isinstance(value, Micros):
            return None
        if isinstance(value, str):
            return text_time(value)
        if isinstance(value, int) and LAST_SECOND < value < LAST_SECOND * 1000:
            return Defect("milliseconds", MS, Micros(value * 1000))
        return Whole(0, LAST_SECOND).defect(value)


def text_time(text: str) -> Defect:
    """Parse `2024-05-06 07:08:09` or ISO 8601, either in quotes too; UTC unless it has an offset."""
    if text == "":
        return Defect("empty", EMPTY)
    try:
        moment = datetime.fromisoformat(text.strip('"'))
    except ValueError:
        return Defect("bad_timestamp")
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    micros = (since.days * 86400 + since.seconds) * 1_000_000 + since.microseconds
    if len(text.strip('"')) < 19 or micros < 0:
        return Defect("bad_timestamp")
    return Defect("text_timestamp", TEXT_TIMES, Micros(micros))


@dataclass(frozen=True)
class Flag:
    """0 or 1."""

    wire: ClassVar[str] = "bool"

    def proof(self, column: str) -> str:
        return f"{column} IN (0, 1) AND typeof({column}) = 'integer'"

    def defect(self, value: Value) -> Defect | None:
        return None if isinstance(value, int) and value in (0, 1) else Defect("bad_boolean")


@dataclass(frozen=True)
class Text:
    """Text of at most *characters* and *octets*. If *filled*, it must not be blank."""

    characters: int = 0
    octets: int = 0
    filled: bool = False
    wire: ClassVar[str] = "text"

    def proof(self, column: str) -> str:
        # Text sorts after all numbers and before all BLOBs.
        first = "'!'" if self.filled else "''"
        known = [f"{column} >= {first} AND {column} < x''", f"instr({column}, char(0)) = 0"]
        if self.characters:
            known.append(f"length({column}) <= {self.characters}")
        if self.octets:
            known.append(f"length(CAST({column} AS BLOB)) <= {self.octets}")
        return " AND ".join(known)

    def defect(self, value: Value) -> Defect | None:
        if not isinstance(value, str):
            return Defect("blob" if isinstance(value, bytes) else "unknown_value")
        if has_bad_bytes(value):
            raw = value.encode("utf-8", "surrogateescape")
            return Defect("invalid_utf8", UTF8, raw.decode("utf-8", "replace"))
        if "\0" in value:
            return Defect("nul_in_text", NUL, value.replace("\0", ""))
        return self.unfit(value)

    def unfit(self, text: str) -> Defect | None:
        if self.filled and not text.strip(" "):
            return Defect("empty", EMPTY)
        if (self.characters and len(text) > self.characters) or (
            self.octets and len(text.encode()) > self.octets
        ):
            return Defect("too_long")
        return None


def has_bad_bytes(text: str) -> bool:
    return not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)


@dataclass(frozen=True)
class Prose(Text):
    """Text that people write. It is stored in NFC, so that equal texts of different systems are equal."""

    def proof(self, column: str) -> str:
        # A text with as many characters as bytes is ASCII. is_nfc is a function of audit.py.
        blob = f"CAST({column} AS BLOB)"
        return f"{super().proof(column)} AND (length({column}) = length({blob}) OR is_nfc({blob}))"

    def unfit(self, text: str) -> Defect | None:
        if not is_normalized("NFC", text):
            return Defect("not_nfc", mended=normalize("NFC", text), automatic=True)
        return super().unfit(text)


@dataclass(frozen=True)
class Url(Text):
    """An http or https URL."""

    characters: int = 8192

    def proof(self, column: str) -> str:
        # A prefix comparison: 0 is the character after /.
        beginnings = " OR ".join(
            f"({column} >= '{scheme}://' AND {column} < '{scheme}:0')" for scheme in ("https", "http")
        )
        return f"({beginnings}) AND {super().proof(column)}"

    def unfit(self, text: str) -> Defect | None:
        if text == "":
            return Defect("empty", EMPTY)
        if not re.match("https?://", text, re.ASCII | re.IGNORECASE):
            url = completed(text.strip())
            return Defect("bad_url", URLS, url) if url else Defect("bad_url")
        return super().unfit(text)


def completed(text: str) -> str | None:
    """Return the URL that *text* is, except for its scheme, or None."""
    if re.fullmatch(r"https?://\S+", text, re.ASCII | re.IGNORECASE):
        return text
    return f"https://{text.removeprefix('//')}" if BARE_URL.fullmatch(text) else None


@dataclass(frozen=True)
class Icon(Text):
    """The name of a Lucide icon."""

    characters: int = 64

    def proof(self, column: str) -> str:
        return f"{column} = 'package'"

    def unfit(self, text: str) -> Defect | None:
        if text == "":
            return Defect("empty", EMPTY, "package")
        fits = re.fullmatch("[a-z0-9]+(-[a-z0-9]+)*", text, re.ASCII) and len(text) <= self.characters
        return None if fits else Defect("bad_icon")


@dataclass(frozen=True)
class Choice(Text):
    """One of *words*."""

    words: tuple[str, ...] = ()

    def proof(self, column: str) -> str:
        words = ", ".join(f"'{word}'" for word in self.words)
        return f"{column} IN ({words})"

    def unfit(self, text: str) -> Defect | None:
        return None if text in self.words else Defect("unknown_value")


@dataclass(frozen=True)
class Addresses(Text):
    """A JSON array of strings."""

    wire: ClassVar[str] = "jsonb"

    def proof(self, column: str) -> str:
        # There are few, so each is examined in Python.
        return "0"

    def unfit(self, text: str) -> Defect | None:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return Defect("bad_json")
        texts = cast(list[Any], found) if isinstance(found, list) else [None]
        ok = all(isinstance(each, str) and "\0" not in each and not has_bad_bytes(each) for each in texts)
        return None if ok else Defect("bad_json")
