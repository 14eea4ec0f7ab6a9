"""What the kinds of value accept, what they make of it, and what they refuse."""

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from mcp_server.models.fields import (
    Cents,
    Count,
    Exact,
    Flag,
    Grams,
    Id,
    Limit,
    Name,
    OptionalName,
    OptionalRef,
    Quantity,
    SummedGrams,
    Text,
    Url,
)
from mcp_server.models.weight import GRAMS, UNITS, Weight

WEIGHT: TypeAdapter[float | None] = TypeAdapter(Weight)
ID: TypeAdapter[int] = TypeAdapter(Id)
COUNT: TypeAdapter[int | None] = TypeAdapter(Count)
CENTS: TypeAdapter[int | None] = TypeAdapter(Cents)
LIMIT: TypeAdapter[int] = TypeAdapter(Limit)
QUANTITY: TypeAdapter[Decimal | None] = TypeAdapter(Quantity)
NAME: TypeAdapter[str] = TypeAdapter(Name)
TEXT: TypeAdapter[str | None] = TypeAdapter(Text)
URL: TypeAdapter[str | None] = TypeAdapter(Url)
OPTIONAL_NAME: TypeAdapter[str | None] = TypeAdapter(OptionalName)
CATEGORY: TypeAdapter[str | int | None] = TypeAdapter(OptionalRef)
FLAG: TypeAdapter[bool] = TypeAdapter(Flag)
EXACT: TypeAdapter[Decimal] = TypeAdapter(Exact)
GRAMS_SHOWN: TypeAdapter[float] = TypeAdapter(Grams)
SUM_SHOWN: TypeAdapter[Decimal] = TypeAdapter(SummedGrams)

OUNCE, POUND = Decimal("28.349523125"), Decimal("453.59237")
NO_WHOLE_NUMBERS: tuple[Any, ...] = (
    True,
    False,
    1.5,
    math.nan,
    math.inf,
    "1_000",
    "0x10",
    "1.0",
    "1e3",
    "+1",
    "1 2",
    "one",
    "١٢",
    "9" * 1001,
    [1],
    {},
    b"1",
)


@pytest.mark.parametrize(
    ("written", "grams"),
    [
        ("540 g", 540),
        ("540g", 540),
        ("  540  grams  ", 540),
        ("1 gram", 1),
        ("1.2kg", 1200),
        ("1 KG 200 G", 1200),
        ("2 kilograms", 2000),
        ("0.1 kg", 100),
        ("1 lb 3 oz", POUND + 3 * OUNCE),
        ("1lb3oz", POUND + 3 * OUNCE),
        ("1 lb, 3 oz", POUND + 3 * OUNCE),
        ("1 lb. 3 oz.", POUND + 3 * OUNCE),
        ("1 lb\n3 oz", POUND + 3 * OUNCE),
        ("3 oz 1 lb", POUND + 3 * OUNCE),
        ("1 oz 1 oz", 2 * OUNCE),
        (".5 oz", OUNCE / 2),
        ("1 ounce", OUNCE),
        ("2 Ounces", 2 * OUNCE),
        ("2 pounds", 2 * POUND),
        ("5 LBS", 5 * POUND),
        ("12", 12),
        ("12.0", 12),
        (" 12 ", 12),
        ("0", 0),
        ("0 oz", 0),
        ("0.001 g", Decimal("0.001")),
        ("999999.999 kg", 999_999_999),
        (12, 12),
        (12.5, Decimal("12.5")),
        (0, 0),
        (999_999_999, 999_999_999),
    ],
)
def test_a_weight_is_read_with_the_exact_factors(written: Any, grams: int | Decimal) -> None:
    assert WEIGHT.validate_python(written) == float(grams)


@pytest.mark.parametrize("written", [None, "", " ", "\t\n"])
def test_an_empty_weight_is_unknown_and_not_nothing(written: str | None) -> None:
    assert WEIGHT.validate_python(written) is None


@pytest.mark.parametrize("written", [-0.0, "0"])
def test_a_weight_of_nothing_has_no_sign(written: Any) -> None:
    grams = WEIGHT.validate_python(written)
    assert grams is not None
    assert math.copysign(1, grams) == 1


