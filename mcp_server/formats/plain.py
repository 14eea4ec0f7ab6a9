"""Plain text, as people paste it: `Tent 1200g`, `2x socks 62 g worn`, `- stove (85 g, $45)`."""

import re
from collections.abc import Iterator
from io import StringIO
from itertools import islice
from typing import NamedTuple

from mcp_server.formats.aliases import UNITS, fields, folded, is_sum, tables
from mcp_server.formats.header import Header
from mcp_server.formats.line import Line, Problem, RefusedLine, grams_in
from mcp_server.formats.numbers import Decimals, decimals
from mcp_server.formats.reader import Reader
from mcp_server.formats.sheet import SheetLine, in_own_words
from mcp_server.formats.text import TextSource, truncated

# Characters: a longer line is not one that a person wrote for an item.
LONGEST = 1000
# Lines that decide whether a text is a list.
MOST_LINES = 200
# Parts of patterns. Repetitions are bounded, so that the time is linear in the length of a text.
NUMBER = r"\d{1,9}(?:[.,'’]\d{1,9}){0,4}"
UNIT = "|".join(sorted((word for unit in UNITS for word in tables()[unit]), key=len, reverse=True))
CURRENCY = r"USD|EUR|GBP|CHF|SEK|NOK|DKK|PLN|CZK|CAD|AUD|NZD|JPY"
SIGN = r"[$€£¥₹₩]"
ABOUT = r"(?:[~≈]|(?:ca|circa|approx|about|around|etwa)\b\.?)\s?"
PLUS_MINUS = r"\s?(?:±|\+/?[-−–])\s?"
# A weight: not a part of a word, and not of an area, as in 30 g/m².
WEIGHT = re.compile(
    rf"(?<![\w.,/$€£¥])(?:{ABOUT})?(?:{NUMBER}{PLUS_MINUS})?{NUMBER}\s?(?:{UNIT})\b\.?(?![/²³\w])"
    rf"(?:\s{{0,2}}{NUMBER}\s?(?:oz|ounces?)\b\.?)?(?:{PLUS_MINUS}{NUMBER}(?:\s?%|\s?(?:{UNIT})\b\.?)?)?",
    re.IGNORECASE,
)
PRICE = re.compile(
    rf"(?:{SIGN}|\b(?:{CURRENCY}))\s?{NUMBER}(?![\w.,]?\d)|"
    rf"(?<![\w.,]){NUMBER}(?:,-)?\s?(?:{SIGN}|(?:{CURRENCY})\b|kr\b|zł|Kč)",
)
BULLET = re.compile(r"(?:[-*•–+·]|\d{1,3}[.)])\s{1,4}|\[[ xX]?\]\s{0,4}|[☐☑✓✔]\s{0,4}")
BEFORE = re.compile(r"(\d{1,4})\s?[x×]\s", re.IGNORECASE)
AFTER = re.compile(
    r"(?<![\d\s])\s{1,3}[x×]\s?(\d{1,4})\b(?!\s?[x×.,]?\d)|\(\s?[x×]?\s?(\d{1,4})\s?[x×]?\s?\)", re.IGNORECASE
)
# What joins a figure to the text around it.
EDGES = " \t\u00a0,;:|()[]–—-•/@="
# Numbers that stand alone between separators: they may be quantities, weights or prices.
LOOSE = re.compile(r"(?:^|[,;\t|])\s{0,4}\d{1,9}(?:[.,]\d{1,9})?\s{0,4}(?=[,;\t|]|$)")
EACH = frozenset({"each", "ea", "per piece", "a piece", "apiece", "pro stuck", "je", "stuck", "pc", "pcs"})
TOTAL = frozenset({"total", "in total", "altogether", "gesamt", "zusammen", "all"})
COUNT = re.compile(r"[x×]\s?(\d{1,4})|(\d{1,4})\s?[x×]", re.IGNORECASE)
LOOSE_NUMBER = "has a number without a unit: write 2x, 540 g or $45"
REST = re.compile(r"[,;()\[\]\t|]|\s[-–—]\s")


