"""Numbers in lists: what the file shows elsewhere decides whether a sign separates decimals or thousands."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.formats.line import Line, RefusedLine
from mcp_server.formats.numbers import Money, Sign, amount, money, readings
from mcp_server.formats.opening import open_text

HEADER = "Item Name;qty;weight;unit;price"


def first(*lines: str, header: str = HEADER, currency: str | None = None) -> Line | RefusedLine:
    """The first line of a list with the other *lines* below it."""
    return next(iter(open_text("\n".join((header, *lines)), currency=currency)))


@pytest.mark.parametrize(
    ("lines", "grams", "cents"),
    [
        (("Tent;1;1.250;gram;1.249,90",), 1250, 124990),
        (("Tent;1;1.250;gram;1,249.90",), 1.25, 124990),
        (("Tent;1;1.250;gram;", "Mug;1;90,5;gram;"), 1250, None),
        (("Tent;1;1.250;gram;", "Mug;1;90.5;gram;"), 1.25, None),
        (("Tent;1;1,250;gram;", "Mug;1;90;gram;12.50"), 1250, None),
        (("Tent;1;1,250;gram;", "Mug;0,5;90;gram;"), 1.25, None),
        (("Tent;1;1.234.567;gram;1.250",), 1234567, 125000),
        (("Tent;1;1,234;kilogram;", "Mug;1;62,5;gram;"), 1234, None),
        (("Tent;1;1.234;kilogram;",), 1234, None),
        (("Tent;1;0.250;gram;0,25",), 0.25, 25),
        (("Tent;1;1 250,5;gram;1\u00a0249,90 €",), 1250.5, 124990),
        (("Tent;1;1'250.5;gram;CHF 1’249.90",), 1250.5, 124990),
        (("Tent;1;1250;gram;€349.95",), 1250, 34995),
        (("Tent;1;1250;gram;349,95\u00a0€",), 1250, 34995),
        (("Tent;1;1250;gram;349,- €",), 1250, 34900),
        (("Tent;1;1250;gram;₹1,00,349.50",), 1250, 10034950),
        (("Tent;1;1250;gram;¥1,250",), 1250, 125000),
        (("Tent;1;1250;gram;1.250 €",), 1250, 125000),
        (("Tent;1;5.0E-4;kilogram;1e2",), 0.5, 10000),
        (("Tent;1;2;Lbs.;",), 907.18474, None),
        (("Tent;1;1200 g;;",), 1200, None),
    ],
)
def test_a_number_is_read_by_what_the_file_shows(
    lines: tuple[str, ...], grams: float, cents: int | None
) -> None:
    line = first(*lines)
    assert isinstance(line, Line)
    assert (line.weight_grams, line.price_cents) == (grams, cents)


def test_each_column_may_have_its_own_sign() -> None:
    line = first("Tent;1;1.250;gram;1.250", "Mug;1;90.5;gram;12,50")
    assert isinstance(line, Line)
    assert (line.weight_grams, line.price_cents) == (1.25, 125000)


@pytest.mark.parametrize(
    "lines",
    [
        ("Tent;1;1.250;gram;",),
        ("Tent;1;1,250;gram;",),
        ("Tent;1;1.250;ounce;12",),
        ("Tent;1;1.250;gram;", "Mug;1;90.5;gram;", "Pot;1;90,5;gram;"),
    ],
)
def test_a_number_that_stays_ambiguous_is_refused_with_both_readings(lines: tuple[str, ...]) -> None:
    line = first(*lines)
    assert isinstance(line, RefusedLine)
    assert (line.name, line.problems[0].column) == ("Tent", "weight")
    assert "may mean 1.25 or 1250" in line.problems[0].reason


def test_a_price_that_stays_ambiguous_is_unknown_and_goes_into_the_notes() -> None:
    line = first("Tent;1;540;gram;1.250")
    assert isinstance(line, Line)
    assert (line.price_cents, line.weight_grams) == (None, 540)
    assert "may mean 1.25 or 1250" in line.remarks[0].note


@pytest.mark.parametrize(
    ("currency", "own", "is_remarked"),
    [
        ("$", "USD", False),
        ("$", "CAD", False),
        ("$", "EUR", True),
        ("$", None, True),
        ("€", "EUR", False),
        ("EUR", "EUR", False),
        ("£", "EUR", True),
        ("kr", "SEK", False),
    ],
)
def test_a_sign_of_the_persons_own_currency_needs_no_remark(
    currency: str, own: str | None, is_remarked: bool
) -> None:
    hikerherd = "name,category,weight,unit,notes,price,currency,link,image,consumable,worn,quantity"
    signed = first(f"Tent;1;540;gram;349.95 {currency}", currency=own)
    columned = first(f"Tent,,540,gram,,349.95,{currency},,,,,1", header=hikerherd, currency=own)
    for line, column in ((signed, "price"), (columned, "currency")):
        assert isinstance(line, Line)
        assert line.price_cents == 34995
        assert [remark.column for remark in line.remarks] == ([column] if is_remarked else [])


@given(
    value=st.decimals(0, 10**9, places=2),
    sign=st.sampled_from([".", ","]),
    grouped=st.booleans(),
)
def test_a_number_with_two_decimals_has_one_reading(value: Decimal, sign: Sign, grouped: bool) -> None:
    text = f"{value:,.2f}" if grouped else f"{value:.2f}"
    if sign == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    assert readings(text) == {sign: value}


def test_three_decimals_of_a_dinar_are_not_thousands() -> None:
    assert amount(Money("1.250", "€"), None) == 1250
    for currency in ("KWD", "TND"):
        with pytest.raises(ValueError, match="may mean"):
            amount(Money("1.250", currency), None)


def test_three_letters_that_are_not_a_code_are_not_a_currency() -> None:
    assert money("12 CHF") == Money("12", "CHF")
    assert money("12 pcs") is None
    assert money("12 Pcs") is None


def test_thousands_of_ounces_stay_ambiguous() -> None:
    assert isinstance(first("Tent;1;1.250;ounce;"), RefusedLine)
    line = first("Tent;1;1.250;pound;")
    assert isinstance(line, Line)


def test_a_weight_in_another_unit_than_its_column_is_refused() -> None:
    assert isinstance(first("Tent;1;2 kg;gram;"), RefusedLine)
    line = first("Tent;1;2 kg;;")
    assert isinstance(line, Line)
    assert line.weight_grams == 2000