@pytest.mark.parametrize(
    "written",
    [
        math.nan,
        math.inf,
        -math.inf,
        float("1e400"),
        "nan",
        "inf",
        "Infinity",
        "1e3",
        "1e400",
        True,
        False,
        -5,
        -0.001,
        "-5 g",
        "+5 g",
        "5 parsecs",
        "5 mg",
        "5 k g",
        "1_000",
        "1_000 g",
        "1,5 kg",
        "1,000 g",
        "1.2.3 kg",
        "1.200 g",
        "1.200",
        "12.345 oz",
        "12 13",
        "12 13 g",
        "1 lb 3",
        "g",
        "g 5",
        "kg5",
        "heavy",
        "0x10",
        "1/2 lb",
        "½ lb",
        [1],
        {"g": 1},
        b"5 g",
        1e9,
        10**9,
        10**400,
        "1000000000",
        "1000000 kg",
        "999999 kg 1000 kg",
        "999999999999 kg",
        "9" * 5000,
        "999999999.999999999999",
    ],
)
def test_an_invalid_weight_is_refused(written: Any) -> None:
    with pytest.raises(ValidationError):
        WEIGHT.validate_python(written)


@pytest.mark.parametrize(
    ("written", "readings"),
    [
        ("1.200 g", "1.200 g may mean 1.2 g or 1200 g"),
        ("1,200 g", "1,200 g may mean 1.2 g or 1200 g"),
        ("1.200", "1.200 may mean 1.2 or 1200"),
        ("12.345 oz", "12.345 oz may mean 12.3450 oz or 12345 oz"),
    ],
)
def test_a_weight_with_thousands_or_decimals_is_refused_with_both_readings(
    written: str, readings: str
) -> None:
    with pytest.raises(ValidationError, match=readings):
        WEIGHT.validate_python(written)


@pytest.mark.parametrize(("written", "grams"), [("1.234 kg", 1234), ("0.250 g", 0.25), ("12.3450 g", 12.345)])
def test_a_weight_whose_point_can_only_be_a_decimal_one_is_read(written: str, grams: float) -> None:
    assert WEIGHT.validate_python(written) == grams


def test_an_unknown_unit_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValidationError, match="has an unknown unit of weight: use g, kg, oz, lb"):
        WEIGHT.validate_python("5 parsecs")


@given(
    parts=st.lists(
        st.tuples(
            st.integers(0, 10**7), st.sampled_from(sorted(UNITS)), st.sampled_from(["", " "]), st.booleans()
        ),
        min_size=1,
        max_size=4,
    ),
    between=st.sampled_from(["", " ", ", ", ". ", "\n"]),
)
def test_parts_in_any_units_add_up_exactly(parts: list[tuple[int, str, str, bool]], between: str) -> None:
    text = between.join(
        f"{Decimal(thousandths).scaleb(-3):.4f}{space}{unit.upper() if loud else unit}"
        for thousandths, unit, space, loud in parts
    )
    exact = sum(
        (Fraction(thousandths, 1000) * Fraction(GRAMS[UNITS[unit]]) for thousandths, unit, _, _ in parts),
        Fraction(0),
    )
    assert WEIGHT.validate_python(text) == float(exact)


@given(grams=st.floats(0, 1e9, exclude_max=True))
def test_every_number_of_grams_in_range_is_kept_as_it_is(grams: float) -> None:
    assert WEIGHT.validate_python(grams) == grams


@given(text=st.text(alphabet="0123456789.,-+ gkolbzsn\t٣", max_size=20))
def test_any_text_is_a_weight_in_range_or_refused(text: str) -> None:
    try:
        grams = WEIGHT.validate_python(text)
    except ValidationError:
        return
    assert grams is None or 0 <= grams < 1e9


