"""A mutation: one plausible mistake in one file, and the tests that have to fail with it."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
LISTS = Path(__file__).parent


class Mutation(NamedTuple):
    """*old* becomes *new*. If it *survives*, that is the reason why no test can notice."""

    file: str
    mistake: str
    old: str
    new: str
    tests: tuple[str, ...]
    survives: str = ""

    @property
    def name(self) -> str:
        return f"{self.file}: {self.mistake}"


def read_all() -> list[Mutation]:
    """Return the mutations of all lists. In a list, the name of a table is the file."""
    found: list[Mutation] = []
    for path in sorted(LISTS.glob("*.toml")):
        for file, mutations in tomllib.loads(path.read_text()).items():
            found += [Mutation(file=file, **each)._replace(tests=tuple(each["tests"])) for each in mutations]
    return found


def select(mutations: Sequence[Mutation], words: Sequence[str]) -> list[Mutation]:
    """Return the mutations with one of these words in their names or tests, or all without words."""
    return [
        each
        for each in mutations
        if not words or any(word in f"{each.name} {' '.join(each.tests)}" for word in words)
    ]


def problems(mutation: Mutation, root: Path = ROOT) -> list[str]:
    """Return why a mutation cannot be tried: its text or its tests are not there."""
    found: list[str] = []
    path = root / mutation.file
    times = path.read_text().count(mutation.old) if path.is_file() else 0
    if times != 1:
        found.append(f"{mutation.name}: the old text occurs {times} times")
    if mutation.old == mutation.new:
        found.append(f"{mutation.name}: the new text is the old one")
    if not mutation.tests:
        found.append(f"{mutation.name}: no test is named")
    for test in mutation.tests:
        file, _, function = test.partition("::")
        source = (root / file).read_text() if (root / file).is_file() else None
        if source is None or (function and f"def {function.partition('[')[0]}(" not in source):
            found.append(f"{mutation.name}: {test} does not exist")
    return found


def apply(mutation: Mutation, root: Path) -> None:
    path = root / mutation.file
    path.write_text(path.read_text().replace(mutation.old, mutation.new))
