"""The README, the documentation and the demo show what the server does, and agree with each other."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

from mcp_server.attachments.prompts import PROMPTS
from mcp_server.attachments.resources import SUMMARY, TEMPLATES
from mcp_server.clients.catalogue import CLIENTS
from mcp_server.commands.instructions import how_to_connect
from mcp_server.settings import NAMES

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted((ROOT / "docs").glob("*.md"))}
ROOT_PAGES = (
    "README.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "RELEASE.md",
    "UPGRADING.md",
    "CODE_OF_CONDUCT.md",
)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def blocks(text: str, language: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [block for its_language, block in found if its_language == language]


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


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


def test_the_demo_ends_as_its_page_shows() -> None:
    (shown,) = [block for block in blocks(PAGES["demo.md"], "") if "lines," in block]
    assert shown in demo()


def test_every_figure_of_the_chat_in_the_readme_is_in_the_session() -> None:
    """A real test plays the session: its figures are those of the server."""
    chat = "".join(re.findall(r"^> .*\n", README, re.MULTILINE))
    (thread,) = re.findall(r"^> get_thread.*?```", PAGES["session.md"], re.MULTILINE | re.DOTALL)
    (preview,) = re.findall(r"^> preview_candidate.*?```", PAGES["session.md"], re.MULTILINE | re.DOTALL)
    figures = set(re.findall(r"[\d.]*\d", thread + preview))
    grams, prices = re.findall(r"([\d.]+) g\b", chat), re.findall(r"\d+\.\d\d\b", chat)
    assert (len(grams), len(prices)) == (6, 2)
    assert figures >= {*grams, *(price.replace(".", "") for price in prices)}


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


def test_the_configurations_of_clients_are_valid() -> None:
    text = README + PAGES["data.md"]
    configurations = [json.loads(block)["mcpServers"]["gearshed"] for block in blocks(text, "json")]
    assert [sorted(each) for each in configurations] == [["command"], ["command", "env"]]
    assert all(each["command"].endswith("/.venv/bin/gearshed") for each in configurations)


def test_the_page_of_resources_names_every_resource_and_every_prompt() -> None:
    assert re.findall(r"^\| `([^`]+)` \|", PAGES["resources.md"], re.MULTILINE) == [
        SUMMARY.uri,
        *(template.uri_template for template in TEMPLATES),
        *(entry.name for entry in PROMPTS),
    ]


def test_the_page_of_the_configuration_names_every_setting_and_no_other() -> None:
    assert set(re.findall(r"GEARSHED_[A-Z_]+", PAGES["configuration.md"])) == NAMES


def test_the_page_of_clients_names_every_client_and_its_title() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| ([^|]+) \|", PAGES["clients.md"], re.MULTILINE)
    assert rows[1:] == [(client.name, client.title) for client in CLIENTS.values()]


def test_every_other_page_names_only_settings() -> None:
    of_compose = {"GEARSHED_SECRETS"}
    named = set(re.findall(r"GEARSHED_[A-Z_]+", README + "".join(PAGES.values())))
    assert named == NAMES | of_compose


def test_every_link_in_the_documentation_leads_somewhere() -> None:
    pages = {name: (ROOT / name).read_text(encoding="utf-8") for name in ROOT_PAGES}
    pages |= {f"docs/{name}": text for name, text in PAGES.items()}
    broken: list[str] = []
    for page, text in pages.items():
        for link in LINK.findall(text):
            name, _, anchor = link.partition("#")
            if "://" in link:
                continue
            path = (ROOT / page).parent / name if name else ROOT / page
            if not path.exists() or (anchor and anchor not in anchors(path.read_text(encoding="utf-8"))):
                broken.append(f"{page}: {link}")
    assert broken == []


def test_the_readme_leads_to_every_page_of_the_documentation() -> None:
    assert {f"docs/{name}" for name in PAGES} <= {link.partition("#")[0] for link in LINK.findall(README)}