@pytest.mark.parametrize(
    ("given_id", "taken"),
    [
        (12, 12),
        ("12", 12),
        (" 12 ", 12),
        ("012", 12),
        (12.0, 12),
        (0, 0),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_an_id_may_be_a_number_or_its_text(given_id: Any, taken: int) -> None:
    assert ID.validate_python(given_id) == taken


@pytest.mark.parametrize("huge", [2**63, 10**40, 1e300, "9" * 30])
def test_an_id_that_postgresql_cannot_hold_becomes_the_last_it_can(huge: Any) -> None:
    assert ID.validate_python(huge) == 2**63 - 1


@pytest.mark.parametrize(
    ("negative", "taken"), [(-1, -1), ("-12", -12), (-(10**40), -(2**63)), (-1e300, -(2**63))]
)
def test_a_negative_id_is_one_that_no_row_has(negative: Any, taken: int) -> None:
    assert ID.validate_python(negative) == taken


@pytest.mark.parametrize("value", [*NO_WHOLE_NUMBERS, "", None])
def test_what_only_resembles_an_id_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="must be a whole number"):
        ID.validate_python(value)


@pytest.mark.parametrize(
    ("value", "taken"),
    [(0, 0), (3, 3), ("3", 3), (3.0, 3), (2**31 - 1, 2**31 - 1), (None, None), ("", None)],
)
def test_a_count_is_a_whole_number_or_unknown(value: Any, taken: int | None) -> None:
    assert COUNT.validate_python(value) == taken


@pytest.mark.parametrize("value", [-1, "-1", 2**31, 10**40, 1e300, "9" * 30, *NO_WHOLE_NUMBERS])
def test_an_invalid_count_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        COUNT.validate_python(value)


@pytest.mark.parametrize(
    ("value", "taken"),
    [(0, 0), (24995, 24995), ("24995", 24995), (10**15 - 1, 10**15 - 1), (None, None), ("", None)],
)
def test_a_price_is_a_whole_number_of_cents_or_unknown(value: Any, taken: int | None) -> None:
    assert CENTS.validate_python(value) == taken


@pytest.mark.parametrize("value", [-1, "-1", 10**15, 10**40, 249.95, "249.95", *NO_WHOLE_NUMBERS])
def test_an_invalid_price_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        CENTS.validate_python(value)


def test_a_number_out_of_range_is_refused_with_the_range() -> None:
    with pytest.raises(ValidationError, match="must be from 1 to 500"):
        LIMIT.validate_python(501)


@pytest.mark.parametrize("value", [1, 500, "500", 50.0])
def test_a_limit_is_from_1_to_500(value: Any) -> None:
    assert LIMIT.validate_python(value) == int(value)


@pytest.mark.parametrize("value", [0, -1, 501, *NO_WHOLE_NUMBERS])
def test_an_invalid_limit_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        LIMIT.validate_python(value)


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (0, Decimal(0)),
        (0.0, Decimal(0)),
        ("0", Decimal(0)),
        (2, Decimal(2)),
        (0.1, Decimal("0.1")),
        (2.25, Decimal("2.25")),
        ("2.25", Decimal("2.25")),
        (" 1.5 ", Decimal("1.5")),
        (999_999_999, Decimal(999_999_999)),
        (Decimal("0.5"), Decimal("0.5")),
        (Decimal(0), Decimal(0)),
        (None, None),
        ("", None),
    ],
)
def test_a_quantity_may_be_a_fraction_and_is_exact(value: Any, taken: Decimal | None) -> None:
    assert QUANTITY.validate_python(value) == taken


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        -1,
        -0.5,
        "-1",
        math.nan,
        math.inf,
        "nan",
        "1_000",
        "0x10",
        "1e3",
        "1,5",
        "1/2",
        "half",
        "1 2",
        "١",
        10**9,
        10**40,
        1e300,
        "9" * 5000,
        [1],
        b"1",
        Decimal("NaN"),
        Decimal("Infinity"),
    ],
)
def test_an_invalid_quantity_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        QUANTITY.validate_python(value)


@pytest.mark.parametrize("name", ["T", "x" * 200, "ö" * 200, "🏕️", "12"])
def test_a_name_is_up_to_200_characters_long(name: str) -> None:
    assert NAME.validate_python(name) == name


@pytest.mark.parametrize("name", ["", " ", "\t\n", "\u00a0\u2003", "x" * 201, None, 12, True])
def test_a_name_that_is_blank_or_too_long_or_no_text_is_refused(name: Any) -> None:
    with pytest.raises(ValidationError):
        NAME.validate_python(name)


def test_the_limit_of_a_text_counts_bytes() -> None:
    assert TEXT.validate_python("é" * 32_768) == "é" * 32_768
    with pytest.raises(ValidationError, match="must be at most 64 KB"):
        TEXT.validate_python("é" * 32_769)


