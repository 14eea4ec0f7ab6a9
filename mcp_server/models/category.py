"""Categories: a user's own groups of items."""

from typing import Annotated

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from mcp_server.models.fields import Name, Row, SummedGrams
from mcp_server.models.settings import Measured, Weighed

Icon = Annotated[
    str,
    Field(
        pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$",
        max_length=64,
        description="Lucide icon name, such as tent or cooking-pot",
    ),
]


class Category(Row):
    id: int
    name: str
    icon: str = "package"


class CategorySummary(Category, Weighed):
    """A category, its number of items, and the weight of all their pieces in grams."""

    items: int = 0
    weight_grams: SummedGrams | None = None
    unweighed: int = 0


class CategoryList(Measured):
    total: int
    next_cursor: str | None = None
    categories: list[CategorySummary]


class CategoryDeleted(Row):
    """How many items, threads and candidates moved, and where. Without `moved_to`, they are uncategorized."""

    deleted: str
    moved: int = 0
    moved_to: str | None = None


@with_config(ConfigDict(extra="forbid"))
class CategoryChanges(TypedDict, total=False):
    name: Name
    icon: Icon
