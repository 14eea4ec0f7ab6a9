"""Configuration files in strict JSON. Only one entry is changed, and the rest stays byte for byte."""

import json
import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

BOM = "\ufeff"
INDENT = re.compile(r"\n([ \t]+)\S")
DECODER = json.JSONDecoder()


class Unfit(Exception):
    """A file that is not changed: it has comments, or another shape. The message says which."""


class Member(NamedTuple):
    """Where a member of an object starts, and where its value starts and ends."""

    start: int
    value: int
    end: int


@dataclass(frozen=True)
class Document:
    """The text of a file, or nothing for one that does not exist."""

    path: Path
    text: str

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a file. Raise Unfit if it is not strict JSON with an object."""
        try:
            text = path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return cls(path, "")
        except (OSError, UnicodeDecodeError) as exc:
            raise Unfit(f"{path} cannot be read: {exc}.") from None
        document = cls(path, text)
        if document.body.strip():
            try:
                content = json.loads(document.body, object_pairs_hook=without_duplicates)
            except ValueError as exc:
                raise Unfit(f"{path} is not strict JSON ({exc}), perhaps because of comments.") from None
            if not isinstance(content, dict):
                raise Unfit(f"{path} does not contain an object.")
        return document

    @property
    def body(self) -> str:
        return self.text.removeprefix(BOM)

    @property
    def content(self) -> dict[str, Any]:
        return json.loads(self.body) if self.body.strip() else {}

    def entry(self, *keys: str) -> Any:
        """Return the value at a path of keys, or None."""
        value: Any = self.content
        for key in keys:
            value = cast(Mapping[str, Any], value).get(key) if isinstance(value, dict) else None
        return value

    def with_entry(self, keys: Sequence[str], value: Any) -> "Document":
        """Return the document with a value at a path of keys. Raise Unfit if one on it is not an object."""
        if not self.body.strip():
            return self._replaced(json.dumps(nested(keys, value), indent=2, ensure_ascii=False) + "\n")
        text, at = self.body, skip(self.body, 0)
        for depth, key in enumerate(keys):
            if text[at] != "{":
                raise Unfit(f"{self.path}: {'.'.join(keys[:depth])} is not an object.")
            found = members(text, at)
            if key not in found:
                return self._replaced(
                    self._inserted(text, at, found, depth, key, nested(keys[depth + 1 :], value))
                )
            at = found[key].value
        place = members_of(text, keys)[-1]
        return self._replaced(text[: place.value] + self._dumped(value, len(keys)) + text[place.end :])

    def without_entry(self, keys: Sequence[str]) -> "Document":
        """Return the document without the value at a path of keys, which exists."""
        text = self.body
        place = members_of(text, keys)[-1]
        before = text[: place.start].rstrip()
        after = text[place.end :]
        if before.endswith(","):
            return self._replaced(before.removesuffix(",") + after)
        rest = after.lstrip()
        if rest.startswith(","):
            return self._replaced(text[: place.start] + rest.removeprefix(",").lstrip())
        return self._replaced(before + rest)

    def _inserted(
        self, text: str, at: int, found: Mapping[str, Member], depth: int, key: str, value: Any
    ) -> str:
        """Return *text* with a new last member of the object at *at*."""
        line = f"{self._newline}{self._indent * (depth + 1)}" if self._indent else ""
        member = f"{line}{json.dumps(key, ensure_ascii=False)}: {self._dumped(value, depth + 1)}"
        if found:
            end = max(each.end for each in found.values())
            return f"{text[:end]},{member}{text[end:]}"
        close = text.index("}", at)
        outer = f"{self._newline}{self._indent * depth}" if self._indent else ""
        return f"{text[: at + 1]}{member}{outer}{text[close:]}"

    def _dumped(self, value: Any, depth: int) -> str:
        """Return a value as JSON, indented as the document is."""
        text = json.dumps(value, indent=self._indent or None, ensure_ascii=False)
        return text.replace("\n", f"{self._newline}{self._indent * depth}")

    @property
    def _indent(self) -> str:
        """The indentation of the document, or an empty string if it is on one line."""
        found = INDENT.search(self.body)
        return found[1] if found else ""

    @property
    def _newline(self) -> str:
        return "\r\n" if "\r\n" in self.body else "\n"

    def _replaced(self, body: str) -> "Document":
        bom = BOM if self.text.startswith(BOM) else ""
        return Document(self.path, bom + body)

    def write(self) -> Path | None:
        """Write the file, all or nothing, and return the copy of the former one, which is kept beside it.

        A symbolic link stays one, and the file keeps its mode.
        """
        target = Path(os.path.realpath(self.path))
        target.parent.mkdir(parents=True, exist_ok=True)
        kept, mode = None, 0o600
        if target.exists():
            mode = target.stat().st_mode & 0o7777
            kept = target.with_name(f"{target.name}.{datetime.now():%Y-%m-%dT%H%M%S}.bak")
            kept.write_bytes(target.read_bytes())
            kept.chmod(mode)
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        try:
            with open(descriptor, "wb") as file:
                file.write(self.text.encode())
                file.flush()
                os.fsync(file.fileno())
            os.chmod(name, mode)
            os.replace(name, target)
        except BaseException:
            with suppress(OSError):
                os.unlink(name)
            raise
        return kept


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Programs disagree on which of two members of one name counts."""
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a name occurs twice in an object")
    return result


def nested(keys: Sequence[str], value: Any) -> Any:
    for key in reversed(keys):
        value = {key: value}
    return value


def members(text: str, at: int) -> dict[str, Member]:
    """Return the members of the object that starts at *at*, in valid JSON."""
    found: dict[str, Member] = {}
    at = skip(text, at + 1)
    while text[at] != "}":
        start = at
        key, at = DECODER.raw_decode(text, at)
        value = skip(text, skip(text, at) + 1)
        _, end = DECODER.raw_decode(text, value)
        found[key] = Member(start, value, end)
        at = skip(text, end)
        if text[at] == ",":
            at = skip(text, at + 1)
    return found


def members_of(text: str, keys: Sequence[str]) -> list[Member]:
    """Return the places of the members on a path of existing keys."""
    places: list[Member] = []
    at = skip(text, 0)
    for key in keys:
        places.append(members(text, at)[key])
        at = places[-1].value
    return places


def skip(text: str, at: int) -> int:
    """Return the position of the next character that is not white space."""
    while text[at : at + 1].isspace():
        at += 1
    return at
