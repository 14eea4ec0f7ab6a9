"""CSV: what an import did with the lines of a list, and an export."""

import json
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from mcp_server.models.fields import STRING, Row, SummedGrams, none_if_blank
from mcp_server.models.settings import WeightUnit

Format: TypeAlias = Literal[
    "gearshed",
    "lighterpack",
    "gearbox",
    "hikerherd",
    "packstack",
    "packstack_pack",
    "trail_sense",
    "homebox",
    "spreadsheet",
    "text",
]
# By default, the format that the header shows.
OptionalFormat = Annotated[
    Format | None,
    BeforeValidator(none_if_blank),
    WithJsonSchema({"enum": list(get_args(Format)), "type": "string"}),
]
ExportFormat: TypeAlias = Literal["gearshed", "lighterpack", "markdown"]


# Columns that one mapping may name, and characters of a name.
MOST_MAPPED, LONGEST_NAME = 100, 200


def to_mapping(value: Any) -> Any:
    """Accept an object, as JSON or as its text."""
    if isinstance(value, str) and value.strip():
        try:
            return json.loads(value)
        except ValueError:
            raise ValueError('must be an object, such as {"Gewicht": "weight g"}') from None
    return none_if_blank(value)


ColumnName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LONGEST_NAME)]
Columns = Annotated[
    dict[ColumnName, Annotated[str, StringConstraints(max_length=LONGEST_NAME)]] | None,
    Field(max_length=MOST_MAPPED),
    BeforeValidator(to_mapping),
    # Some clients refuse an object without named properties.
    WithJsonSchema({"type": "string"}),
]
# A million characters, which agents can hardly write. Empty text is an empty list.
OptionalList = Annotated[Annotated[str, StringConstraints(max_length=1_000_000)] | None, STRING]
OptionalUnit = Annotated[
    WeightUnit | None,
    BeforeValidator(none_if_blank),
    WithJsonSchema({"enum": list(get_args(WeightUnit)), "type": "string"}),
]


class Saved(Row):
    """How a spreadsheet with one header is read."""

    columns: dict[str, str] = Field(default_factory=dict[str, str])
    weight_unit: WeightUnit | None = None


class Verdict(Row):
    """A line that was not simply imported. Lines count from 1, with the header; `item` is the item's name.

    `filled`: what the collection did not know came from the list. `differs`: left as in the collection.
    `similar`: a new item with almost the name of another.
    """

    line: int
    item: str | None = None
    verdict: Literal["remark", "similar", "filled", "differs", "changed", "refused", "skipped"]
    column: str | None = None
    value: str | None = None
    note: str


class TotalsAfter(Row):
    """The totals of the setup after the import, as get_setup shows them."""

    items: int
    total_grams: SummedGrams
    base_grams: SummedGrams
    worn_grams: SummedGrams
    consumable_grams: SummedGrams
    pack_grams: SummedGrams
    unweighed: int = 0


class Imported(Row):
    """What an import did. `items` counts new items, the others the lines of items that existed.

    update_existing changes what differs. `not_in_list` names items of the setup that the list does not have;
    they stay. `columns` is how a spreadsheet was read.
    """

    format: Format
    columns: dict[str, str] | None = None
    items: int
    unchanged: int = 0
    filled: int = 0
    changed: int = 0
    differs: int = 0
    refused: int = 0
    skipped: int = 0
    new_categories: tuple[str, ...] = ()
    new_categories_left_out: int = 0
    setup_id: int | None = None
    setup_name: str | None = None
    setup_totals: TotalsAfter | None = None
    not_in_list: tuple[str, ...] = ()
    not_in_list_left_out: int = 0
    verdicts: tuple[Verdict, ...] = ()
    verdicts_left_out: int = 0


class Exported(Row):
    """A list as CSV text. `lossy` names what the format has no room for."""

    csv_text: str
    lines: int
    lossy: tuple[str, ...] = ()
