"""What each kind of value has to be, what is wrong with one that is not, and which flag would mend it."""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, cast

MS, TEXT_TIMES = "--ms-timestamps", "--text-timestamps"
EMPTY, NUL, UTF8 = "--empty-as-null", "--nul=strip", "--bad-utf8=replace"
ORPHANS, SKIP = "--orphans=as-deleted", "--skip-rejected"

# Beyond this, JavaScript, which wrote the old files, cannot count.
MAX_ID = 2**53 - 1
# 9999-12-31T23:59:59Z in seconds. A larger number is milliseconds since 1978, or nonsense.
LAST_SECOND = 253402300799
# What this server reads weights in.
UNITS = ("g", "kg", "oz", "lb")
# A value as SQLite gives it. Text that is no UTF-8 has surrogates in place of its bad bytes.
Value: TypeAlias = int | float | str | bytes | None


class Micros(int):
    """A time that was converted: microseconds since 1970, where seconds are read."""


class Defect(NamedTuple):
    """What is wrong with a value. With *flag* it becomes *mended*; nothing mends one that has no flag."""

    problem: str
    flag: str | None = None
    mended: Value = None


class ValueKind(Protocol):
    """A kind of value, as which COPY sends it, and what is known of it."""

    wire: ClassVar[str]

    def proof(self, column: str) -> str:
        """Return SQL that compares *column*, and is true only of values without a defect."""
        ...

    def defect(self, value: Value) -> Defect | None:
        """Return the first thing that is wrong with *value*, which is not None."""
        ...


def not_a_number(value: str | bytes) -> Defect:
    if value == "":
        return Defect("empty", EMPTY)
    return Defect("text_in_number" if isinstance(value, str) else "blob")


@dataclass(frozen=True)
class Whole:
    """A whole number between two others, both included."""

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
    """A number from *low* up to, but without, *high*."""

    low: float
    high: float
    wire: ClassVar[str] = "float8"

    def proof(self, column: str) -> str:
        # A number that is too large for SQLite's text is infinity to it.
        high = "9e999" if math.isinf(self.high) else repr(self.high)
        return f"{column} >= {self.low!r} AND {column} < {high}"

    def defect(self, value: Value) -> Defect | None:
        if isinstance(value, str | bytes):
            return not_a_number(value)
        if value is None or not math.isfinite(value):
            return Defect("not_finite")
        return None if self.low <= value < self.high else Defect("out_of_range")


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
            return in_words(value)
        if isinstance(value, int) and LAST_SECOND < value < LAST_SECOND * 1000:
            return Defect("milliseconds", MS, Micros(value * 1000))
        return Whole(0, LAST_SECOND).defect(value)


def in_words(text: str) -> Defect:
    """`2024-05-06 07:08:09`, ISO 8601, either in quotes: in UTC unless it says otherwise."""
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
    """Text of at most so many characters and bytes, and perhaps one that says something."""

    characters: int = 0
    octets: int = 0
    filled: bool = False
    wire: ClassVar[str] = "text"

    def proof(self, column: str) -> str:
        # Text sorts behind every number and before every BLOB.
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
class Url(Text):
    """An address with http or https."""

    characters: int = 8192

    def proof(self, column: str) -> str:
        # What begins with `http://` comes before `http:0`, because 0 is the character after /.
        beginnings = " OR ".join(
            f"({column} >= '{scheme}://' AND {column} < '{scheme}:0')" for scheme in ("https", "http")
        )
        return f"({beginnings}) AND {super().proof(column)}"

    def unfit(self, text: str) -> Defect | None:
        if text == "":
            return Defect("empty", EMPTY)
        if not re.match("https?://", text, re.ASCII | re.IGNORECASE):
            return Defect("bad_url")
        return super().unfit(text)


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
    """One of a few words."""

    words: tuple[str, ...] = ()

    def proof(self, column: str) -> str:
        words = ", ".join(f"'{word}'" for word in self.words)
        return f"{column} IN ({words})"

    def unfit(self, text: str) -> Defect | None:
        return None if text in self.words else Defect("unknown_value")


@dataclass(frozen=True)
class Addresses(Text):
    """A JSON array of texts."""

    wire: ClassVar[str] = "jsonb"

    def proof(self, column: str) -> str:
        # There are few, and each is read.
        return "0"

    def unfit(self, text: str) -> Defect | None:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return Defect("bad_json")
        texts = cast(list[Any], found) if isinstance(found, list) else [None]
        ok = all(isinstance(each, str) and "\0" not in each and not has_bad_bytes(each) for each in texts)
        return None if ok else Defect("bad_json")
