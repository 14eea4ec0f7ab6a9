"""Prompts: the common jobs, each as a text that names the tools to use, in order."""

import inspect
import re
from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeAlias

from pydantic import BeforeValidator, Field

from mcp_server.models.fields import Name, none_if_blank

# Clients that ask for every argument send an empty text for one that is left out.
NameOrNone: TypeAlias = Annotated[Name | None, BeforeValidator(none_if_blank)]


def plan_trip(
    trip: Annotated[str, Field(max_length=2000, description="Where, when, how long, in what weather")],
    setup: Annotated[NameOrNone, Field(description="A setup to start from")] = None,
) -> str:
    """Make a packing list for a trip from what I have."""
    start = f"the setup {setup!r}" if setup else "the one that is nearest to this trip"
    return f"""\
Plan what I pack for this trip: {trip}

1. Call list_setups, and get_setup for {start}.
2. Call list_items for what the trip needs besides.
3. Propose a list by category, with base, worn and consumable weight. Say what I lack, and what has no weight.
4. When I agree, call copy_setup and set_setup_items, or else create_setup, and tell me the totals."""


def find_what_to_leave(setup: Annotated[Name, Field(description="The setup to make lighter")]) -> str:
    """Find what to leave at home from a setup."""
    return f"""\
Find what I can leave at home from the setup {setup!r}.

1. Call list_setups for its id, then get_setup for its lines.
2. Look, heaviest first, for what is there twice, what another thing can do, and more pieces than needed.
3. Say what each would save, and the base weight that would be left. Guess no weight that is missing.
4. Change nothing before I have chosen."""


def research_purchase(
    what: Annotated[Name, Field(description="What to buy")],
    item: Annotated[NameOrNone, Field(description="The item of mine that it would replace")] = None,
) -> str:
    """Compare what I could buy, and what it would change."""
    instead = f" It would replace my {item!r}: list_items finds its id." if item else ""
    return f"""\
Help me to choose what to buy: {what}.{instead}

1. Call list_threads, and go on with the thread for this if there is one. If not, call create_thread.
2. Call add_candidate for each product that fits: weight, price, URL, pros, cons. Leave out what is unknown.
3. Call get_thread to compare them, and preview_candidate for what the best would change in my setups.
4. Say which you would take, and why. Call resolve_thread only when I have decided."""


def import_my_list(
    setup_name: Annotated[
        NameOrNone, Field(description="What to call the setup; left out: only items")
    ] = None,
) -> str:
    """Bring a list from LighterPack or another program into the collection."""
    name = f" and the setup_name {setup_name!r}" if setup_name else ""
    return f"""\
Import my packing list, a CSV export of LighterPack or another program. Ask me for it if it is missing.

1. Call list_items and list_setups. If the list is here already, ask me first.
2. Call import_csv with the text as it is{name}.
3. Call get_totals{" and get_setup" if setup_name else ""}, and tell me the weights and what is unweighed.
4. Ask me for the weights that are missing, and call update_item with each."""


class PromptEntry(NamedTuple):
    function: Callable[..., str]
    title: str

    @property
    def name(self) -> str:
        return self.function.__name__

    def needs(self, tool: str) -> bool:
        """Whether its text can name *tool*."""
        arguments = dict.fromkeys(inspect.signature(self.function).parameters, "-")
        return re.search(rf"\b{tool}\b", self.function(**arguments)) is not None


PROMPTS = (
    PromptEntry(plan_trip, "Plan a trip"),
    PromptEntry(find_what_to_leave, "Find what to leave at home"),
    PromptEntry(research_purchase, "Research a purchase"),
    PromptEntry(import_my_list, "Import my list"),
)