def test_a_text_of_exactly_64_kb_is_the_longest() -> None:
    assert TEXT.validate_python("x" * 65_536) == "x" * 65_536
    with pytest.raises(ValidationError, match="must be at most 64 KB"):
        TEXT.validate_python("x" * 65_537)


@pytest.mark.parametrize("adapter", [TEXT, URL, OPTIONAL_NAME, CATEGORY])
@pytest.mark.parametrize("blank", [None, "", "  ", "\n"])
def test_a_blank_is_how_a_client_without_null_clears(
    adapter: TypeAdapter[str | None], blank: str | None
) -> None:
    assert adapter.validate_python(blank) is None


@pytest.mark.parametrize("value", [12, True, ["text"]])
def test_an_invalid_text_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        TEXT.validate_python(value)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com",
        "https://example.com/tent?size=2#specs",
        "HTTP://EXAMPLE.COM",
        "HttpS://example.com",
        "https://" + "x" * 8184,
    ],
)
def test_a_url_of_the_web_is_kept_as_it_is(url: str) -> None:
    assert URL.validate_python(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript:alert('https://example.com')",
        "javascript://example.com/%0Aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "file:///etc/passwd",
        "ftp://example.com/tent",
        "//example.com",
        "example.com",
        "www.example.com",
        "http:example.com",
        "http://",
        "https:// example.com",
        "javascript:\nhttps://example.com",
        "https://" + "x" * 8185,
        12,
    ],
)
def test_every_other_url_is_refused(url: Any) -> None:
    with pytest.raises(ValidationError):
        URL.validate_python(url)


@pytest.mark.parametrize(("value", "taken"), [("Shelter", "Shelter"), ("12", "12"), (12, 12)])
def test_a_category_is_a_name_or_an_id(value: Any, taken: str | int) -> None:
    assert CATEGORY.validate_python(value) == taken


@pytest.mark.parametrize(
    ("value", "taken"), [(True, True), (False, False), ("true", True), (" False ", False), ("TRUE", True)]
)
def test_a_flag_is_true_or_false_also_as_text(value: Any, taken: bool) -> None:
    assert FLAG.validate_python(value) is taken


@pytest.mark.parametrize("value", [None, "", "yes", "1", "t", 1, 0, 1.0, [True]])
def test_what_only_resembles_a_flag_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="must be true or false"):
        FLAG.validate_python(value)


@pytest.mark.parametrize("value", [True, 1.5, ["Shelter"], "x" * 201])
def test_an_invalid_category_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        CATEGORY.validate_python(value)


@pytest.mark.parametrize(
    ("exact", "shown"), [("476.0", "476"), ("476.50", "476.5"), ("0.000", "0"), ("9342.68", "9342.68")]
)
def test_a_number_leaves_with_no_digit_too_many(exact: str, shown: str) -> None:
    assert EXACT.dump_json(Decimal(exact)).decode() == shown


@pytest.mark.parametrize(
    ("exact", "shown"),
    [
        ("688.8934119375", "688.89"),
        ("12976.07071595", "12976.07"),
        ("2.675", "2.68"),
        ("476.0", "476"),
        ("476.50", "476.5"),
        ("0.001", "0.001"),
        ("0.0012345", "0.0012"),
        ("0.00996", "0.01"),
        ("0", "0"),
        ("999999999.994", "999999999.99"),
    ],
)
def test_a_weight_is_rounded_to_a_hundredth_of_a_gram_and_never_to_0(exact: str, shown: str) -> None:
    assert GRAMS_SHOWN.dump_json(float(exact)).decode() == shown
    assert SUM_SHOWN.dump_json(Decimal(exact)).decode() == shown
    assert SUM_SHOWN.dump_json(-Decimal(exact)).decode() == (f"-{shown}" if float(exact) else "0")


def test_only_weights_are_rounded() -> None:
    assert EXACT.dump_json(Decimal("0.33333")).decode() == "0.33333"


@given(st.floats(0, 1e9, exclude_max=True))
def test_a_rounded_weight_is_within_half_a_hundredth_of_a_gram(grams: float) -> None:
    shown = float(GRAMS_SHOWN.dump_json(grams))
    assert abs(Decimal(str(shown)) - Decimal(str(grams))) <= Decimal("0.005")
    assert (shown == 0) == (grams == 0)
