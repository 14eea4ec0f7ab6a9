"""Lines that add up others: counted never, whatever they are called, or refused with their line."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.formats.line import Line, RefusedLine
from mcp_server.formats.opening import open_text
from mcp_server.formats.sums import Entry, Figure, find_sums


def read(text: str) -> list[Line | RefusedLine]:
    return list(open_text(text))


def skipped(text: str) -> list[int]:
    return [line.number for line in read(text) if isinstance(line, RefusedLine) and line.skipped]


def refused(text: str) -> list[RefusedLine]:
    return [line for line in read(text) if isinstance(line, RefusedLine) and not line.skipped]


def grams(lines: Sequence[Line | RefusedLine]) -> float:
    items = [line for line in lines if isinstance(line, Line)]
    return sum((line.weight_grams or 0) * (line.quantity or 0) for line in items)


Groups = list[list[tuple[int, int]]]
GROUPS: st.SearchStrategy[Groups] = st.lists(
    st.lists(st.tuples(st.integers(1, 20_000), st.integers(1, 9)), min_size=2, max_size=6),
    min_size=2,
    max_size=5,
)


def sheet(
    groups: Groups, *, below: bool = False, blanks: bool = False, pieces: bool = True, spoilt: int = 0
) -> tuple[str, int]:
    """Return a sheet with a subtotal for each group, the first of them *spoilt*, and the line of that one."""
    lines = ["Item,Qty,Weight (g)" if pieces else "Item,Weight (g)"]
    first = 0
    for at, group in enumerate(groups):
        total = sum(weight * (count if pieces else 1) for weight, count in group) + (spoilt if not at else 0)
        items = [
            f"Thing {at}.{number},{count},{weight / 10}" if pieces else f"Thing {at}.{number},{weight / 10}"
            for number, (weight, count) in enumerate(group)
        ]
        subtotal = f"Group {at},,{total / 10}" if pieces else f"Group {at},{total / 10}"
        lines += [*items, subtotal] if below else [subtotal, *items]
        first = first or (len(lines) if below else len(lines) - len(items))
        lines += [",," if pieces else ","] if blanks else []
    return "\n".join(lines), first


@settings(deadline=None, max_examples=50)
@given(GROUPS, st.booleans(), st.booleans())
def test_a_subtotal_above_or_below_its_group_is_never_counted(
    groups: Groups, below: bool, blanks: bool
) -> None:
    text, _ = sheet(groups, below=below, blanks=blanks)
    expected = sum(weight * count for group in groups for weight, count in group) / 10
    found = read(text)
    # A first group of ones can also be read the other way round, which is then refused.
    assert refused(text) or grams(found) == pytest.approx(expected)
    assert refused(text) or len(skipped(text)) == len(groups)


@settings(deadline=None, max_examples=50)
@given(GROUPS, st.booleans())
def test_totals_that_only_their_figures_show_are_not_counted_or_refused(groups: Groups, below: bool) -> None:
    text, _ = sheet(groups, below=below, pieces=False)
    expected = sum(weight for group in groups for weight, _ in group) / 10
    assert refused(text) or grams(read(text)) == pytest.approx(expected)


def test_a_line_that_a_subtotal_adds_up_is_no_total_of_the_list() -> None:
    text = "Item,Weight (g)\nCook,2\nPot,1\nLid,1\nSleep,4\nLiner,1\nPad,3\n"
    assert not refused(text)
    assert (skipped(text), grams(read(text))) == ([2, 5], 6)


@settings(deadline=None, max_examples=50)
@given(GROUPS, st.integers(500, 900))
def test_a_subtotal_that_is_not_the_sum_is_not_counted_either(groups: Groups, spoilt: int) -> None:
    groups[0] = [(weight + 1000, 1) for weight, _ in groups[0]]
    text, line = sheet(groups, spoilt=spoilt)
    expected = sum(weight * count for group in groups for weight, count in group) / 10
    assert grams(read(text)) == pytest.approx(expected)
    assert line in skipped(text) + [each.number for each in refused(text)]


def test_the_refusal_of_a_subtotal_names_its_lines_and_their_sum() -> None:
    (bad,) = refused("Item,Qty,Weight (g)\nShelter,,1300\nTent,1,1180\nStakes,8,9.5\nCook,,85\nStove,1,85\n")
    assert (bad.number, bad.name) == (2, "Shelter")
    assert "looks like the total of lines 3 to 4, which add up to 1256 g" in bad.problems[0].reason


def test_a_category_with_its_subtotal_is_the_category_of_its_lines() -> None:
    tent, *_ = (
        line
        for line in read("Item,Qty,Weight (g)\nShelter,,1260\nTent,1,1180\nStakes,1,80\n")
        if isinstance(line, Line)
    )
    assert (tent.name, tent.category) == ("Tent", "Shelter")


def test_the_verdict_names_the_lines_that_a_total_adds_up() -> None:
    first, *_ = read("Item,Qty,Weight (g)\nShelter,,1260\nTent,1,1180\nStakes,1,80\n")
    assert isinstance(first, RefusedLine)
    assert first.problems[0].reason == "is a category with the total of lines 3 to 4"


def test_subtotals_may_be_rounded_and_in_another_unit() -> None:
    assert skipped("Item,Qty,Weight (oz)\nShelter,,44\nTent,1,41.6\nStakes,8,0.35\n") == [2]
    assert skipped("Item,Qty,Weight\nShelter,,1.26 kg\nTent,1,1180 g\nStakes,8,9.5 g\n") == [2]


@pytest.mark.parametrize(
    "text",
    [
        # Without a quantity, a single piece is meant.
        "Item,Weight (g),Qty\nTent,1200,\nQuilt,600,\nStakes,9.5,8\nSocks,60,2\n",
        "Item,Weight (g)\nTent,1200\nMug,90\nPot,120\n",
        "Item,Qty,Weight (g)\nTent,1,1200\nMug,1,90\nPot,1,120\nSpoon,,\n",
        "Item,Weight (g),Notes\nTent,1200,green\nMug,90,\nPot,120,\n",
    ],
)
def test_ordinary_items_are_not_taken_for_totals(text: str) -> None:
    lines = read(text)
    assert all(isinstance(line, Line) for line in lines)
    assert not [
        note for line in lines if isinstance(line, Line) for _, note in line.remarks if "together" in note
    ]


def test_a_single_sum_among_many_items_is_an_item_with_a_remark() -> None:
    lines = read("Item,Weight (g)\nMug,90\nPot,300\nLid,100\nPan,200\nKnife,77\nSpoon,13\nFork,19\n")
    noted = [line for line in lines if isinstance(line, Line) and line.remarks]
    assert [line.name for line in noted] == ["Pot"]
    assert "lines 4 to 5 together" in noted[0].remarks[0].note


def test_a_grand_total_without_the_word_is_skipped() -> None:
    text = (
        "Item,Qty,Weight (g)\nMy pack,,1430\nShelter,,1260\nTent,1,1180\nStakes,1,80\nCook,,170\nStove,2,85\n"
    )
    assert skipped(text) == [2, 3, 6]
    assert grams(read(text)) == 1430


def test_prices_alone_show_totals_too() -> None:
    assert skipped("Item,Qty,Price\nShelter,,120.50\nTent,1,100\nStakes,2,10.25\nCook,,8\nMug,1,8\n") == [
        2,
        5,
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.builds(
            Entry,
            number=st.integers(1, 50),
            name=st.sampled_from(["", "a", "b"]),
            figures=st.dictionaries(
                st.sampled_from(["weight", "price", "#3"]),
                st.builds(Figure, st.floats(0, 1e9), st.floats(0, 1)),
                max_size=3,
            ),
            pieces=st.none() | st.floats(0, 1e9),
            is_bare=st.booleans(),
            after_break=st.booleans(),
        ),
        max_size=12,
        unique_by=lambda entry: entry.number,
    )
)
def test_any_lines_have_totals_among_themselves(entries: list[Entry]) -> None:
    numbers = {entry.number for entry in entries}
    found = find_sums(entries)
    assert found.keys() <= numbers
    assert all({each.first, each.last} <= numbers for each in found.values())


def test_pairs_of_equal_items_are_not_taken_for_totals() -> None:
    text = "Item,Weight (g)\nLeft glove,100\nRight glove,100\nLeft sock,70\nRight sock,70\n"
    lines = [line for line in open_text(text) if isinstance(line, Line)]
    assert [(line.name, line.remarks) for line in lines] == [
        (name, ()) for name in ("Left glove", "Right glove", "Left sock", "Right sock")
    ]


def test_two_items_and_one_that_weighs_as_much_are_three_items() -> None:
    lines = list(open_text("Item,Weight (g)\nTent,900\nInner,600\nFly,300\n"))
    assert [line.name for line in lines if isinstance(line, Line)] == ["Tent", "Inner", "Fly"]
