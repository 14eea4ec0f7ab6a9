"""`gearshed connect`: put this server into the configuration of a client, and prove that it starts."""

import os
from typing import cast

import anyio
from mcp import Client as Session
from mcp import MCPError, StdioServerParameters

from mcp_server import terminal
from mcp_server.clients.catalogue import CLIENTS
from mcp_server.clients.client import Machine, Scope, Server, Unsupported
from mcp_server.clients.connection import Connection, state
from mcp_server.clients.document import Unfit
from mcp_server.clients.installation import NotLasting, lasting, program
from mcp_server.clients.snippet import snippet
from mcp_server.settings import Settings

# Settings that a client passes on. URLs of databases may contain passwords, so they are not among them.
PASSED_ON = (
    "data_dir",
    "user",
    "read_only",
    "tools",
    "exclude_tools",
    "undo_days",
    "log_level",
    "log_format",
)
# Seconds until a server that was just connected must have listed its tools.
FOR_PROOF = 10.0


def connect(
    settings: Settings,
    client: str | None,
    *,
    name: str,
    scope: Scope,
    url: str | None,
    key_env: str | None,
    remove: bool,
    dry_run: bool,
    printing: bool,
) -> int:
    """Connect, disconnect or list clients, and return the exit code."""
    machine = Machine()
    try:
        if client is None:
            return show_all(machine, name)
        chosen = CLIENTS.get(client)
        if chosen is None:
            raise Unsupported(f"No client {client!r}. Known: {', '.join(CLIENTS)}.")
        if chosen.shape is None:
            terminal.show(f"{chosen.title}: {chosen.advice}")
            return 0
        server = wanted(settings, url, key_env)
        connection = Connection(chosen, machine, name, server, scope, dry_run)
        if printing:
            for line in snippet(chosen, name, server).splitlines():
                terminal.show(line)
        elif remove:
            connection.remove()
        elif connection.add() and not dry_run:
            terminal.show(f"{chosen.title} is connected. {prove(server)} {chosen.advice}".rstrip())
    except (Unsupported, Unfit, NotLasting, OSError) as exc:
        terminal.warn(f"gearshed: {exc}")
        return 1
    return 0


def wanted(settings: Settings, url: str | None, key_env: str | None) -> Server:
    """Return the server that a client is to use: the one at *url*, or a process of this installation."""
    if url:
        return Server(url=url, key_env=key_env)
    if key_env:
        raise Unsupported("--key-env names the key of a server over HTTP: give its --url too.")
    if settings.url:
        terminal.warn(
            "DATABASE_URL is not written into the configuration, because it may contain a password. "
            "Set it where the client starts, or the client uses the embedded database."
        )
    env = {
        f"GEARSHED_{name.upper()}": as_text(getattr(settings, name))
        for name in PASSED_ON
        if name in settings.model_fields_set
    }
    return Server((lasting(program(), os.environ), "serve"), env)


def as_text(value: object) -> str:
    """Return the value of a setting as an environment variable has it."""
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(cast(tuple[str, ...], value)) if isinstance(value, tuple) else str(value)


def show_all(machine: Machine, name: str) -> int:
    """List the clients that are installed, and whether each is connected."""
    for client in CLIENTS.values():
        if client.is_installed(machine):
            for path in client.configurations(machine, "user"):
                terminal.show(f"{client.name:<16}{state(client, path, name)}")
    terminal.show("Connect one of them with `gearshed connect CLIENT`.")
    terminal.show(f"All clients: {', '.join(CLIENTS)}.")
    return 0


def prove(server: Server) -> str:
    """Start the server as a client would, and describe it. Raise Unsupported if it does not start."""
    if server.url:
        return f"It signs in at {server.url} when it first connects."
    try:
        tools = anyio.run(tools_of, server)
    except (TimeoutError, MCPError, OSError):
        raise Unsupported(
            f"The configuration is written, but the server did not answer within {FOR_PROOF:g} seconds. "
            f"Run `{' '.join(server.command)}` to see why."
        ) from None
    return f"The server starts and has {tools} tools."


async def tools_of(server: Server) -> int:
    command, *arguments = server.command
    parameters = StdioServerParameters(command=command, args=arguments, env=dict(server.env))
    with anyio.fail_after(FOR_PROOF):
        async with Session(parameters) as session:
            return len((await session.list_tools()).tools)
