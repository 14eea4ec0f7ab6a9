"""CSV: what an import did with the lines of a list, and an export."""

from typing import Annotated, Literal, TypeAlias, get_args

from pydantic import BeforeValidator, WithJsonSchema

from mcp_server.models.fields import Row, none_if_blank

Format: TypeAlias = Literal[
    "gearshed", "lighterpack", "hikerherd", "packstack", "packstack_pack", "trail_sense", "homebox"
]
# By default, the one that the header names.
OptionalFormat = Annotated[
    Format | None,
    BeforeValidator(none_if_blank),
    WithJsonSchema({"enum": list(get_args(Format)), "type": "string"}),
]
ExportFormat: TypeAlias = Literal["gearshed", "lighterpack"]


class Verdict(Row):
    """What to know of a line that was not plainly imported; lines count from 1, the header included."""

    line: int
    verdict: Literal["remark", "different", "changed", "refused", "skipped"]
    column: str | None = None
    value: str | None = None
    note: str


class Imported(Row):
    """What an import did. Lines whose items were there already are unchanged, changed or different.

    `different` ones were left as they are: update_existing makes them as the list says. `not_in_list` names
    items of the setup that the list does not have; they stay.
    """

    format: Format
    items: int
    unchanged: int = 0
    changed: int = 0
    different: int = 0
    refused: int = 0
    skipped: int = 0
    new_categories: tuple[str, ...] = ()
    setup_id: int | None = None
    setup_name: str | None = None
    not_in_list: tuple[str, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    verdicts_left_out: int = 0


class Exported(Row):
    """A list as CSV text. `lossy` says what the format has no room for."""

    csv_text: str
    lines: int
    lossy: tuple[str, ...] = ()
