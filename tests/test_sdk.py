"""The private names of the SDK that Gearshed uses: all are listed, and the installed SDK has them."""

import ast
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path

from mcp.server.connection import Connection
from mcp.server.mcpserver import MCPServer

from mcp_server.protocol.sdk import ATTRIBUTES, OVERRIDDEN
from mcp_server.server import GearServer

ROOT = Path(__file__).parents[1]
LISTED = {*OVERRIDDEN, *(name for names in ATTRIBUTES.values() for name in names)}


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def set_on_self(tree: ast.AST) -> Iterator[str]:
    """Every attribute that *tree* assigns on `self`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr


def defined(tree: ast.AST) -> Iterator[str]:
    """Every attribute, method and field that *tree* defines."""
    yield from set_on_self(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_the_installed_sdk_has_every_private_name() -> None:
    for name in OVERRIDDEN:
        assert inspect.iscoroutinefunction(getattr(MCPServer, name)), name
    for kind, names in ATTRIBUTES.items():
        source = inspect.getsource(kind)
        assert set(names) <= set(set_on_self(ast.parse(source))), kind
    assert {"state", "exit_stack", "has_standalone_channel"} <= {
        *dir(Connection),
        *set_on_self(ast.parse(inspect.getsource(Connection))),
    }


def test_every_private_name_that_is_used_is_ours_or_listed() -> None:
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (ROOT / "mcp_server").rglob("*.py")]
    ours = {name for tree in trees for name in defined(tree)}
    of_named_tuples, of_os = {"_asdict", "_replace", "_make"}, {"_exit"}
    used = {
        node.attr
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and is_private(node.attr)
    }
    assert used - ours - of_named_tuples - of_os == LISTED - set(OVERRIDDEN)


def test_the_server_overrides_no_other_private_name_of_the_sdk() -> None:
    (sdk,) = (cls for cls in GearServer.__mro__ if cls is MCPServer)
    theirs = {*dir(sdk), *set_on_self(ast.parse(inspect.getsource(sdk)))}
    own = [cls for cls in GearServer.__mro__ if cls.__module__.startswith("mcp_server.")]
    names = {
        name
        for cls in own
        for name in (*vars(cls), *set_on_self(ast.parse(inspect.getsource(cls))))
        if is_private(name)
    }
    assert names & theirs == set(OVERRIDDEN)


def test_only_one_minor_version_of_the_sdk_is_allowed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [each for each in project["dependencies"] if each.startswith("mcp>")] == ["mcp>=2.3,<2.4"]