class Parsed(NamedTuple):
    """A line of text taken apart: the fields of an item, a heading, or what is wrong."""

    cells: dict[str, str]
    heading: str = ""
    problem: Problem | None = None


class PlainReader(Reader):
    """The lines of a text. A line is in the category of the heading above it."""

    def __init__(self, source: TextSource, currency: str | None, weight_unit: str | None) -> None:
        names = [SheetLine.column(name) for name in SheetLine.model_fields]
        self._weight_unit = weight_unit or ""
        self._lines = source.lines
        super().__init__(source, Header(0, names, "\t", False, 0, "text", SheetLine), currency)

    @property
    def header_line(self) -> int:
        return 1

    def _decimals(self, source: TextSource) -> Decimals:
        figures = (("weight", WEIGHT), ("price_cents", PRICE))
        lines = [line[:LONGEST] for line in StringIO(source.beginning, newline="")]
        return decimals(
            (field, found[0])
            for line in lines
            for field, pattern in figures
            for found in pattern.finditer(line)
        )

    def __iter__(self) -> Iterator[Line | RefusedLine]:
        category = ""
        for number, line in enumerate(self._lines, 1):
            if not line.strip(" \t\r\n|-+:="):
                continue
            if "\0" in line or len(line) > LONGEST:
                reason = f"must have at most {LONGEST} characters, and no NUL character"
                yield RefusedLine(number, (Problem("", truncated(line), reason),))
                continue
            cells, heading, problem = parsed(line, self._weight_unit)
            if heading:
                category = heading
                problem = Problem("", truncated(heading), "is the heading of a category")
            elif problem is None and is_sum(cells["name"]):
                problem = Problem("", truncated(line), "is a total, not an item")
            elif problem is not None:
                yield RefusedLine(number, (problem,), name=truncated(cells.get("name", "")))
                continue
            if problem:
                yield RefusedLine(number, (problem,), skipped=True)
            else:
                yield self._agreeing(number, {**cells, "category": category})

    def _agreeing(self, number: int, cells: dict[str, str]) -> Line | RefusedLine:
        """Read a line. If it has several weights, they have to be the same: `540 g / 19 oz`."""
        first, *others = cells.pop("weights").split("\n")
        found = self._read(number, {**cells, "weight": in_own_words(first)})
        if isinstance(found, RefusedLine) or not others:
            return found
        sign = self._reading.decimals.of("weight")
        try:
            grams = [grams_in(in_own_words(weight), "", sign) for weight in (first, *others)]
        except ValueError as exc:
            return RefusedLine(number, (Problem("weight", " ".join(others), str(exc)),), name=cells["name"])
        low, high = min(filter(None, grams), default=0.0), max(filter(None, grams), default=0.0)
        if high > 1.03 * low:
            text = ", ".join((first, *others))
            return RefusedLine(
                number, (Problem("weight", text, "has different weights"),), name=cells["name"]
            )
        return found


def is_plain(beginning: str) -> bool:
    """Whether most lines are those of a list: with a weight, a price, a bullet or `2x`, or headings."""
    lines = [line for line in islice(StringIO(beginning, newline=""), MOST_LINES) if line.strip()]
    evident = sum(map(is_evident, lines))
    return evident > 0 and 2 * evident >= len(lines)


def is_evident(line: str) -> bool:
    text = line[:LONGEST].strip()
    return bool(
        BULLET.match(text)
        or BEFORE.match(text)
        or WEIGHT.search(text)
        or (PRICE.search(text) and "," not in text)
    )


