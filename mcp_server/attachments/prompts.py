"""Prompts for common tasks. Each names the tools to call, in order."""

import inspect
import re
from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeAlias

from pydantic import BeforeValidator, Field

from mcp_server.models.fields import Name, none_if_blank

# Clients that ask for all arguments send an empty string for an omitted one.
NameOrNone: TypeAlias = Annotated[Name | None, BeforeValidator(none_if_blank)]


def plan_trip(
    trip: Annotated[str, Field(max_length=2000, description="Where, when, how long, in what weather")],
    setup: Annotated[NameOrNone, Field(description="A setup to start from")] = None,
) -> str:
    """Make a packing list for a trip from my gear."""
    start = f"the setup {setup!r}" if setup else "the one that best fits this trip"
    return f"""\
Plan what to pack for this trip: {trip}

1. Call list_setups, then get_setup for {start}.
2. Call list_items to find what else the trip needs.
3. Propose a list by category with base, worn and consumable weight. Mention missing gear and unknown weights.
4. When I agree, call copy_setup and set_setup_items, or create_setup. Then report the totals."""


def find_what_to_leave(setup: Annotated[Name, Field(description="The setup to lighten")]) -> str:
    """Find items of a setup to leave at home."""
    return f"""\
Find items of the setup {setup!r} that I can leave at home.

1. Call list_setups for its id, then get_setup for its lines.
2. Starting with the heaviest, look for duplicates, items that others can replace, and excess quantities.
3. Report how much each saves and the resulting base weight. Do not guess missing weights.
4. Change nothing until I have chosen."""


def research_purchase(
    what: Annotated[Name, Field(description="What to buy")],
    item: Annotated[NameOrNone, Field(description="My item that it would replace")] = None,
) -> str:
    """Compare products to buy, and their effect on my setups."""
    instead = f" It would replace my {item!r}: list_items finds its id." if item else ""
    return f"""\
Help me choose a purchase: {what}.{instead}

1. Call list_threads and continue the thread for this purchase. If there is none, call create_thread.
2. Call add_candidate for each suitable product: weight, price, URL, pros, cons. Omit unknown values.
3. Call get_thread to compare them, and preview_candidate for the effect of the best ones on my setups.
4. Recommend one and explain why. Call resolve_thread only after I have decided."""


def decide_purchase(
    thread: Annotated[Name, Field(description="The thread to decide")],
) -> str:
    """Decide which product of a thread to buy, for stated reasons."""
    return f"""\
Help me decide the thread {thread!r}.

1. Call list_threads for its id, then get_thread. If it has no criteria, ask me what matters, which values are
   bad and ideal, and what is a must; call update_thread. Add values with update_candidate.
2. Call decide_thread. Explain the winner by its parts, and what would have to matter more for another to win.
3. If a value is to be found out, ask me for it. Do not guess it.
4. When I have decided, call resolve_thread with my reason as why."""


def lighten_setup(
    setup: Annotated[Name, Field(description="The setup to lighten")],
    budget: Annotated[NameOrNone, Field(description="What I can spend")] = None,
) -> str:
    """Find the purchases and omissions that lighten a setup most."""
    within = f" with a budget of {budget}" if budget else ""
    return f"""\
Lighten the setup {setup!r}{within}.

1. Call list_setups for its id, then get_setup.{"" if budget else " Ask me for the budget."}
   Call plan_purchases with this setup: its front shows what each sum saves.
2. Look for lines to leave at home. Call what_if to compare each swap and each omission.
3. List them by grams saved per price, and say what each costs in comfort. Mention what was left out.
4. Change nothing until I have chosen."""


def import_my_list(
    setup_name: Annotated[
        NameOrNone, Field(description="Name of the setup to create; omit it to import only items")
    ] = None,
) -> str:
    """Import a list from LighterPack or another program."""
    name = f" and the setup_name {setup_name!r}" if setup_name else ""
    return f"""\
Import my packing list, a CSV export of LighterPack or another program. Ask me for it if it is missing.

1. Call list_items and list_setups. If the list has been imported already, ask me before you continue.
2. Call import_csv with the unchanged text{name}.
3. Call get_totals{" and get_setup" if setup_name else ""}. Report the weights, and which items have none.
4. Ask me for the missing weights, and call update_item for each."""


class PromptEntry(NamedTuple):
    function: Callable[..., str]
    title: str

    @property
    def name(self) -> str:
        return self.function.__name__

    def needs(self, tool: str) -> bool:
        """Whether its text can mention *tool*."""
        arguments = dict.fromkeys(inspect.signature(self.function).parameters, "-")
        return re.search(rf"\b{tool}\b", self.function(**arguments)) is not None


PROMPTS = (
    PromptEntry(plan_trip, "Plan a trip"),
    PromptEntry(find_what_to_leave, "Find what to leave at home"),
    PromptEntry(research_purchase, "Research a purchase"),
    PromptEntry(decide_purchase, "Decide a purchase"),
    PromptEntry(lighten_setup, "Lighten a setup"),
    PromptEntry(import_my_list, "Import my list"),
)
