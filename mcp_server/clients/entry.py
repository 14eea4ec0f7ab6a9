"""What the entry of a server looks like in each client, and the arguments of its own command."""

import base64
import json
from typing import Any
from urllib.parse import quote, urlencode

from mcp_server.clients.client import Scope, Server, Unsupported


def local(server: Server, kind: str | None = None) -> dict[str, Any]:
    """Return the usual entry of a server that a client starts."""
    program, *arguments = server.command
    entry: dict[str, Any] = {"type": kind} if kind else {}
    entry |= {"command": program, "args": arguments}
    return entry | ({"env": dict(server.env)} if server.env else {})


def headers(server: Server, variable: str) -> dict[str, Any]:
    """Return the headers with the key, where `{}` in *variable* is the name of an environment variable."""
    if not server.key_env:
        return {}
    return {"headers": {"Authorization": f"Bearer {variable.replace('{}', server.key_env)}"}}


def signs_in(title: str, server: Server) -> None:
    if server.key_env:
        raise Unsupported(
            f"{title} does not read keys from environment variables here. Omit --key-env and sign in."
        )


def claude_code(server: Server) -> dict[str, Any]:
    if server.url:
        return {"type": "http", "url": server.url, **headers(server, "${{}}")}
    return local(server, "stdio")


def claude_desktop(server: Server) -> dict[str, Any]:
    if server.url:
        raise Unsupported(
            "Claude Desktop connects to HTTP servers in Settings > Connectors: add the URL there and sign in."
        )
    return local(server)


def cursor(server: Server) -> dict[str, Any]:
    return {"url": server.url, **headers(server, "${env:{}}")} if server.url else local(server)


def windsurf(server: Server) -> dict[str, Any]:
    return {"serverUrl": server.url, **headers(server, "${env:{}}")} if server.url else local(server)


def gemini(server: Server) -> dict[str, Any]:
    return {"httpUrl": server.url, **headers(server, "${}")} if server.url else local(server)


def vscode(server: Server) -> dict[str, Any]:
    if server.url:
        signs_in("VS Code", server)
        return {"type": "http", "url": server.url}
    return local(server, "stdio")


def zed(server: Server) -> dict[str, Any]:
    if server.url:
        signs_in("Zed", server)
        return {"url": server.url}
    return local(server)


def copilot(server: Server) -> dict[str, Any]:
    if server.url:
        signs_in("Copilot CLI", server)
        return {"type": "http", "url": server.url, "tools": ["*"]}
    return {**local(server, "local"), "tools": ["*"]}


def opencode(server: Server) -> dict[str, Any]:
    if server.url:
        return {"type": "remote", "url": server.url, **headers(server, "{env:{}}"), "enabled": True}
    env = {"environment": dict(server.env)} if server.env else {}
    return {"type": "local", "command": list(server.command), **env, "enabled": True}


def codex(server: Server) -> dict[str, Any]:
    if server.url:
        key = {"bearer_token_env_var": server.key_env} if server.key_env else {}
        return {"url": server.url, **key}
    return local(server)


def goose(server: Server) -> dict[str, Any]:
    if server.url:
        signs_in("Goose", server)
        return {"type": "streamable_http", "uri": server.url, "enabled": True}
    program, *arguments = server.command
    return {"type": "stdio", "cmd": program, "args": arguments, "envs": dict(server.env), "enabled": True}


def librechat(server: Server) -> dict[str, Any]:
    if server.url:
        return {"type": "streamable-http", "url": server.url, **headers(server, "${{}}")}
    return local(server, "stdio")


def variables(server: Server, option: str) -> list[str]:
    return [word for name, value in server.env.items() for word in (option, f"{name}={value}")]


def add_to_claude_code(name: str, server: Server, scope: Scope) -> list[str]:
    if server.url:
        key = ["--header", f"Authorization: Bearer ${{{server.key_env}}}"] if server.key_env else []
        return ["mcp", "add", "--transport", "http", "-s", scope, name, server.url, *key]
    return ["mcp", "add", "-s", scope, name, *variables(server, "-e"), "--", *server.command]


def add_to_codex(name: str, server: Server, scope: Scope) -> list[str]:
    if server.url:
        key = ["--bearer-token-env-var", server.key_env] if server.key_env else []
        return ["mcp", "add", name, "--url", server.url, *key]
    return ["mcp", "add", name, *variables(server, "--env"), "--", *server.command]


def add_to_gemini(name: str, server: Server, scope: Scope) -> list[str]:
    if server.url:
        key = ["-H", f"Authorization: Bearer ${server.key_env}"] if server.key_env else []
        return ["mcp", "add", "-s", scope, "-t", "http", *key, name, server.url]
    return ["mcp", "add", "-s", scope, *variables(server, "-e"), name, *server.command]


def cursor_link(name: str, server: Server) -> str:
    config = base64.urlsafe_b64encode(json.dumps(cursor(server)).encode()).decode()
    return f"cursor://anysphere.cursor-deeplink/mcp/install?{urlencode({'name': name, 'config': config})}"


def vscode_link(name: str, server: Server) -> str:
    return f"vscode:mcp/install?{quote(json.dumps({'name': name, **vscode(server)}))}"
