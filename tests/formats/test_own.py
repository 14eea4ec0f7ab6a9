"""Spreadsheets with columns of their own, and plain text: the totals that a person adds up, or a refusal."""

import json
import tomllib
from decimal import Decimal
from importlib.resources import files
from io import FileIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.errors import InvalidInput
from mcp_server.formats.aliases import OTHER, UNITS, folded, recognized
from mcp_server.formats.columns import UNASKED, Asked
from mcp_server.formats.line import Line, RefusedLine
from mcp_server.formats.opening import open_file, open_text
from mcp_server.formats.preview import Totals, preview, totals
from mcp_server.models.weight import GRAMS

FOLDER = Path(__file__).parents[1] / "data" / "csv"
LANGUAGE_CODES = {"en", "de", "fr", "es", "nl", "sv", "no", "da", "it", "pl", "pt", "cs"}
OZ, LB = GRAMS["oz"], GRAMS["lb"]
# What the lines of each sample weigh and cost together, added up by hand.
SUMS: dict[str, tuple[Asked, Decimal, str]] = {
    "field/own_german.csv": (Asked(), 1250 + 8 * Decimal("9.5"), "261.90"),
    "field/own_notion.csv": (Asked(), 2 * LB + Decimal("11.2") * OZ, "369.95"),
    "field/own_ounces_no_unit.csv": (
        Asked(weight_unit="oz"),
        (Decimal("30.1") + 3 * Decimal("2.4")) * OZ,
        "0",
    ),
    "field/own_weight_g.csv": (Asked(), 1285 + 8 * Decimal("9.5"), "0"),
    "field/own_yes_no.csv": (Asked(), Decimal("58.1") * OZ, "0"),
    "field/title_line.csv": (Asked(), Decimal(1200), "0"),
    "field/total_row.csv": (Asked(), Decimal(1200), "0"),
    "field/trailing_blank_cols.csv": (Asked(), Decimal(1200), "0"),
    "own/category_rows.csv": (Asked(), 1180 + 8 * Decimal("9.5") + 85, "0"),
    "own/category_rows_after_blanks.csv": (Asked(), 1180 + 3 * OZ, "0"),
    "own/czech.csv": (Asked(), Decimal(1180 + 125), "12888.50"),
    "own/french_semicolon.csv": (Asked(), Decimal(1180 + 125 + 230), "2848.90"),
    "own/headers_repeated.csv": (Asked(), Decimal(900 + 310 + 85), "0"),
    "own/markdown.md": (Asked(), 1180 + 3 * OZ + 124, "389.95"),
    "own/merged_categories.csv": (Asked(), Decimal("3.24") * LB, "0"),
    "own/no_unit_in_kilograms.csv": (Asked({"Gewicht": "weight kg"}), Decimal(1304), "0"),
    "own/no_weights.csv": (Asked(), Decimal(0), "1398.95"),
    "own/polish_utf16.tsv": (Asked(), Decimal(1490), "0"),
    "own/danish_no_weights.csv": (Asked(), Decimal(0), "3187.50"),
    "own/dutch_trips.csv": (Asked(), Decimal(1180 + 3 * 62 + 85), "0"),
    "own/italian_ounces.csv": (Asked(), (Decimal("41.6") + 8 * Decimal("0.35") + 3) * OZ, "0"),
    "own/norwegian_kilos.csv": (Asked(), Decimal(1180 + 76 + 85), "0"),
    "own/portuguese_tabs.tsv": (Asked(), Decimal(1180 + 76), "0"),
    "own/pounds_and_ounces.csv": (Asked(), 4 * LB + (Decimal("9.6") + 3 + 2 * Decimal("2.2")) * OZ, "0"),
    "own/spanish_utf16_semicolon.csv": (Asked(), Decimal(1180 + 76 + 85), "299.95"),
    "own/subtotals_above.csv": (Asked(), Decimal(1180 + 76 + 85 + 85), "299.95"),
    "own/subtotals_below.csv": (Asked(), Decimal(1180 + 76 + 85 + 12), "0"),
    "own/subtotals_by_figures.csv": (Asked(), Decimal(1180 + 88 + 85 + 124 + 17 + 565 + 438), "0"),
    "own/subtotals_in_total_column.csv": (
        Asked(),
        (Decimal("41.6") + 8 * Decimal("0.35") + 3 + 2 * Decimal("0.45")) * OZ,
        "0",
    ),
    "own/subtotals_of_categories.csv": (Asked(), Decimal(1180 + 88 + 85 + 17), "0"),
    "own/subtotals_with_pieces.csv": (Asked(), Decimal(1180 + 76 + 85 + 24), "0"),
    "own/swedish.csv": (Asked(), Decimal(1180 + 124), "0"),
    "own/total_weight.csv": (Asked(), Decimal("44.4") * OZ, "0"),
    "own/trips.csv": (Asked(), Decimal(1180 + 3 * 62 + 85 + 310), "0"),
    "own/two_weights.csv": (
        Asked({"Weight (oz)": "ignore"}),
        Decimal(1180 + 85 + 290),
        "0",
    ),
}


