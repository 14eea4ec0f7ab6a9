"""Threads: purchase research, until one of the candidates becomes an item."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, computed_field, with_config
from pydantic.json_schema import SkipJsonSchema
from typing_extensions import TypedDict

from mcp_server.models.candidate import CandidateAdded, CandidateCompared
from mcp_server.models.decision import Criteria, Decision, DescribedCriteria
from mcp_server.models.fields import NOT_IN_A_DRY_RUN, Grams, Name, OptionalRef, Row, SummedGrams
from mcp_server.models.item import UsedIn
from mcp_server.models.settings import Measured, Weighed, listed
from mcp_server.models.setup import Classification, SetupTotals, in_units

ThreadStatus = Literal["active", "resolved", "archived"]


class Thread(Row):
    id: int
    name: str
    status: ThreadStatus
    category: str | None = None


class ThreadSummary(Thread):
    """A thread, the item that it would replace, and its number of candidates."""

    replaces: str | None = None
    candidates: int = 0


class ThreadCreated(ThreadSummary, Measured):
    """A new thread, its candidates by rank, and older threads with the same name."""

    same_name: tuple[int, ...] = ()
    added: tuple[CandidateAdded, ...] = ()


class ThreadRow(ThreadSummary, Weighed):
    """A thread in a list, with figures for all `pieces`: the least outlay, and the most grams saved.

    They are those of `get_thread`, each of the candidate that is best in it.
    """

    pieces: int = 1
    least_outlay_cents: int | None = None
    most_saved_grams: SummedGrams | None = None


class ThreadList(Measured):
    total: int
    next_cursor: str | None = None
    threads: list[ThreadRow]


class Replaced(Weighed):
    """The item that would be replaced, and its lines in setups. Weight and price are per piece."""

    item_id: int
    name: str
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    price_cents: int | None = None
    in_setups: tuple[UsedIn, ...] = ()
    setups_left_out: int = 0
    # Of all lines. A line counts as base if some of its pieces are in the pack.
    kinds: Annotated[SkipJsonSchema[frozenset[Classification]], Field(exclude=True)] = frozenset()

    @computed_field
    @property
    def note(self) -> str | None:
        """A warning if a lighter item would not lower any base weight."""
        kinds = self.kinds
        if not kinds or "base" in kinds:
            return None
        return f"{' or '.join(sorted(kinds, reverse=True))} in every setup: it never counts in base weight"


class ThreadHead(Thread, Measured):
    pieces: int = 1
    replaces: Replaced | None = None
    resolved_candidate_id: int | None = None
    resolved_item_id: int | None = None
    decision: Decision | None = None


class ThreadShown(ThreadHead):
    """A thread with its candidates side by side, best ranked first.

    `pieces` is how many pieces of the replaced item a purchase replaces: the largest quantity in a setup,
    else the owned quantity.
    """

    candidates_left_out: int = 0
    next_cursor: str | None = None
    candidates: list[CandidateCompared]

    def in_units(self) -> str | None:
        return listed((each.name, self.units.price(each.price_cents)) for each in self.candidates)


class ThreadDeleted(Row):
    """The name of a deleted thread, and the number of candidates deleted with it."""

    deleted: str
    candidates: int = 0


class ThreadResolved(ThreadSummary, Measured):
    """A resolved thread, the item created from its winner, and the setups that now contain that item.

    `quantity` is how many pieces of the new item are owned. In a dry run, it has no id.
    """

    candidate_id: int
    item_id: int = NOT_IN_A_DRY_RUN
    quantity: int = 1
    swapped_in_setups: tuple[SetupTotals, ...] = ()
    setups_left_out: int = 0

    def in_units(self) -> str | None:
        return in_units(self.swapped_in_setups, self.units)


class ThreadFields(TypedDict, total=False):
    category: OptionalRef
    replaces_item_id: Annotated[OptionalRef, Field(description="Owned item that it would replace")]
    criteria: Criteria


@with_config(ConfigDict(extra="forbid"))
class NewThread(ThreadFields):
    name: Name


@with_config(ConfigDict(extra="forbid"))
class ThreadChanges(ThreadFields, total=False):
    name: Name
    criteria: DescribedCriteria
    status: Literal["active", "archived"]
