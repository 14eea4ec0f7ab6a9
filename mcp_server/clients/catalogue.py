"""The clients that can be connected, and where each keeps its servers."""

from pathlib import Path

from mcp_server.clients.client import Client, Files, Machine, Scope, Unsupported
from mcp_server.clients.entry import (
    add_to_claude_code,
    add_to_codex,
    add_to_gemini,
    claude_code,
    claude_desktop,
    codex,
    copilot,
    cursor,
    gemini,
    goose,
    librechat,
    opencode,
    vscode,
    vscode_link,
    windsurf,
    zed,
)


def in_home(*parts: str, project: tuple[str, ...] = ()) -> Files:
    """A file below the home directory, or in a project, if the client has one there."""

    def files(machine: Machine, scope: Scope) -> list[Path]:
        if scope == "user":
            return [machine.home.joinpath(*parts)]
        if not project:
            raise Unsupported("This client has no configuration for a project. Omit --scope.")
        return [machine.project.joinpath(*project)]

    return files


def of_vscode(machine: Machine, scope: Scope) -> list[Path]:
    if scope == "project":
        return [machine.project / ".vscode" / "mcp.json"]
    return [machine.roaming("Code", "User", "mcp.json")]


def of_claude_desktop(machine: Machine, scope: Scope) -> list[Path]:
    """As a Windows package, Claude sees a redirected folder, so both are used there if both exist."""
    if scope == "project":
        raise Unsupported("Claude Desktop has no configuration for a project. Omit --scope.")
    name = "claude_desktop_config.json"
    usual = machine.roaming("Claude", name)
    if machine.system != "win32":
        return [usual]
    packages = Path(machine.environment.get("LOCALAPPDATA", machine.home / "AppData" / "Local")) / "Packages"
    redirected = [
        folder / "LocalCache" / "Roaming" / "Claude" / name for folder in sorted(packages.glob("Claude_*"))
    ]
    return [*redirected, *([usual] if usual.parent.is_dir() or not redirected else [])]


def of_goose(machine: Machine, scope: Scope) -> list[Path]:
    if scope == "project":
        raise Unsupported("Goose has no configuration for a project. Omit --scope.")
    if machine.system == "win32":
        return [machine.roaming("Block", "goose", "config", "config.yaml")]
    return [machine.home / ".config" / "goose" / "config.yaml"]


CLIENTS: dict[str, Client] = {
    client.name: client
    for client in (
        Client(
            "claude-code",
            "Claude Code",
            in_home(".claude.json", project=(".mcp.json",)),
            shape=claude_code,
            program="claude",
            add=add_to_claude_code,
            drop=lambda name, scope: ["mcp", "remove", "-s", scope, name],
        ),
        Client(
            "claude-desktop",
            "Claude Desktop",
            of_claude_desktop,
            shape=claude_desktop,
            advice="Restart Claude Desktop.",
        ),
        Client(
            "codex",
            "Codex",
            in_home(".codex", "config.toml"),
            section=("mcp_servers",),
            shape=codex,
            program="codex",
            add=add_to_codex,
            drop=lambda name, scope: ["mcp", "remove", name],
            editable=False,
        ),
        Client(
            "cursor", "Cursor", in_home(".cursor", "mcp.json", project=(".cursor", "mcp.json")), shape=cursor
        ),
        Client(
            "gemini",
            "Gemini CLI",
            in_home(".gemini", "settings.json", project=(".gemini", "settings.json")),
            shape=gemini,
            program="gemini",
            add=add_to_gemini,
            drop=lambda name, scope: ["mcp", "remove", "-s", scope, name],
        ),
        Client("vscode", "VS Code", of_vscode, ("servers",), vscode, link=vscode_link),
        Client("windsurf", "Windsurf", in_home(".codeium", "windsurf", "mcp_config.json"), shape=windsurf),
        Client("zed", "Zed", in_home(".config", "zed", "settings.json"), ("context_servers",), zed),
        Client("copilot-cli", "Copilot CLI", in_home(".copilot", "mcp-config.json"), shape=copilot),
        Client("opencode", "OpenCode", in_home(".config", "opencode", "opencode.json"), ("mcp",), opencode),
        Client("goose", "Goose", of_goose, ("extensions",), goose, editable=False),
        Client(
            "librechat",
            "LibreChat",
            shape=librechat,
            editable=False,
            advice="Add the entry to librechat.yaml, in YAML.",
        ),
        Client(
            "open-webui",
            "Open WebUI",
            advice="Serve over HTTP (docs/serving.md), and add the URL in the admin settings "
            "as an MCP server (Streamable HTTP).",
        ),
        Client(
            "chatgpt",
            "ChatGPT",
            advice="Serve over HTTP at an https address (docs/oauth.md), and add the URL as a connector.",
        ),
        Client(
            "claude.ai",
            "Claude on the web",
            advice="Serve over HTTP at an https address (docs/oauth.md). Add it in Settings > Connectors.",
        ),
    )
}