def parsed(line: str, weight_unit: str) -> Parsed:
    """Take a line apart: what is before the first figure is the name, and what is behind are notes."""
    text, quantity = without_bullet(line.strip())
    text = text.replace("**", "").replace("`", "")
    if weight_unit:
        text = LOOSE.sub(lambda found: f"{found[0].rstrip()} {weight_unit}", text, count=1)
    weights, prices = list(WEIGHT.finditer(text)), list(PRICE.finditer(text))
    if not weights and not prices and (heading := heading_in(text)):
        return Parsed({}, heading)
    name, rest = split_at(text, sorted([*weights, *prices], key=lambda figure: figure.start()))
    found = AFTER.search(name)
    if found:
        name = trimmed(f"{name[: found.start()]} {name[found.end() :]}")
    words = words_of(rest)
    counts = [count for count in (quantity, found and (found[1] or found[2]), words.quantity) if count]
    problem = words.problem
    if len(counts) > 1 or len(prices) > 1:
        problem = "has several quantities" if len(counts) > 1 else "has several prices"
    elif LOOSE.search(name):
        problem = LOOSE_NUMBER
    elif words.is_total and counts not in ([], ["1"]):
        problem = "has the weight of all pieces: write that of one"
    cells = {
        "name": " ".join(name.split()),
        "quantity": counts[0] if counts else "",
        "unit": "",
        "weights": "\n".join(found[0].strip() for found in weights),
        "price": prices[0][0] if prices else "",
        "notes": words.notes,
        "worn": words.worn,
        "consumable": words.consumable,
    }
    return Parsed(cells, problem=Problem("", truncated(line), problem) if problem else None)


def without_bullet(text: str) -> tuple[str, str]:
    """Return a line without its bullets, and its quantity if it starts with one: `- [ ] 2x socks`."""
    for _ in range(3):
        found = BULLET.match(text)
        if found is None:
            break
        text = text[found.end() :]
    found = BEFORE.match(text)
    return (text[found.end() :], found[1]) if found else (text, "")


def heading_in(text: str) -> str:
    """Return the category that a line without figures names: `# Shelter`, `Shelter:` or `Kitchen —`."""
    is_heading = text.startswith("#") or text.endswith((":", ":**"))
    return text.strip("#*: ").strip() if is_heading else ""


def split_at(text: str, figures: list[re.Match[str]]) -> tuple[str, str]:
    """Return the text before the first figure, which is the name, and the text around the others."""
    parts, at = list[str](), 0
    for figure in figures:
        parts.append(text[at : figure.start()])
        at = max(at, figure.end())
    parts.append(text[at:])
    name, *rest = parts
    if not trimmed(name):
        # `1200 g Tent`
        name, *rest = [part for part in rest if trimmed(part)] or [""]
    before, separator, last = name.rpartition(",")
    if separator and mark_of(last):
        name, rest = before, [last, *rest]
    return trimmed(name), ",".join(rest)


def trimmed(text: str) -> str:
    """Return a text without the separators around it, but with the end of a bracket within it."""
    short = text.strip(EDGES)
    return f"{short})" if short.count("(") > short.count(")") and ")" in text else short


def mark_of(text: str) -> str:
    """Return the mark that a word is: `worn`, `consumable`, or an empty text."""
    column = fields().get(folded(text))
    return column.field if column and column.field in ("worn", "consumable") else ""


class Words(NamedTuple):
    """What the text behind a name says."""

    worn: str = ""
    consumable: str = ""
    quantity: str = ""
    notes: str = ""
    is_total: bool = False
    problem: str = ""


def words_of(rest: str) -> Words:
    found, notes = Words(), list[str]()
    for part in REST.split(rest):
        text = part.strip(EDGES)
        key = folded(text)
        if not text or key in EACH:
            continue
        if mark_of(text):
            found = found._replace(**{mark_of(text): "x"})
        elif key in TOTAL:
            found = found._replace(is_total=True)
        elif count := COUNT.fullmatch(text):
            found = found._replace(quantity=count[1] or count[2])
        elif text.replace(".", "").replace(",", "").isdigit():
            found = found._replace(problem=LOOSE_NUMBER)
        else:
            notes.append(text)
    return found._replace(notes=", ".join(notes))