def read(text: str, asked: Asked = UNASKED, currency: str | None = None) -> list[Line | RefusedLine]:
    return list(open_text(text, currency=currency, asked=asked))


def refusal(text: str, asked: Asked = UNASKED) -> str:
    with pytest.raises(InvalidInput) as refused:
        open_text(text, asked=asked)
    return str(refused.value)


@pytest.mark.parametrize("sample", SUMS)
def test_a_list_of_any_shape_has_the_totals_of_its_lines(sample: str) -> None:
    asked, grams, price = SUMS[sample]
    with open_file(FileIO(FOLDER / sample), asked=asked) as reader:
        found = totals(reader)
    assert found.refused == []
    assert float(found.grams) == pytest.approx(float(grams), abs=1e-6)
    assert found.cents == Decimal(price) * 100


def test_every_own_sample_has_a_sum() -> None:
    own = {f"own/{path.name}" for path in (FOLDER / "own").iterdir() if path.suffix != ".json"}
    assert own - SUMS.keys() == {"own/pasted.txt", "own/subtotal_out_of_date.csv"}
    assert len(own) > 10


# --- aliases


def test_each_alias_means_one_field_and_each_field_has_twelve_languages() -> None:
    text = files("mcp_server.formats").joinpath("aliases.toml").read_text(encoding="utf-8")
    seen: dict[str, str] = {}
    for table, languages in tomllib.loads(text).items():
        if table not in UNITS:
            assert set(languages) == LANGUAGE_CODES, table
        for alias in ",".join(languages.values()).split(","):
            assert folded(alias), (table, alias)
            if table not in OTHER:
                assert seen.setdefault(folded(alias), table) == table, alias


@pytest.mark.parametrize(
    ("header", "column"),
    [
        ("Weight (g)", "weight g"),
        ("weight_oz", "weight oz"),
        ("Gewicht [g]", "weight g"),
        ("grams", "weight g"),
        ("WeightGrams", "weight g"),
        ("Poids en grammes", "weight g"),
        ("Vægt, kg", "weight kg"),
        ("Weight per item (lbs)", "weight lb"),
        ("Total Weight (oz)", "total weight oz"),
        ("Preis (€)", "price"),
        ("Cena (Kč)", "price"),
        ("Price USD", "price"),
        ("MÄRKE", "brand"),
        ("Weight (lb oz)", "weight"),
        ("Worn (g)", None),
        ("Total price", None),
        ("#", None),
        ("", None),
    ],
)
def test_a_header_is_recognised_with_its_unit(header: str, column: str | None) -> None:
    found = recognized(header)
    assert (found and str(found)) == column


# --- what is refused, with the way out


def test_a_weight_without_a_unit_is_refused_with_the_column_the_argument_and_the_mapping() -> None:
    words = refusal("Item,Gewicht\nTent,1200\n")
    assert 'The column "Gewicht" is a weight without a unit: "1200". Give weight_unit' in words
    assert '{"Item": "name", "Gewicht": "weight g"}' in words


def test_a_weight_without_a_unit_is_needed_only_for_numbers_without_one() -> None:
    (tent, mug) = read("Item,Weight\nTent,1.2 kg\nMug,3 oz\n")
    assert isinstance(tent, Line)
    assert isinstance(mug, Line)
    assert tent.weight_grams == 1200
    (bare, own) = read("Item,Weight\nTent,2\nMug,90 g\n", Asked(weight_unit="lb"))
    assert isinstance(bare, Line)
    assert isinstance(own, Line)
    assert (bare.weight_grams, own.weight_grams) == (907.18474, 90)


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Item,Price,Cost", 'The columns "Price" and "Cost" may both be the price'),
        ("Item,Qty,Count", '{"Count": "ignore"}'),
    ],
)
def test_two_columns_for_one_figure_are_refused(header: str, words: str) -> None:
    assert words in refusal(f"{header}\nTent,1,2\n")


