"""Numbers as people and spreadsheets write them: which sign separates decimals, and in which currency."""

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

Sign: TypeAlias = Literal[".", ","]

# Characters: a longer cell is not a number that a person wrote.
LONGEST = 60
# Digits with the signs that may separate them, and an exponent, as Kotlin writes small numbers: 5.0E-4.
NUMBER = re.compile(
    r"(?:\d(?:[\d.,'’ \u00a0\u2009\u202f]*\d)?|[.,]\d[\d.,]*)(?:[eE][+-]?\d{1,3}(?![\w.,]))?", re.ASCII
)
# The common case, which needs no second thought: 540 and 12.5, and not 1.250.
PLAIN = re.compile(r"\d{1,12}(?:\.(?:\d{1,2}|\d{4,40}))?", re.ASCII)
# What groups digits besides points and commas: 1 250, 1'250.
GROUPED = re.compile(r"\d{1,3}(?:['’ \u00a0\u2009\u202f]\d{3})+(?![\d'’])", re.ASCII)
SPACES = re.compile(r"['’ \u00a0\u2009\u202f]")
# The decimals behind each sign. Groups have three digits, or two in India: 1,00,000.
SEPARATORS: tuple[tuple[Sign, str, str], ...] = ((".", ",", r"\."), (",", r"\.", ","))
WRITTEN: dict[Sign, re.Pattern[str]] = {
    sign: re.compile(
        rf"(?P<whole>[1-9]\d{{0,2}}(?:{group}\d{{2,3}})*{group}\d{{3}}|\d*)"
        rf"(?:{decimal}(?P<part>\d+))?(?P<exponent>[eE][+-]?\d+)?",
        re.ASCII,
    )
    for sign, group, decimal in SEPARATORS
}

# Signs of currencies that several have, and those that differ from the code.
CURRENCIES: Mapping[str, frozenset[str]] = {
    sign: frozenset(codes.split())
    for sign, codes in {
        "$": "USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP",
        "us$": "USD",
        "ca$": "CAD",
        "a$": "AUD",
        "au$": "AUD",
        "nz$": "NZD",
        "hk$": "HKD",
        "s$": "SGD",
        "mx$": "MXN",
        "r$": "BRL",
        "nt$": "TWD",
        "€": "EUR",
        "£": "GBP",
        "¥": "JPY CNY",
        "￥": "JPY CNY",
        "cn¥": "CNY",
        "₩": "KRW",
        "₹": "INR",
        "rs": "INR PKR",
        "₪": "ILS",
        "₺": "TRY",
        "₽": "RUB",
        "₴": "UAH",
        "₫": "VND",
        "₱": "PHP",
        "฿": "THB",
        "kr": "SEK NOK DKK ISK",
        "fr": "CHF",
        "zł": "PLN",
        "kč": "CZK",
        "ft": "HUF",
        "лв": "BGN",
        "lei": "RON",
    }.items()
}
# Currencies with three decimals.
MILLS = frozenset({"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"})
# A number with one sign before its last three digits.
THOUSANDS = re.compile(r"[1-9]\d{0,2}([.,])\d{3}", re.ASCII)


class Money(NamedTuple):
    """The parts of a cell such as `€ 1.249,90`: the number, and what stands around it."""

    number: str
    currency: str


class Decimals(NamedTuple):
    """The decimal signs that a file shows: of each column that shows one, and of all where they agree."""

    file: Sign | None = None
    columns: Mapping[str, Sign | None] = {}

    def of(self, column: str) -> Sign | None:
        return self.columns.get(column, self.file)


def readings(text: str) -> dict[Sign, Decimal]:
    """Return what *text* means with each decimal sign. With one reading only, the text shows its sign."""
    if GROUPED.match(text):
        text = SPACES.sub("", text)
    found: dict[Sign, Decimal] = {}
    for sign, pattern in WRITTEN.items():
        match = pattern.fullmatch(text)
        if match and (match["whole"] or match["part"]):
            whole = re.sub("[.,]", "", match["whole"])
            found[sign] = Decimal(f"{whole or 0}.{match['part'] or 0}{match['exponent'] or ''}")
    return found


def number(text: str, sign: Sign | None = None) -> Decimal:
    """Read a number in a file or column whose decimal sign is *sign*, if that is known."""
    text = text.strip()
    if PLAIN.fullmatch(text):
        return Decimal(text)
    found = readings(text) if len(text) <= LONGEST else {}
    if not found:
        raise ValueError("must be a number, such as 540 or 12.5")
    values = set(found.values())
    if len(values) == 1:
        return values.pop()
    if sign is None:
        one, other = (f"{value.normalize():f}" for value in sorted(values))
        raise ValueError(f"may mean {one} or {other}, and no other number in the file shows which")
    return found[sign]


def money(cell: str) -> Money | None:
    """Take a price apart. Return None for a cell that is not a number with or without a currency."""
    match = NUMBER.search(cell) if len(cell) <= LONGEST else None
    if match is None:
        return None
    # `349,- €` has a dash for cents.
    around = (cell[: match.start()].strip(), cell[match.end() :].lstrip(".,-–— ").strip())
    currency = " ".join(part for part in around if part).strip(". ")
    return Money(match[0], currency) if not currency or is_currency(currency) else None


def amount(price: Money, sign: Sign | None) -> Decimal:
    """Return the amount of a price. Beside a currency, the sign in `€1,250` stands for thousands."""
    found = THOUSANDS.fullmatch(price.number) if price.currency and sign is None else None
    if found and not codes(price.currency) & MILLS:
        sign = "." if found[1] == "," else ","
    return number(price.number, sign)


def is_currency(text: str) -> bool:
    signs = [letter for letter in text if unicodedata.category(letter) == "Sc"]
    return (
        text.lower() in CURRENCIES
        or (
            len(signs) == 1 and len(text) <= 4 and all(letter.isalpha() or letter in signs for letter in text)
        )
        or (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper())
    )


def codes(currency: str) -> frozenset[str]:
    """Return the codes of the currencies that a sign stands for: `$` is that of several countries."""
    return CURRENCIES.get(currency.lower(), frozenset({currency.upper()}))


def decimals(cells: Iterable[tuple[str, str]]) -> Decimals:
    """Find the decimal signs in *cells*, each with its column. A column that shows both has none."""
    shown: defaultdict[str, Counter[Sign]] = defaultdict(Counter)
    for column, cell in cells:
        shown[column].update(signs(cell))
    columns: dict[str, Sign | None] = {column: sole(counted) for column, counted in shown.items() if counted}
    return Decimals(sole(columns.values()), columns)


def signs(cell: str) -> Iterator[Sign]:
    for match in NUMBER.finditer(cell[:LONGEST]):
        if ("." in match[0] or "," in match[0]) and len(found := readings(match[0])) == 1:
            yield from found


def sole(shown: Iterable[Sign | None]) -> Sign | None:
    """Return the sign if there is one and no other."""
    distinct = set(shown)
    return distinct.pop() if len(distinct) == 1 else None
