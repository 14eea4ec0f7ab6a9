"""Clients are connected in a temporary home, in the layout of each system."""

import json
import stat
import tempfile
from pathlib import Path

import pytest

from mcp_server.clients.catalogue import CLIENTS
from mcp_server.clients.client import Machine, Scope, Server, Unsupported
from mcp_server.clients.connection import Connection, entry_in, state
from mcp_server.clients.document import Unfit
from mcp_server.clients.installation import NotLasting, lasting
from mcp_server.clients.snippet import snippet

SERVER = Server(("/opt/gearshed", "serve"), {"GEARSHED_USER": "ada"})
REMOTE = Server(url="https://gear.example/mcp", key_env="GEAR_KEY")
EDITED = [name for name, client in CLIENTS.items() if client.shape and client.editable]


def machine(home: Path, system: str = "linux", **environment: str) -> Machine:
    return Machine(home, home / "project", system, {"PATH": str(home / "bin"), **environment})


def connection(
    client: str, on: Machine, server: Server = SERVER, *, scope: Scope = "user", dry_run: bool = False
) -> Connection:
    return Connection(CLIENTS[client], on, "gearshed", server, scope, dry_run)


@pytest.mark.parametrize("client", EDITED)
def test_a_client_is_connected_once_and_disconnected(client: str, tmp_path: Path) -> None:
    on = machine(tmp_path)
    (path,) = CLIENTS[client].configurations(on, "user")
    assert connection(client, on).add()
    assert entry_in(CLIENTS[client], path, "gearshed") == CLIENTS[client].entry(SERVER)
    written = path.read_text()
    assert not connection(client, on).add()
    assert path.read_text() == written
    assert CLIENTS[client].is_installed(on)
    connection(client, on).remove()
    assert entry_in(CLIENTS[client], path, "gearshed") is None