def test_two_weights_of_one_thing_must_agree() -> None:
    tent, pot = read("Item,Weight (oz),Weight (g)\nTent,41.6,1180\nPot,5.1,290\n")
    assert isinstance(tent, Line)
    assert isinstance(pot, RefusedLine)
    assert tent.weight_grams == 1180
    assert pot.problems[0].column == "Weight (oz)"


@pytest.mark.parametrize(
    ("header", "columns", "words"),
    [
        ("Was,Wieviel", {"Wat": "name"}, 'has no column "Wat". Did you mean "Was"? It names "Was, Wieviel".'),
        ("Was,Wieviel", {"Was": "thing"}, 'columns: "thing" is unknown'),
        ("Was,Wieviel", {"Was": "name g"}, 'columns: "name g" is unknown'),
        ("Foo,Wieviel", {"Wieviel": "weight g"}, 'such as {"Foo": "name"}'),
    ],
)
def test_a_mapping_that_cannot_be_followed_is_refused(
    header: str, columns: dict[str, str], words: str
) -> None:
    assert words in refusal(f"{header}\nZelt,1200\n", Asked(columns))


def test_a_header_without_meaning_is_refused_with_a_mapping_to_complete() -> None:
    assert '{"Combined Name": "name", "Foo": "ignore"}' in refusal("Combined Name,Foo\nTent,1\n")


# --- mappings


def test_a_mapping_wins_and_other_columns_are_named_and_kept_if_asked() -> None:
    text = "Item,Gewicht (g),Wer,Foo,Bar\nTent,1200,Anna,7,red\n"
    reader = open_text(text, asked=Asked({"wer": "notes", "Foo": "ignore"}))
    (line,) = reader
    assert isinstance(line, Line)
    assert (line.notes, line.weight_grams) == ("Wer: Anna", 1200)
    assert reader.remarks == [("Bar", "not kept, on 1 line")]
    assert reader.columns == {"Item": "name", "Gewicht (g)": "weight g", "Wer": "notes", "Foo": "ignore"}


def test_a_mapping_finds_a_header_that_means_nothing_otherwise() -> None:
    (line,) = read("Some title\n\nA;B\nTent;1,5\n", Asked({"a": "name", "b": "weight kg"}))
    assert isinstance(line, Line)
    assert (line.number, line.name, line.weight_grams) == (4, "Tent", 1500)


def test_a_brand_is_in_front_of_the_name_once() -> None:
    lines = read("Item,Brand,Weight (g)\nTent,MSR,1\nMSR Pot,MSR,1\nMug,,1\n")
    assert [line.name for line in lines if isinstance(line, Line)] == ["MSR Tent", "MSR Pot", "Mug"]


def test_a_trip_packs_what_it_has() -> None:
    text = (FOLDER / "own" / "trips.csv").read_text(encoding="utf-8")
    reader = open_text(text, asked=Asked(setup_name="coast"))
    lines = [line for line in reader if isinstance(line, Line)]
    assert reader.is_list
    assert [(line.quantity, line.setup_quantity) for line in lines] == [(1, None), (3, 1), (1, 1), (1, 1)]
    alps = [line for line in read(text, Asked(setup_name="Alps")) if isinstance(line, Line)]
    assert [line.setup_quantity for line in alps] == [1, 2, 1, None]


def test_a_trip_that_cannot_be_read_refuses_the_line() -> None:
    found = read("Item,Weight (g),A\nTent,1,maybe\nMug,1,x\n", Asked({"A": "trip"}, setup_name="A"))
    assert [isinstance(line, Line) for line in found] == [False, True]


def test_a_line_of_a_sum_without_a_name_is_a_total_and_another_is_bad() -> None:
    found = read("Item,Weight (g)\nTent,1200\nMug,90\n,1290\n")
    assert isinstance(found[-1], RefusedLine)
    assert found[-1].skipped
    found = read("Item,Weight (g)\nTent,1200\nMug,90\n,700\n")
    assert isinstance(found[-1], RefusedLine)
    assert not found[-1].skipped


def test_all_worn_pieces_of_a_line_are_worn() -> None:
    (line,) = read("Item,Weight (g),Qty,Worn\nSocks,60,2,ja\n")
    assert isinstance(line, Line)
    assert (line.classification, line.worn_quantity) == ("worn", 2)


