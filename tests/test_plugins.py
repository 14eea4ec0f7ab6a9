"""The plugins of clients, and the unit for systemd."""

import json
import re
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from mcp_server.server import TOOLS
from mcp_server.settings import Settings
from tests.conftest import ROOT

PLUGINS = ROOT / "plugins"
SKILLS = [PLUGINS / client / "skills" / "gearshed" / "SKILL.md" for client in ("claude", "cursor")]


def test_the_skill_is_short_and_names_only_tools_that_exist() -> None:
    text, other = (path.read_text(encoding="utf-8") for path in SKILLS)
    assert text == other
    assert len(text.encode()) < 4000
    assert re.match(r"---\nname: gearshed\ndescription: .{20,}\n---\n", text)
    verbs = "|".join(sorted({entry.name.partition("_")[0] for entry in TOOLS}))
    named = set(re.findall(rf"`((?:{verbs})_\w+)`", text))
    assert "import_csv" in named
    assert named <= {entry.name for entry in TOOLS}


@pytest.mark.parametrize("client", ["claude", "cursor"])
def test_a_plugin_starts_the_installed_server(client: str) -> None:
    folder = PLUGINS / client
    manifest = json.loads((folder / f".{client}-plugin" / "plugin.json").read_text(encoding="utf-8"))
    assert manifest["name"] == "gearshed"
    servers = manifest["mcpServers"]
    if isinstance(servers, str):
        servers = json.loads((folder / servers).read_text(encoding="utf-8"))["mcpServers"]
    assert servers == {"gearshed": {"command": "gearshed", "args": ["serve"]}}


def test_a_plugin_has_the_version_of_the_release() -> None:
    for path in [*PLUGINS.glob("*/.*-plugin/plugin.json"), PLUGINS / "mcpb" / "manifest.json"]:
        assert json.loads(path.read_text(encoding="utf-8"))["version"] == version("gearshed"), path


def test_each_option_of_the_bundle_is_a_setting_with_a_default() -> None:
    manifest = json.loads((PLUGINS / "mcpb" / "manifest.json").read_text(encoding="utf-8"))
    environment = manifest["server"]["mcp_config"]["env"]
    names = {"DATABASE_URL", *(f"GEARSHED_{name.upper()}" for name in Settings.model_fields)}
    assert environment.keys() <= names
    assert set(environment.values()) == {f"${{user_config.{name}}}" for name in manifest["user_config"]}
    # Without a default, the client passes on the variable's name in braces.
    assert all("default" in option for option in manifest["user_config"].values())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "gearshed.service").read_text(encoding="utf-8")
    # The program is not installed here, and systemd requires that it exists.
    program = shutil.which("true")
    unit = tmp_path / "gearshed.service"
    unit.write_text(text.replace("/opt/gearshed/bin/gearshed", str(program)), encoding="utf-8")
    done = verify(unit)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    unit.write_text(unit.read_text(encoding="utf-8").replace("ProtectHome=yes", "ProtectHome=perhaps"))
    assert "protect home" in verify(unit).stderr


def verify(unit: Path) -> subprocess.CompletedProcess[str]:
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)
