"""The lists of mutations fit the code: every old text is there once, and the tests that must notice exist."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from scripts.mutate.mutation import Mutation, apply, problems, read_all, select

MUTATIONS = read_all()
ONE = MUTATIONS[0]


def test_every_mutation_can_be_tried() -> None:
    assert [problem for mutation in MUTATIONS for problem in problems(mutation)] == []


def test_there_are_enough_mutations_and_each_is_listed_once() -> None:
    assert len(MUTATIONS) >= 120
    assert [name for name, times in Counter(each.name for each in MUTATIONS).items() if times > 1] == []
    assert len({(each.file, each.old, each.new) for each in MUTATIONS}) == len(MUTATIONS)


def test_mutations_in_each_room_are_listed() -> None:
    rooms = {each.file.rpartition("/")[0] for each in MUTATIONS}
    server = ("accounts", "formats", "http", "protocol", "services", "sqlite_migration")
    assert rooms >= {"db", *(f"mcp_server/{room}" for room in server)}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"old": "a text that is not there"}, "the old text occurs 0 times"),
        ({"old": "\n"}, "the old text occurs"),
        ({"file": "mcp_server/absent.py"}, "the old text occurs 0 times"),
        ({"new": ONE.old}, "the new text is the old one"),
        ({"tests": ()}, "no test is named"),
        ({"tests": ("tests/test_absent.py",)}, "tests/test_absent.py does not exist"),
        ({"tests": ("tests/test_undo.py::test_absent",)}, "tests/test_undo.py::test_absent does not exist"),
    ],
)
def test_a_mutation_that_cannot_be_tried_is_named(change: dict[str, Any], problem: str) -> None:
    assert problems(ONE) == []
    (found,) = problems(ONE._replace(**change))
    assert problem in found


def test_a_mutation_replaces_its_text_in_a_copy(tmp_path: Path) -> None:
    mutation = Mutation("code.py", "it adds", "a - b", "a + b", ("tests/test_code.py",))
    (tmp_path / "code.py").write_text("def less(a, b):\n    return a - b\n")
    apply(mutation, tmp_path)
    assert (tmp_path / "code.py").read_text() == "def less(a, b):\n    return a + b\n"


def test_mutations_are_selected_by_words() -> None:
    assert select(MUTATIONS, []) == MUTATIONS
    undo = select(MUTATIONS, ["services/undo.py"])
    assert 0 < len(undo) < len(MUTATIONS)
    assert {each.file for each in undo} == {"mcp_server/services/undo.py"}
    assert select(MUTATIONS, ["no such word"]) == []