def test_a_preview_has_the_first_lines_and_the_totals() -> None:
    shown = list(preview(open_text("Item,Weight (g),Price\nTent,1200,1.50\nMug,,\n")))
    assert shown == [
        "  1 × Tent: 1,200 g, 1.50",
        "  1 × Mug: unknown weight",
        "Total: 2 items, 1,200 g, prices 1.50, 1 of unknown weight",
    ]


# --- plain text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tent 1200g", ("Tent", 1200, None, 1, "base")),
        ("2x socks 62 g worn", ("socks", 62, None, 2, "worn")),
        ("- stove (85 g, $45)", ("stove", 85, 4500, 1, "base")),
        ("Pot\t540 g\t€20", ("Pot", 540, 2000, 1, "base")),
        ("1200 g Tent", ("Tent", 1200, None, 1, "base")),
        ("* [ ] Gas 230 g (consumable)", ("Gas", 230, None, 1, "consumable")),
        ("Stakes x8 - 9,5 g each", ("Stakes", 9.5, None, 8, "base")),
        ("Tarp 3 x 5 m 400 g", ("Tarp 3 x 5 m", 400, None, 1, "base")),
        ("Tent (2p) 1.2 kg", ("Tent (2p)", 1200, None, 1, "base")),
        ("Mug 90 g / 3.2 oz", ("Mug", 90, None, 1, "base")),
    ],
)
def test_a_line_of_text_is_read(text: str, expected: tuple[Any, ...]) -> None:
    (line,) = read(text)
    assert isinstance(line, Line)
    figures = (line.name, line.weight_grams, line.price_cents, line.quantity, line.classification)
    assert figures == expected


@pytest.mark.parametrize(
    "text", ["Lid 10 g, 50 g", "Tent, 2, 1200g", "2x Tent x3 1200 g", "Mug $5 90 g $6", "4x pegs 40 g total"]
)
def test_a_line_of_text_with_two_meanings_is_refused(text: str) -> None:
    (line,) = read(text)
    assert isinstance(line, RefusedLine)
    assert not line.skipped


@pytest.mark.parametrize("text", ["Tent\nStove", "Foo,Bar\n1,2", "Dear all,\nplease bring gear.\n"])
def test_a_text_without_figures_is_not_taken_for_a_list(text: str) -> None:
    assert "Not a list in a known format" in refusal(text)


@pytest.mark.parametrize(
    "piece", ["1 ", "1.", "1 g ", "(", "x1 ", "$1", "1,1", "- ", "**", "\t1", "1 lb 1 oz ", "[", "'1"]
)
def test_hostile_lines_of_text_cost_no_more_than_others(piece: str) -> None:
    line = (piece * 1000)[:990]
    found = read("Tent 5 g\n" * 2000 + f"{line}\n" * 1000)
    assert sum(isinstance(each, Line) and each.name == "Tent" for each in found) == 2000


# --- any table


FIELDS = ("name", "weight", "quantity", "price")
LANGUAGES = tomllib.loads(files("mcp_server.formats").joinpath("aliases.toml").read_text(encoding="utf-8"))
ALIASES = {
    field: sorted({alias.strip() for line in LANGUAGES[field].values() for alias in line.split(",")})
    for field in FIELDS
}
UNIT_WORDS = {"g": ["g", "gram", "Gramm"], "kg": ["kg"], "oz": ["oz", "ounces"], "lb": ["lb", "lbs"]}
DRESSES = ["{} ({})", "{} [{}]", "{}_{}", "{} in {}", "{}, {}"]


