"""The README and the command line show what really happens."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from mcp_server.attachments.prompts import PROMPTS
from mcp_server.attachments.resources import SUMMARY, TEMPLATES
from mcp_server.commands.connect import how_to_connect
from mcp_server.settings import NAMES

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for its_language, text in found if its_language == language]


@cache
def demo() -> str:
    done = subprocess.run(
        [sys.executable, "-m", "mcp_server", "demo"],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": "postgresql://127.0.0.1:1/must-not-be-touched"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stderr == ""
    return done.stdout


def test_the_demo_ends_as_the_readme_says() -> None:
    (shown,) = [block for block in blocks("") if "lines," in block]
    assert shown in demo()


def test_the_demo_shows_every_call_with_its_result() -> None:
    calls = re.findall(r"^> (\w+)\(", demo(), re.MULTILINE)
    assert calls == [
        "import_csv",
        "list_items",
        "create_item",
        "update_item",
        "list_items",
        "get_totals",
        "get_setup",
    ]
    assert '"weight_grams":92' in demo()
    assert max(map(len, demo().splitlines())) <= 110


def test_the_demo_ends_by_saying_how_to_connect() -> None:
    assert how_to_connect() in demo()
    config = json.loads(re.findall(r"^\{\n.*?^\}", demo(), re.MULTILINE | re.DOTALL)[-1])
    command = config["mcpServers"]["gearshed"]["command"]
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("gearshed ")


def test_the_configurations_in_the_readme_are_valid() -> None:
    configurations = [json.loads(block)["mcpServers"]["gearshed"] for block in blocks("json")]
    assert [sorted(each) for each in configurations] == [["command"], ["command", "env"]]
    assert all(each["command"].endswith("/.venv/bin/gearshed") for each in configurations)


def test_the_readme_names_every_resource_and_every_prompt() -> None:
    (section,) = re.findall(r"^## Resources and prompts$(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    assert re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE) == [
        SUMMARY.uri,
        *(template.uri_template for template in TEMPLATES),
        *(entry.name for entry in PROMPTS),
    ]


def test_the_readme_names_every_setting_and_no_other() -> None:
    assert set(re.findall(r"GEARSHED_[A-Z_]+", README)) - {"GEARSHED_"} == NAMES
