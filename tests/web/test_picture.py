"""Charts as PNG pictures."""

from decimal import Decimal
from pathlib import Path

import pytest
from PIL import ImageFont

from mcp_server.errors import Busy
from mcp_server.turns import Turns
from mcp_server.web import chart, picture
from mcp_server.web.chart import COLORS, Amount
from tests.pictures import opened
from tests.web.samples import GRAMS, line, setup, thread


def pixel(data: bytes, x: int, y: int) -> str:
    red, green, blue = opened(data).convert("RGB").getpixel((x, y))  # pyright: ignore[reportGeneralTypeIssues, reportUnknownVariableType]
    return f"#{red:02x}{green:02x}{blue:02x}"


def close(one: str, other: str) -> bool:
    """Whether two colors look the same. A palette moves them a little."""
    return all(abs(int(one[at : at + 2], 16) - int(other[at : at + 2], 16)) < 12 for at in (1, 3, 5))


def many(count: int, name: str = "Part") -> list[Amount]:
    return [Amount(f"{name} {number}", Decimal(1000 - number)) for number in range(count)]


def test_a_donut_has_its_slices_at_their_angles_and_its_legend_beside_it() -> None:
    data = picture.draw(chart.donut_of_setup(setup()))
    middle, top = picture.MARGIN + picture.DONUT // 2, picture.MARGIN + 2 * picture.ROW
    # 62.5% are the right half and the lower left, then come 25% on the left and 12.5% at the upper left.
    assert close(pixel(data, middle + 95, top + 120), COLORS[0])
    assert close(pixel(data, middle - 95, top + 120), COLORS[1])
    assert close(pixel(data, middle - 30, top + 20), COLORS[2])
    assert close(pixel(data, middle + 40, top + 150), picture.GROUND)
    left = 2 * picture.MARGIN + picture.DONUT + 5
    for row in range(3):
        assert close(pixel(data, left, top + row * picture.ROW + 10), COLORS[row])


def test_bars_are_as_long_as_their_amounts() -> None:
    data = picture.draw(chart.bars_of_thread(thread()))
    top = picture.MARGIN + 2 * picture.ROW + 10
    lengths = [
        sum(close(pixel(data, x, top + row * picture.ROW), COLORS[0]) for x in range(picture.WIDTH))
        for row in range(3)
    ]
    assert lengths[0] == pytest.approx(2 * lengths[1], abs=3)
    assert lengths[2] == 0


def test_the_font_has_every_character_that_is_writable() -> None:
    font = picture.font(16)
    assert font.getmask("袋").getbbox() is None
    writable = [chr(code) for code in range(0x20, 0x10000) if picture.is_writable(chr(code))]
    assert len(writable) > 1000
    assert [each for each in writable if not each.isspace() and font.getmask(each).getbbox() is None] == []


@pytest.mark.parametrize("name", ["Schlafsäcke", "Ταξίδι", "Кухня", "Łódź, ćma", "½ × 3 – “x” €"])
def test_latin_greek_and_cyrillic_are_writable(name: str) -> None:
    assert picture.is_writable(name)


@pytest.mark.parametrize("name", ["寝袋", "אוהל", "خيمة", "🏕️", "a\tb", "a\u202eb"])
def test_other_scripts_and_control_characters_become_numbers(name: str) -> None:
    assert picture.labels(["Tent", name, "Tarp"]) == ["Tent", "(2)", "Tarp"]
    nasty = setup(name=name, lines=[line(1, name, name, 5)])
    assert opened(picture.draw(chart.donut_of_setup(nasty))).width == picture.WIDTH


def test_a_picture_is_small_however_much_it_shows() -> None:
    whole = chart.donut("X" * 200, many(100, "Y" * 190), GRAMS, "weight")._replace(note="Z" * 500)
    assert len(picture.draw(whole)) < 40_000
    bars = chart.bars("X" * 200, many(100, "Y" * 190), GRAMS, "weight", note="Z" * 500)
    size = opened(picture.draw(bars)).size
    assert size[0] == picture.WIDTH
    assert size[1] < 900


def test_long_names_are_shortened_to_their_column() -> None:
    shown = picture.fitting("Wide " * 40, 200, 16)
    assert shown.endswith("…")
    assert picture.font(16).getlength(shown) <= 200
    assert picture.fitting("Tent", 200, 16) == "Tent"


def test_a_chart_of_nothing_is_a_picture() -> None:
    nothing = chart.donut("Nothing", [], GRAMS, "weight")
    assert opened(picture.draw(nothing)).width == picture.WIDTH
    assert opened(picture.draw(chart.bars("Nothing", [], GRAMS, "price"))).width == picture.WIDTH


async def test_users_take_turns_at_drawing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(picture, "PICTURES", Turns(1, 1, "pictures", patience=0.01))
    whole = chart.donut_of_setup(setup())
    assert await picture.png(whole, 1) == picture.draw(whole)
    async with picture.PICTURES.take(2):
        with pytest.raises(Busy):
            await picture.png(whole, 1)


def test_the_font_is_small_and_has_its_license() -> None:
    assert ImageFont.truetype(picture.FONT, 10).getname() == ("DejaVu Sans", "Book")
    assert picture.FONT.stat().st_size < 150_000
    license_text = Path(picture.FONT).with_suffix(".LICENSE").read_text(encoding="utf-8")
    assert "Bitstream" in license_text
    assert "Tavmjong Bah" in license_text