@st.composite
def tables_of(draw: st.DrawFn) -> tuple[str, str, list[tuple[str, Decimal, int, Decimal]]]:
    """A table as text, its unit, and its values."""
    sign, delimiter = draw(st.sampled_from(".,")), draw(st.sampled_from(",;\t"))
    unit = draw(st.sampled_from(sorted(UNIT_WORDS)))
    dress = draw(st.sampled_from(DRESSES))
    headers = {field: draw(st.sampled_from(ALIASES[field])) for field in FIELDS}
    headers["weight"] = dress.format(headers["weight"], draw(st.sampled_from(UNIT_WORDS[unit])))
    amount = st.decimals(Decimal("0.001"), Decimal(99999), places=3).map(Decimal.normalize)
    price = st.decimals(Decimal("0.01"), Decimal(99999), places=2)
    count = st.integers(0, 99)
    values = draw(st.lists(st.tuples(st.integers(1, 10**6), amount, count, price), min_size=1, max_size=6))
    rows = [(f"Thing {number}", weight, pieces, cost) for number, weight, pieces, cost in values]
    order = draw(st.permutations(FIELDS))
    grouped = draw(st.booleans())

    def cell(value: Any) -> str:
        if not isinstance(value, Decimal):
            return str(value)
        text = f"{value:,f}" if grouped else f"{value:f}"
        return text if sign == "." else text.translate(str.maketrans(",.", ".,"))

    def line(cells: list[str]) -> str:
        return delimiter.join(f'"{each}"' if delimiter in each else each for each in cells)

    lines = [line([headers[field] for field in order])]
    for row in rows:
        by_field = dict(zip(FIELDS, row, strict=True))
        lines.append(line([cell(by_field[field]) for field in order]))
    return draw(st.sampled_from(["\n", "\r\n", "\r"])).join(lines), unit, rows


@given(tables_of())
def test_any_table_is_read_back_to_the_same_figures_or_refused_with_the_ambiguity(
    table: tuple[str, str, list[tuple[str, Decimal, int, Decimal]]],
) -> None:
    text, unit, rows = table
    found = read(text)
    assert len(found) == len(rows)
    for line, (name, weight, pieces, price) in zip(found, rows, strict=True):
        if isinstance(line, RefusedLine):
            assert all("may mean" in problem.reason for problem in line.problems), line
            continue
        grams = float(weight * GRAMS[unit])
        assert line.name == name
        assert line.weight_grams == pytest.approx(grams, rel=1e-12)
        assert line.setup_quantity == pieces
        # A price that may have two meanings costs only its cell, and is reported.
        reported = any("may mean" in note for _, note in line.remarks)
        assert line.price_cents == int(price * 100) or (reported and line.price_cents is None)


def test_totals_count_what_a_list_leaves_unknown() -> None:
    found = Totals()
    for line in read("Item,Weight (g)\nTent,\n"):
        found.add(line)
    assert (found.lines, found.unweighed, found.unpriced) == (1, 1, 1)


def test_a_mapping_can_be_copied_from_a_refusal() -> None:
    text = "Item,Gewicht\nTent,1200\n"
    words = refusal(text)
    mapping = json.loads(words[words.index("{") : words.index("}") + 1])
    (line,) = read(text, Asked(mapping))
    assert isinstance(line, Line)
    assert line.weight_grams == 1200


def items(found: list[Line | RefusedLine]) -> list[Line]:
    return [line for line in found if isinstance(line, Line)]


def test_what_a_trip_packs_is_owned() -> None:
    (line,) = items(
        read("Item,Weight (g),Qty,Alps\nSocks,60,2,3\n", Asked({"Alps": "trip"}, setup_name="Alps"))
    )
    assert (line.quantity, line.setup_quantity) == (3, 3)


def test_whole_pounds_beside_their_ounces_are_one_weight() -> None:
    tent, pot = items(read("Item,Weight (lb),Weight (oz)\nTent,2,32\nPot,1,16\n"))
    assert tent.weight_grams == pytest.approx(float(2 * LB))
    assert pot.weight_grams == pytest.approx(float(LB))


def test_a_column_that_is_filled_on_every_line_is_not_a_trip() -> None:
    reader = open_text("Item,Weight (g),New\nTent,900,x\nPot,300,x\n", asked=Asked(setup_name="New"))
    assert not reader.is_list


def test_a_column_of_years_is_not_a_trip() -> None:
    reader = open_text("Item,Weight (g),Year\nTent,900,2019\nPot,300,\n", asked=Asked(setup_name="Year"))
    assert not reader.is_list


def test_a_category_that_is_repeated_is_not_that_of_lines_without_one() -> None:
    lines = items(read("Category,Item,Weight (g)\nCook,Pot,300\n,Map,50\nCook,Mug,90\n"))
    assert [line.category for line in lines] == ["Cook", None, "Cook"]
    merged = items(read("Category,Item,Weight (g)\nCook,Pot,300\n,Mug,90\nSleep,Quilt,700\n"))
    assert [line.category for line in merged] == ["Cook", "Cook", "Sleep"]


def test_beside_a_given_weight_no_other_is_recognised() -> None:
    lines = items(read("Item,Summe,Weight (g),Qty\nPegs,800,5,8\n", Asked({"Summe": "total weight g"})))
    assert [line.weight_grams for line in lines] == [100]