@pytest.mark.parametrize(
    ("client", "system", "path"),
    [
        ("claude-desktop", "linux", ".config/Claude/claude_desktop_config.json"),
        ("claude-desktop", "darwin", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("claude-desktop", "win32", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("vscode", "linux", ".config/Code/User/mcp.json"),
        ("vscode", "darwin", "Library/Application Support/Code/User/mcp.json"),
        ("vscode", "win32", "AppData/Roaming/Code/User/mcp.json"),
        ("goose", "linux", ".config/goose/config.yaml"),
        ("goose", "win32", "AppData/Roaming/Block/goose/config/config.yaml"),
        ("cursor", "win32", ".cursor/mcp.json"),
    ],
)
def test_the_configuration_is_where_each_system_has_it(
    client: str, system: str, path: str, tmp_path: Path
) -> None:
    assert CLIENTS[client].configurations(machine(tmp_path, system), "user") == [tmp_path / path]


def test_on_windows_the_packaged_claude_has_its_own_configuration(tmp_path: Path) -> None:
    on = machine(tmp_path, "win32")
    packaged = tmp_path / "AppData/Local/Packages/Claude_pzs8/LocalCache/Roaming/Claude"
    packaged.mkdir(parents=True)
    assert [path.parent for path in CLIENTS["claude-desktop"].configurations(on, "user")] == [packaged]
    usual = tmp_path / "AppData/Roaming/Claude"
    usual.mkdir(parents=True)
    connection("claude-desktop", on).add()
    assert all((folder / "claude_desktop_config.json").exists() for folder in (packaged, usual))


def test_an_entry_of_something_else_is_neither_replaced_nor_removed(tmp_path: Path) -> None:
    path = tmp_path / ".cursor" / "mcp.json"
    path.parent.mkdir()
    path.write_text('{"mcpServers": {"gearshed": {"command": "/usr/bin/other"}}}')
    for act in (connection("cursor", machine(tmp_path)).add, connection("cursor", machine(tmp_path)).remove):
        with pytest.raises(Unsupported):
            act()
    assert "other" in path.read_text()


def test_an_older_entry_of_ours_is_replaced(tmp_path: Path) -> None:
    on = machine(tmp_path)
    connection("cursor", on, Server(("/gone/gearshed",))).add()
    path = tmp_path / ".cursor" / "mcp.json"
    assert "/gone/gearshed, which does not exist" in state(CLIENTS["cursor"], path, "gearshed")
    assert connection("cursor", on).add()
    assert list(json.loads(path.read_text())["mcpServers"]) == ["gearshed"]
    assert connection("cursor", on, REMOTE).add()
    assert state(CLIENTS["cursor"], path, "gearshed") == "connected to https://gear.example/mcp"


def test_a_dry_run_shows_the_change_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection("cursor", machine(tmp_path), dry_run=True).add()
    assert '+       "command": "/opt/gearshed",' in capsys.readouterr().out
    assert not (tmp_path / ".cursor").exists()


def test_keys_are_named_and_never_written() -> None:
    for name in ("claude-code", "cursor", "gemini", "windsurf", "opencode", "codex", "librechat"):
        assert "GEAR_KEY" in snippet(CLIENTS[name], "gearshed", REMOTE)
    for name in ("vscode", "zed", "copilot-cli", "goose"):
        with pytest.raises(Unsupported, match="sign in"):
            snippet(CLIENTS[name], "gearshed", REMOTE)


# A client's command that writes down its arguments.
PROGRAM = '#!/bin/sh\nfor each in "$@"; do printf "%s\\n" "$each"; done >> "$0.log"; echo "--" >> "$0.log"\n'


@pytest.mark.parametrize("client", ["claude-code", "codex", "gemini"])
def test_the_command_of_the_client_comes_first(client: str, tmp_path: Path) -> None:
    program = tmp_path / "bin" / str(CLIENTS[client].program)
    program.parent.mkdir()
    program.write_text(PROGRAM)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    assert connection(client, machine(tmp_path)).add()
    words = program.with_name(f"{program.name}.log").read_text().splitlines()
    assert words[:2] == ["mcp", "add"]
    assert "GEARSHED_USER=ada" in words
    assert words[-3:] == ["/opt/gearshed", "serve", "--"]
    (path,) = CLIENTS[client].configurations(machine(tmp_path), "user")
    assert not path.exists()


def test_a_command_of_the_client_that_fails_is_one_line(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho 'not allowed here' >&2; exit 3\n")
    program.chmod(0o755)
    with pytest.raises(Unsupported, match=r"`claude mcp add .*` failed: not allowed here"):
        connection("claude-code", machine(tmp_path)).add()


def test_toml_is_read_and_printed_but_not_edited(tmp_path: Path) -> None:
    path = tmp_path / ".codex" / "config.toml"
    path.parent.mkdir()
    path.write_text(snippet(CLIENTS["codex"], "gearshed", SERVER))
    assert not connection("codex", machine(tmp_path)).add()
    with pytest.raises(Unsupported, match="--print"):
        connection("codex", machine(tmp_path), REMOTE).add()


def test_a_file_with_comments_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / ".config" / "zed" / "settings.json"
    path.parent.mkdir(parents=True)
    path.write_text('{\n  // theme\n  "theme": "One"\n}\n')
    with pytest.raises(Unfit, match="comments"):
        connection("zed", machine(tmp_path)).add()
    assert "// theme" in path.read_text()


@pytest.mark.parametrize(
    "path",
    [
        "/home/ada/.cache/uv/archive-v0/x1/bin/gearshed",
        "/home/ada/.local/pipx/.cache/d3/bin/gearshed",
        "/big/cache/bin/gearshed",
        f"{tempfile.gettempdir()}/pip/bin/gearshed",
    ],
)
def test_a_path_that_will_be_deleted_is_refused(path: str) -> None:
    with pytest.raises(NotLasting, match="uv tool install gearshed"):
        lasting(path, {"UV_CACHE_DIR": "/big/cache"})
    assert lasting("/home/ada/.local/bin/gearshed", {}) == "/home/ada/.local/bin/gearshed"
