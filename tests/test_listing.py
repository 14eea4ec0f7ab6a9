"""server.json, with which the MCP registry lists Gearshed, follows the rules that can be checked offline."""

import json
import re
import tomllib
from typing import Any

import pytest
from jsonschema import Draft7Validator
from jsonschema.exceptions import ValidationError

from mcp_server.settings import Settings
from tests.conftest import ROOT

LISTING: dict[str, Any] = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
URL = {"type": "string", "pattern": "^https://"}
TEXT = {"type": "string", "minLength": 1}
VERSION = {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"}


def closed(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object without unknown fields. The registry's schema allows them, so a typo has no effect there."""
    return {
        "type": "object",
        "properties": {**required, **optional},
        "required": list(required),
        "additionalProperties": False,
    }


VARIABLE = closed(
    {"name": TEXT, "description": TEXT}, isSecret={"type": "boolean"}, format={"enum": ["boolean"]}
)
PACKAGE = closed(
    {
        "registryType": {"enum": ["pypi"]},
        "identifier": TEXT,
        "version": VERSION,
        "transport": closed({"type": {"enum": ["stdio"]}}),
    },
    registryBaseUrl={"const": "https://pypi.org"},
    packageArguments={"type": "array", "items": closed({"type": {"enum": ["positional"]}, "value": TEXT})},
    environmentVariables={"type": "array", "items": VARIABLE},
)
RULES = closed(
    {
        "$schema": {"const": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json"},
        "name": {"type": "string", "pattern": "^[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+$", "maxLength": 200},
        "description": {**TEXT, "maxLength": 100},
        "version": VERSION,
        "packages": {"type": "array", "items": PACKAGE, "minItems": 1},
    },
    title={**TEXT, "maxLength": 100},
    websiteUrl=URL,
    repository=closed({"url": URL, "source": {"enum": ["github"]}}),
)


def check(listing: dict[str, Any]) -> None:
    Draft7Validator(RULES).validate(listing)  # pyright: ignore[reportUnknownMemberType]


def test_the_listing_follows_the_rules_of_the_registry() -> None:
    check(LISTING)


@pytest.mark.parametrize(
    "fault",
    [
        {"name": "gearshed"},
        {"description": "x" * 101},
        {"version": "^0.2.0"},
        {"homepage": "https://example.com"},
        {"packages": [{**LISTING["packages"][0], "version": "latest"}]},
        {"packages": [{**LISTING["packages"][0], "runtime": "uvx"}]},
    ],
)
def test_a_faulty_listing_is_noticed(fault: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        check({**LISTING, **fault})


def test_the_listing_is_the_package_that_is_published() -> None:
    package = LISTING["packages"][0]
    assert package["identifier"] == PROJECT["name"]
    assert LISTING["version"] == package["version"] == PROJECT["version"]
    assert LISTING["repository"]["url"] == PROJECT["urls"]["Source"]
    # The registry looks for this line in the description of the package on the index.
    marker = re.search(r"<!-- mcp-name: (\S+) -->", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert marker is not None
    assert marker[1] == LISTING["name"]


def test_each_variable_is_a_setting() -> None:
    names = {"DATABASE_URL", *(f"GEARSHED_{name.upper()}" for name in Settings.model_fields)}
    assert {each["name"] for each in LISTING["packages"][0]["environmentVariables"]} <= names
