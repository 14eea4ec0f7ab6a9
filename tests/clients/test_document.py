"""Only our entry of a configuration changes. Everything else stays byte for byte, or nothing is written."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.clients.document import Document, Unfit

ENTRY = {"command": "/opt/gearshed", "args": ["serve"]}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text().filter(lambda name: name != "gearshed"), values, max_size=4)
newlines = st.sampled_from(["\n", "\r\n"])


@given(
    before=objects,
    servers=objects | st.none(),
    indent=st.sampled_from([None, 0, 2, 4, "\t"]),
    ascii_only=st.booleans(),
    newline=newlines,
    bom=st.sampled_from(["", "\ufeff"]),
)
def test_an_entry_is_added_and_removed_and_nothing_else_changes(
    before: dict[str, Any],
    servers: dict[str, Any] | None,
    indent: int | str | None,
    ascii_only: bool,
    newline: str,
    bom: str,
) -> None:
    content = {name: value for name, value in before.items() if name != "mcpServers"}
    content |= {} if servers is None else {"mcpServers": servers}
    body = json.dumps(content, indent=indent, ensure_ascii=ascii_only).replace("\n", newline)
    document = Document(Path("x.json"), bom + body + newline)
    changed = document.with_entry(["mcpServers", "gearshed"], ENTRY)
    expected = {**content, "mcpServers": {**(servers or {}), "gearshed": ENTRY}}
    assert changed.content == expected
    assert list(changed.content) == list(expected)
    assert changed.text.startswith(bom)
    assert changed.text.count("\r\n") == (changed.text.count("\n") if newline == "\r\n" else 0)
    # Everything before and after the entry is as it was.
    rest = changed.without_entry(["mcpServers", "gearshed"])
    assert rest.content == {**content, "mcpServers": servers or {}}
    if servers:
        assert rest.text == document.text


@pytest.mark.parametrize("body", ["", "  \n"])
def test_a_file_that_is_empty_or_missing_gets_the_entry_alone(tmp_path: Path, body: str) -> None:
    path = tmp_path / "mcp.json"
    if body:
        path.write_text(body)
    Document.read(path).with_entry(["mcpServers", "gearshed"], ENTRY).write()
    assert json.loads(path.read_text()) == {"mcpServers": {"gearshed": ENTRY}}


def test_an_entry_is_replaced_in_its_place() -> None:
    text = '{"a": 1.50, "mcpServers": {"gearshed": {"command": "old"}, "z": {}}, "b": [1,2]}'
    changed = Document(Path("x.json"), text).with_entry(["mcpServers", "gearshed"], {"command": "new"})
    assert changed.text == text.replace("old", "new")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{\n  // mine\n  "mcpServers": {}\n}', "comments"),
        ('{"mcpServers": {},}', "not strict JSON"),
        ("[]", "does not contain an object"),
        ('{"a": 1, "a": 2}', "occurs twice"),
        ("{" * 100_000, "not strict JSON"),
    ],
)
def test_a_file_in_another_shape_is_not_read(tmp_path: Path, body: str, reason: str) -> None:
    path = tmp_path / "mcp.json"
    path.write_text(body)
    with pytest.raises(Unfit, match=reason):
        Document.read(path)
    assert path.read_text() == body


def test_a_section_that_is_not_an_object_is_not_replaced() -> None:
    with pytest.raises(Unfit, match="mcpServers is not an object"):
        Document(Path("x.json"), '{"mcpServers": []}').with_entry(["mcpServers", "gearshed"], ENTRY)


def test_writing_keeps_the_mode_the_link_and_a_copy(tmp_path: Path) -> None:
    target, link = tmp_path / "dotfiles.json", tmp_path / "mcp.json"
    target.write_text('{"a": 1}')
    target.chmod(0o640)
    link.symlink_to(target)
    kept = Document.read(link).with_entry(["mcpServers", "gearshed"], ENTRY).write()
    assert link.is_symlink()
    assert os.stat(target).st_mode & 0o777 == 0o640
    assert json.loads(target.read_text()) == {"a": 1, "mcpServers": {"gearshed": ENTRY}}
    assert kept
    assert kept.read_text() == '{"a": 1}'
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([target.name, link.name, kept.name])


def test_a_write_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mcp.json"
    path.write_text("{}")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        Document.read(path).with_entry(["mcpServers", "gearshed"], ENTRY).write()
    assert path.read_text() == "{}"
    assert not list(tmp_path.glob(".mcp.json.*"))
