"""Which field a column of a person's own spreadsheet holds, by what people call it in twelve languages."""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import NamedTuple

from mcp_server.formats.numbers import CURRENCIES

UNITS = ("g", "kg", "oz", "lb")
# Tables of words that are not names of columns.
OTHER = frozenset({"sum", "yes", "no", *UNITS})
# Words that join a name with its unit: `Gewicht in g`.
JOINS = frozenset({"in", "en", "em", "i", "v", "w"})
# Words behind which a header only repeats that it is about one piece: `Weight per item`, `Preis pro Stück`.
EACH = re.compile(r"\b(?:per|pro|each|ea|je|par|por|pr|za)\b.*")
# Characters: a longer cell is not the name of a column.
LONGEST = 60
# Cells that are looked up once: the same few are on most lines.
CACHED = 1024
# Letters that Unicode does not take apart.
LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
CODES = frozenset({code.lower() for codes in CURRENCIES.values() for code in codes})


class Column(NamedTuple):
    """What a column holds: a field, of a weight its unit, and of a price its currency, if the header has one.

    Of several columns for one field, the one of the lowest *rank* is the usual one.
    """

    field: str
    unit: str | None = None
    currency: str = ""
    rank: int = 0

    def __str__(self) -> str:
        return f"{self.field} {self.unit}" if self.unit else self.field


def folded(text: str) -> str:
    """Return *text* without case, accents and punctuation: `Stück-Gewicht` is `stuck gewicht`."""
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text)
    plain = unicodedata.normalize("NFKD", split.casefold().translate(LETTERS))
    letters = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", letters))


# The signs and codes of currencies that consist of letters, as they look in a folded header.
SIGNS = frozenset(map(folded, CURRENCIES)) | CODES


@cache
def tables() -> Mapping[str, Mapping[str, int]]:
    """Return the words of each table of `aliases.toml`, folded, each with its place."""
    text = files("mcp_server.formats").joinpath("aliases.toml").read_text(encoding="utf-8")
    found: dict[str, dict[str, int]] = {}
    for table, languages in tomllib.loads(text).items():
        words = found.setdefault(table, {})
        for aliases in languages.values():
            for rank, alias in enumerate(aliases.split(",")):
                words.setdefault(folded(alias), rank)
    return found


@cache
def fields() -> Mapping[str, Column]:
    """Return the field of each alias."""
    return {
        alias: Column(table, rank=rank)
        for table, aliases in tables().items()
        if table not in OTHER
        for alias, rank in aliases.items()
    }


@cache
def units() -> Mapping[str, str]:
    return {word: unit for unit in UNITS for word in tables()[unit]}


def recognized(header: str) -> Column | None:
    """Return what a column called *header* holds: `Gewicht [g]`, `weight_oz`, `grams`, `Preis (€)`."""
    if not header.strip() or len(header) > LONGEST:
        return None
    words = folded(header).split()
    if found := fields().get(" ".join(words)):
        return found._replace(currency=currency_in(header))
    of_weight = {units()[word] for word in words if word in units()}
    rest = [word for word in words if word not in units() and word not in JOINS]
    without_currency = [word for word in rest if word not in SIGNS]
    if not rest:
        return Column("weight", next(iter(of_weight))) if len(of_weight) == 1 else None
    found = fields().get(EACH.sub("", " ".join(without_currency)).strip())
    if found is None:
        return None
    if found.field in ("weight", "total weight"):
        unit = next(iter(of_weight)) if len(of_weight) == 1 else None
        return found._replace(unit=unit) if rest == without_currency else None
    if of_weight or (rest != without_currency and found.field != "price"):
        return None
    return found._replace(currency=currency_in(header) if found.field == "price" else "")


def currency_in(header: str) -> str:
    """Return the currency in the name of a column: `EUR` in `Preis (EUR)`, `€` in `Preis €`."""
    for word in re.findall(r"[^\W\d_]+|[^\w\s()\[\]]", header):
        if unicodedata.category(word[0]) == "Sc":
            return word
        if word.lower() in CODES:
            return word.upper()
    return ""


@lru_cache(CACHED)
def is_in(table: str, cell: str) -> bool:
    """Whether a cell is one of the words of a table: `sum`, `yes` or `no`."""
    return len(cell) <= LONGEST and folded(cell) in tables()[table]


@lru_cache(CACHED)
def is_sum(cell: str) -> bool:
    """Whether a cell says that its line adds up others: `Total:`, `Base weight (g)`."""
    if not cell.strip() or len(cell) > LONGEST:
        return False
    words = folded(cell).split()
    return (
        " ".join(word for word in words if word not in units()) in tables()["sum"]
        or " ".join(words) in tables()["sum"]
    )
