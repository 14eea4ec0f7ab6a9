"""The generator of the documentation names what is missing."""

from pathlib import Path

import pytest
from pydantic import Field

from mcp_server.settings import Settings
from scripts import docs
from scripts.docs import Incomplete, between, check_examples, nouns, settings_table


def test_the_content_replaces_what_is_between_the_markers(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("before\n<!-- tools -->\nold\n<!-- /tools -->\nafter\n", encoding="utf-8")
    assert between(page, "tools", "new\n") == "before\n<!-- tools -->\nnew\n<!-- /tools -->\nafter\n"


@pytest.mark.parametrize("text", ["", "<!-- tools -->\n", "<!-- /tools -->\n"])
def test_a_page_without_markers_is_named(tmp_path: Path, text: str) -> None:
    page = tmp_path / "page.md"
    page.write_text(text, encoding="utf-8")
    with pytest.raises(Incomplete, match=r"^page\.md lacks the lines <!-- tools --> and <!-- /tools -->\.$"):
        between(page, "tools", "")


def test_tools_without_an_example_are_named() -> None:
    with pytest.raises(Incomplete, match=r"has no example of create_trip, get_trip\.$"):
        check_examples(["get_item", "create_trip", "get_trip"], ["get_item"])


def test_a_setting_without_a_description_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    class More(Settings):
        speed: int = Field(3)

    monkeypatch.setattr(docs, "Settings", More)
    with pytest.raises(Incomplete, match=r"^GEARSHED_SPEED has no description"):
        settings_table()


def test_each_noun_has_one_row() -> None:
    rows = [line.split(" | ")[0] for line in nouns().splitlines()]
    assert len(rows) == len(set(rows))
