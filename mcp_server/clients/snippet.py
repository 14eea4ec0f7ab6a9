"""Entries for a person to paste."""

import json
from typing import Any, cast

from mcp_server.clients.client import Client, Server


def snippet(client: Client, name: str, server: Server) -> str:
    """Return the entry in the format of the client's configuration, and a link that installs it, if any."""
    entry = client.entry(server)
    if client.section == ("mcp_servers",):
        lines = [f"[mcp_servers.{json.dumps(name)}]"]
        lines += [f"{key} = {as_toml(value)}" for key, value in entry.items()]
    else:
        for key in (name, *reversed(client.section)):
            entry = {key: entry}
        lines = [json.dumps(entry, indent=2, ensure_ascii=False)]
    return "\n".join([*lines, *([client.link(name, server)] if client.link else [])])


def as_toml(value: Any) -> str:
    """Return a value as TOML, where strings and lists are as in JSON."""
    if isinstance(value, dict):
        members = cast(dict[str, Any], value).items()
        return "{ " + ", ".join(f"{json.dumps(key)} = {as_toml(inner)}" for key, inner in members) + " }"
    return json.dumps(value, ensure_ascii=False)
