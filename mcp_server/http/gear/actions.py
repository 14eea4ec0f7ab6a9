"""The forms of the pages: the tool that each calls, and its arguments."""

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple, TypeAlias

from mcp_server.errors import InvalidInput

Sent: TypeAlias = Mapping[str, str]
AMOUNT = re.compile(r"\d{1,13}(\.\d{1,2})?", re.ASCII)


class Action(NamedTuple):
    """A form. It returns to its page, unless *onward* says where to go.

    With *shows*, its page is the response, because no redirect can carry the result: a link is a secret.
    """

    tool: str
    arguments: Callable[[Sent], dict[str, Any]]
    onward: Callable[[Mapping[str, Any]], str] | None = None
    shows: bool = False


def row_id(sent: Sent, name: str) -> int:
    """Return an id. Text could be the name of another row."""
    text = sent.get(name, "")
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise InvalidInput(f"{name}: must be an id. Reload the page.")
    return int(text)


def changed(sent: Sent, *names: str) -> dict[str, Any]:
    """Return the fields that the person changed. Those left alone may be rounded, or cut."""
    return {
        name: sent[name].replace("\r\n", "\n")
        for name in names
        if name in sent and sent[name] != sent.get(f"was.{name}")
    }


def with_cents(values: dict[str, Any]) -> dict[str, Any]:
    """Replace a price by cents."""
    if "price" not in values:
        return values
    text = values.pop("price").strip().replace(",", ".")
    if text and not AMOUNT.fullmatch(text):
        raise InvalidInput("price: must be an amount such as 249.95, without a currency.")
    return {**values, "price_cents": int(Decimal(text) * 100) if text else None}


ITEM = ("name", "category", "weight", "price", "quantity", "notes", "product_url")


def update_item(sent: Sent) -> dict[str, Any]:
    return {"item_id": row_id(sent, "item_id"), "changes": with_cents(changed(sent, *ITEM))}


def create_item(sent: Sent) -> dict[str, Any]:
    values = {name: value for name, value in changed(sent, *ITEM).items() if value.strip()}
    return {"name": "", **with_cents(values), "idempotency_key": sent.get("key", "")}


def set_line(sent: Sent) -> dict[str, Any]:
    line = {"item_id": row_id(sent, "item_id"), **changed(sent, "quantity", "classification")}
    return {"setup_id": row_id(sent, "setup_id"), "change": [line]}


def remove_line(sent: Sent) -> dict[str, Any]:
    return {"setup_id": row_id(sent, "setup_id"), "remove": [row_id(sent, "item_id")]}


def add_line(sent: Sent) -> dict[str, Any]:
    """Add an item by its name."""
    if not (name := sent.get("item", "").strip()):
        raise InvalidInput("item: enter the name of one of your items.")
    given = {field: sent[field] for field in ("quantity", "classification") if sent.get(field)}
    return {"setup_id": row_id(sent, "setup_id"), "change": [{"item_id": name, **given}]}


def resolve_thread(sent: Sent) -> dict[str, Any]:
    return {
        "thread_id": row_id(sent, "thread_id"),
        "candidate_id": row_id(sent, "candidate_id"),
        "swap_in_setups": ["all"] if "swap" in sent else [],
        "why": sent.get("why", ""),
    }


def update_candidate(sent: Sent) -> dict[str, Any]:
    values = with_cents(changed(sent, "status", "weight", "price", "pros", "cons"))
    return {"candidate_id": row_id(sent, "candidate_id"), "changes": values}


def add_candidate(sent: Sent) -> dict[str, Any]:
    values = {
        name: value for name, value in changed(sent, "name", "weight", "price").items() if value.strip()
    }
    return {
        "thread_id": row_id(sent, "thread_id"),
        "name": "",
        **with_cents(values),
        "idempotency_key": sent.get("key", ""),
    }


def new(sent: Sent) -> dict[str, Any]:
    """Return the arguments that create a category, a setup or a thread."""
    return {"name": sent.get("name", ""), "idempotency_key": sent.get("key", "")}


def copy_setup(sent: Sent) -> dict[str, Any]:
    return {"setup_id": row_id(sent, "setup_id"), "name": sent.get("name", "")}


def rename_setup(sent: Sent) -> dict[str, Any]:
    return {"setup_id": row_id(sent, "setup_id"), "changes": changed(sent, "name")}


def share_setup(sent: Sent) -> dict[str, Any]:
    return {
        "setup": row_id(sent, "setup_id"),
        "days": sent.get("days", "").strip(),
        "prices": "prices" in sent,
        "idempotency_key": sent.get("key", ""),
    }


def update_units(sent: Sent) -> dict[str, Any]:
    return {"changes": changed(sent, "weight_unit", "currency")}


def only(noun: str) -> Callable[[Sent], dict[str, Any]]:
    """Return what makes the arguments of a tool that takes nothing but an id."""

    def arguments(sent: Sent) -> dict[str, Any]:
        return {f"{noun}_id": row_id(sent, f"{noun}_id")}

    return arguments


def to_setup(done: Mapping[str, Any]) -> str:
    return f"/gear/setups/{done['id']}"


def to_thread(done: Mapping[str, Any]) -> str:
    return f"/gear/threads/{done['id']}"


def to_items(_: Mapping[str, Any]) -> str:
    return "/gear/items"


def to_overview(_: Mapping[str, Any]) -> str:
    return "/gear"


ACTIONS: Mapping[str, Action] = {
    "create-item": Action("create_item", create_item),
    "update-item": Action("update_item", update_item),
    "delete-item": Action("delete_item", only("item"), to_items),
    "create-category": Action("create_category", new),
    "create-setup": Action("create_setup", new, to_setup),
    "rename-setup": Action("update_setup", rename_setup),
    "copy-setup": Action("copy_setup", copy_setup, to_setup),
    "delete-setup": Action("delete_setup", only("setup"), to_overview),
    "share-setup": Action("share_setup", share_setup, shows=True),
    "end-share": Action("end_share", only("share")),
    "set-line": Action("set_setup_items", set_line),
    "remove-line": Action("set_setup_items", remove_line),
    "add-line": Action("set_setup_items", add_line),
    "create-thread": Action("create_thread", new, to_thread),
    "add-candidate": Action("add_candidate", add_candidate),
    "update-candidate": Action("update_candidate", update_candidate),
    "remove-candidate": Action("remove_candidate", only("candidate")),
    "resolve-thread": Action("resolve_thread", resolve_thread),
    "undo": Action("undo_change", only("change")),
    "units": Action("update_settings", update_units),
}
