"""Views in the chat: each is one file, which shows what a tool returns."""

import re
from functools import cache

from mcp_server.web.chart import COLORS
from mcp_server.web.render import TEMPLATES


@cache
def html(name: str) -> str:
    """Return a view, with the colors and styles of charts and pages."""
    return compact(TEMPLATES.get_template(f"views/{name}.html").render(colors=COLORS))


def compact(page: str) -> str:
    """Drop indentation, and spaces that styles do not need: a tenth of the bytes."""
    head, style, rest = re.split(r"(?<=<style>)|(?=</style>)", page)
    return head + re.sub(r"\s*([{};,]|:(?= ))\s*", r"\1", style) + re.sub(r"\n\s+", "\n", rest)
