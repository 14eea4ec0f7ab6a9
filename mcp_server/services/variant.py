"""Variants: what the totals of a setup would be with other lines, without writing anything."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, cast

from psycopg import AsyncConnection
from psycopg.sql import SQL
from psycopg.types.json import Jsonb

from db.query import fetch_all, fetch_only
from mcp_server.errors import InvalidInput, NotFound, in_list
from mcp_server.models import weight
from mcp_server.models.fields import Row
from mcp_server.models.setup import Line, LineDifference, NewLine
from mcp_server.models.variant import Added, Swap, Totals, Variant, VariantLine
from mcp_server.services import candidate, line, page, reference, setup
from mcp_server.services.comparison import BY_ITEM
from mcp_server.services.reference import Noun
from mcp_server.services.setup import LINES, TOTALS
from mcp_server.services.thread import OWN_PRICE

# Columns of the lines that a statement gets as JSON. Numbers are texts, so that no digit is lost.
TYPED = SQL("""
    jsonb_to_recordset(%(lines)s) AS lines (
        sign int, item_id bigint, name text, weight_grams float8, weight_margin_grams float8,
        price_cents bigint, quantity numeric, classification text, worn_quantity numeric
    )
""")
# What the rows of a variant refer to.
REFERENCES: dict[str, Noun] = {"old_item_id": "item", "item_id": "item", "candidate_id": "candidate"}
WEIGHTS = ("weight_grams", "weight_margin_grams")
OF_LINE = {"quantity", "classification", "worn_quantity"}
FIGURES = ("total_grams", "base_grams", "worn_grams", "consumable_grams", "pack_grams")


class Known(Row):
    """An item or candidate that is packed."""

    id: int
    name: str
    weight_grams: float | None
    weight_margin_grams: float | None
    price_cents: int | None


class Packed(Known):
    """A line. Things that are not items have negative numbers, because lines are compared by them."""

    candidate_id: int | None = None
    quantity: Decimal
    classification: str
    worn_quantity: Decimal

    def row(self, sign: int) -> dict[str, Any]:
        return {
            "sign": sign,
            "item_id": self.id,
            "name": self.name,
            **{name: None if (grams := getattr(self, name)) is None else repr(grams) for name in WEIGHTS},
            "price_cents": self.price_cents,
            "quantity": str(self.quantity),
            "classification": self.classification,
            "worn_quantity": str(self.worn_quantity),
        }


async def what_if(
    conn: AsyncConnection,
    in_setup: str | int,
    *,
    change: Sequence[NewLine] = (),
    remove: Sequence[str | int] = (),
    swap: Sequence[Swap] = (),
    add: Sequence[Added] = (),
) -> Variant:
    """Return what a setup's totals would be, and the lines that would differ."""
    if not (change or remove or swap or add):
        raise InvalidInput("Give at least one of change, remove, swap and add.")
    setup_id = await reference.existing(conn, "setup", in_setup)
    before = await setup.summarize(conn, setup_id)
    old = {each.id: each for each in await packed(conn, setup_id)}
    gone = await reference.resolve_all(conn, "item", remove, within=setup_id)
    rows = [await with_ids(conn, setup_id, each) for each in (change, swap, add)]
    new = await varied(conn, setup_id, old, gone, *rows)
    lines = await differing(conn, [*old.values()], new)
    totals = Totals(
        state="before", **{name: getattr(before, name) for name in Totals.model_fields if name != "state"}
    )
    after = await total(conn, new)
    variant = Variant(
        setup_id=setup_id,
        name=before.name,
        totals=(totals, after, difference(totals, after, lines)),
        lines=lines,
        units=before.units,
    )
    return page.fit(variant, "lines", lambda shown: {"lines_left_out": len(lines) - shown})


async def packed(conn: AsyncConnection, setup_id: int) -> list[Packed]:
    query = SQL("""
        SELECT
            item_id AS id, name, weight_grams, weight_margin_grams, price_cents, quantity, classification,
            worn_quantity
        FROM ({lines}) AS lines
        WHERE setup_id = %(setup_id)s
        ORDER BY lines.id
    """).format(lines=LINES)
    return await fetch_all(conn, Packed, query, {"setup_id": setup_id})


