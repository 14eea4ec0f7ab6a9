"""Links to lists: public lists of LighterPack, published sheets, and any other public file."""

import re
from datetime import UTC, datetime

from mcp_server.errors import InvalidInput

# Bytes of a list that is fetched.
LARGEST = 1024**2
ACCEPTED = "text/csv,text/plain,application/vnd.openxmlformats-officedocument.spreadsheetml.sheet,*/*;q=0.5"
LIGHTERPACK = re.compile(
    r"https?://(?:www\.)?lighterpack\.com/(?:r|csv|e)/(\w{4,20})/?(?:[?#].*)?", re.IGNORECASE
)
GOOGLE = re.compile(
    r"https?://docs\.google\.com/spreadsheets/d/([\w-]{10,100})(?:/(?:edit|view|htmlview)?)?(?:[?#].*)?"
)
GID = re.compile(r"[?#&]gid=(\d{1,20})")
PAGE = re.compile(rb"\s*(?:<!doctype\s+html|<html)", re.IGNORECASE)


def address(url: str) -> str:
    """Return where the list of a page is: for LighterPack and Google Sheets, its CSV."""
    if found := LIGHTERPACK.fullmatch(url):
        return f"https://lighterpack.com/csv/{found[1]}"
    if found := GOOGLE.fullmatch(url):
        sheet = GID.search(url)
        chosen = f"&gid={sheet[1]}" if sheet else ""
        return f"https://docs.google.com/spreadsheets/d/{found[1]}/export?format=csv{chosen}"
    return url


async def fetched(url: str, user_id: int | None) -> tuple[bytes, str]:
    """Return the content behind a link, and a note of where and when it was fetched."""
    # Imported on use: a server that starts does not need an HTTP client.
    from mcp_server.untrusted.fetch import fetch

    found = address(url)
    data = await fetch(found, user_id=user_id, accept=ACCEPTED, largest=LARGEST)
    if PAGE.match(data[:1000]):
        raise InvalidInput(
            "url: a web page, not a list. Share the sheet with everyone who has the link, publish it as CSV, "
            "or pass its text."
        )
    return data, f"fetched from {found} at {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
