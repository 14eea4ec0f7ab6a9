"""The templates of the pages, their headers, and the files that they load."""

from collections.abc import Iterable
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from mcp_server.models.category import Category
from mcp_server.models.settings import Number, Units
from mcp_server.web import chart
from mcp_server.web.render import environment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
SAFE = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    # With no-referrer, browsers would send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
}
HEADERS = {**SAFE, "Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
# A file's address contains its hash, so it never changes.
FOREVER = "public, max-age=31536000, immutable"


class File(NamedTuple):
    """A file that pages load, and the address under which browsers may keep it."""

    path: str
    content: bytes
    media_type: str


def file(name: str, content: bytes, media_type: str) -> File:
    stem, _, suffix = name.rpartition(".")
    return File(f"/gear/files/{stem}-{sha256(content).hexdigest()[:16]}.{suffix}", content, media_type)


def stored(name: str) -> bytes:
    return files("mcp_server.http.gear").joinpath("static", name).read_bytes()


def grams(value: Number | None, units: Units) -> str:
    """Format a weight, or return an empty text if it is unknown."""
    return "" if value is None else units.weight(value)


def money(cents: Number | None, units: Units) -> str:
    """Format a price, or return an empty text if it is unknown."""
    return "" if cents is None else chart.price(units, cents)


def category_options(categories: Iterable[Category]) -> list[tuple[str, str]]:
    """Return the options of a choice of a category, or of none."""
    return [("", "none"), *((each.name, each.name) for each in categories)]


def signed(text: str) -> str:
    """Return a difference with its sign: `+40 g`, `−40 g`."""
    return f"−{text[1:]}" if text.startswith("-") else f"+{text}"


TEMPLATES = environment("mcp_server.http.gear")
FILTERS: dict[str, Any] = {"grams": grams, "money": money, "signed": signed, "options": category_options}
TEMPLATES.filters.update(FILTERS)
STYLE = file("pages.css", TEMPLATES.get_template("pages.css").render().encode(), "text/css")
HTMX = file("htmx.js", stored("htmx.min.js"), "text/javascript")
SCRIPT = file("pages.js", stored("pages.js"), "text/javascript")
FILES = {each.path: each for each in (STYLE, HTMX, SCRIPT)}
ADDRESSES = {"style": STYLE.path, "htmx": HTMX.path, "script": SCRIPT.path}