async def with_ids(
    conn: AsyncConnection, setup_id: int, rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return rows with the ids of what they refer to."""
    return [
        {
            **row,
            **{
                name: await reference.resolve(
                    conn, noun, row[name], within=setup_id if name == "old_item_id" else None
                )
                for name, noun in REFERENCES.items()
                if row.get(name) is not None
            },
        }
        for row in rows
    ]


async def varied(
    conn: AsyncConnection,
    setup_id: int,
    old: Mapping[int, Packed],
    remove: Sequence[int],
    change: Sequence[Mapping[str, Any]],
    swap: Sequence[Mapping[str, Any]],
    add: Sequence[Mapping[str, Any]],
) -> list[Packed]:
    """Return the lines of a setup with all changes made."""
    gone = [*remove, *(each["old_item_id"] for each in swap)]
    new_ids = [found for each in (*swap, *add) if (found := each.get("item_id")) is not None]
    await line.check_items(conn, [*gone, *(each["item_id"] for each in change), *new_ids])
    check_lines(setup_id, old, gone, new_ids)
    changed = {each["item_id"]: each for each in change}
    things = await Things.fetch(conn, [*swap, *add], [*changed])
    replaced = {each["old_item_id"]: each for each in swap}
    lines = [
        things.swapped(each, replaced[each.id]) if each.id in replaced else with_change(each, changed)
        for each in old.values()
        if each.id not in remove
    ]
    more = [things.added({"item_id": each["item_id"]}, each) for each in change if each["item_id"] not in old]
    return [*lines, *more, *(things.added(each, each) for each in add)]


def check_lines(setup_id: int, old: Mapping[int, Packed], gone: Sequence[int], new: Sequence[int]) -> None:
    absent = [item_id for item_id in gone if item_id not in old]
    if absent:
        raise NotFound(
            f"Setup {setup_id} does not contain item {in_list(absent)}. Call get_setup to see its lines."
        )
    twice = [item_id for item_id in new if item_id in old]
    if twice:
        raise InvalidInput(
            f"Setup {setup_id} already contains item {in_list(twice)}. Change its quantity in change."
        )


def with_change(old: Packed, changes: Mapping[int, Mapping[str, Any]]) -> Packed:
    if old.id not in changes:
        return old
    row = old.model_dump(include=OF_LINE)
    new = line.changed({"item_id": old.id, **row}, cast(Line, changes[old.id]))
    return old.model_copy(update={name: new[name] for name in row})


class Things:
    """The items and candidates that changes name, and numbers for those that are not items."""

    def __init__(self, items: Sequence[Known], candidates: Sequence[Known]) -> None:
        self._items = {each.id: each for each in items}
        self._candidates = {each.id: each for each in candidates}
        self._numbers = numbers()

    @classmethod
    async def fetch(
        cls, conn: AsyncConnection, wanted: Sequence[Mapping[str, Any]], item_ids: Sequence[int]
    ) -> "Things":
        ids = [*item_ids, *(found for each in wanted if (found := each.get("item_id")) is not None)]
        candidate_ids = [found for each in wanted if (found := each.get("candidate_id")) is not None]
        twice = [candidate_id for candidate_id, count in Counter(candidate_ids).items() if count > 1]
        if twice:
            raise InvalidInput(f"Candidate {in_list(twice)} occurs more than once.")
        items = await fetch_all(
            conn,
            Known,
            """
            SELECT id, name, weight_grams, weight_margin_grams, price_cents
            FROM items
            WHERE id = ANY(%(ids)s::bigint[])
            """,
            {"ids": ids},
        )
        candidates = await fetch_all(
            conn,
            Known,
            SQL("""
                SELECT id, name, weight_grams, weight_margin_grams, {own_price} AS price_cents
                FROM candidates
                WHERE id = ANY(%(ids)s::bigint[])
            """).format(own_price=OWN_PRICE),
            {"ids": candidate_ids},
        )
        absent = [each for each in candidate_ids if each not in {found.id for found in candidates}]
        if absent:
            raise candidate.no_such_candidate(*absent)
        return cls(items, candidates)

    def swapped(self, old: Packed, swap: Mapping[str, Any]) -> Packed:
        return old.model_copy(update=self._figures(swap))

    def added(self, thing: Mapping[str, Any], new: Mapping[str, Any]) -> Packed:
        figures = self._figures(thing)
        of_line: dict[str, Any] = {name: new[name] for name in new.keys() & OF_LINE}
        row = line.complete(Line(item_id=figures["id"], **of_line))
        return Packed(**figures, **{name: row[name] for name in OF_LINE})

    def _figures(self, thing: Mapping[str, Any]) -> dict[str, Any]:
        if (item_id := thing.get("item_id")) is not None:
            return {**dict(self._items[item_id]), "candidate_id": None}
        if (candidate_id := thing.get("candidate_id")) is not None:
            found = dict(self._candidates[candidate_id])
            return {**found, "id": next(self._numbers), "candidate_id": candidate_id}
        columns = weight.columns_of({"weight": thing.get("weight")})
        return {
            "id": next(self._numbers),
            "name": thing.get("name"),
            **{name: columns[name] for name in WEIGHTS},
            "price_cents": thing.get("price_cents"),
        }


def numbers() -> Iterator[int]:
    """-1, -2, …"""
    number = 0
    while True:
        number -= 1
        yield number


async def total(conn: AsyncConnection, lines: Sequence[Packed]) -> Totals:
    """Return the totals of lines, by the SQL that adds up stored ones."""
    query = SQL("SELECT 'after' AS state, {totals} FROM {lines}").format(totals=TOTALS, lines=TYPED)
    return await fetch_only(conn, Totals, query, {"lines": Jsonb([each.row(1) for each in lines])})


async def differing(
    conn: AsyncConnection, before: Sequence[Packed], after: Sequence[Packed]
) -> list[VariantLine]:
    """Return the lines that differ, the largest difference first."""
    query = SQL("""
        SELECT
            item_id, name, weight_grams, first, second,
            total_grams, base_grams, worn_grams, consumable_grams, price_cents
        FROM ({compared}) AS compared
        WHERE first IS DISTINCT FROM second
        ORDER BY -abs(total_grams), lower(name), item_id
    """).format(
        compared=BY_ITEM.format(
            sided=SQL("""
                SELECT
                    sign, item_id, name, weight_grams, price_cents,
                    quantity, classification, worn_quantity
                FROM {lines}
            """).format(lines=TYPED)
        )
    )
    rows = [*(each.row(-1) for each in before), *(each.row(1) for each in after)]
    found = await fetch_all(conn, LineDifference, query, {"lines": Jsonb(rows)})
    by_id = {each.id: each for each in (*before, *after)}
    return [to_line(each, by_id[each.item_id]) for each in found]


def to_line(found: LineDifference, known: Packed) -> VariantLine:
    grams = ("total_grams", "base_grams", "worn_grams", "consumable_grams", "price_cents")
    return VariantLine(
        name=found.name,
        item_id=known.id if known.id > 0 else None,
        candidate_id=known.candidate_id,
        before=found.first,
        after=found.second,
        unweighed=known.weight_grams is None,
        unpriced=known.price_cents is None,
        **{name: getattr(found, name) for name in grams},
    )


def difference(before: Totals, after: Totals, lines: Sequence[VariantLine]) -> Totals:
    """Return the difference of two states. It is only given if all figures that it depends on are known."""
    weighed = not any(each.unweighed for each in lines)
    priced = not any(each.unpriced for each in lines)
    figures: dict[str, Any] = {}
    if weighed:
        figures |= {name: getattr(after, name) - getattr(before, name) for name in FIGURES}
    if priced:
        figures["price_cents"] = (after.price_cents or Decimal(0)) - (before.price_cents or Decimal(0))
    return Totals(
        state="difference",
        items=after.items - before.items,
        unweighed=after.unweighed - before.unweighed,
        unpriced=after.unpriced - before.unpriced,
        **figures,
    )
