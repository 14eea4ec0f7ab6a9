"""`gearshed audit`: who changed what, over all users."""

import json
from collections.abc import Callable
from typing import NamedTuple

import psycopg
import pytest

from mcp_server import cli
from mcp_server.commands import audit


class Done(NamedTuple):
    code: int
    out: str
    err: str


Gearshed = Callable[..., Done]

WRITES = (
    # username, key, program, tool, time, summary
    ("ada", "laptop", "claude-code", "create_item", "2026-07-01 10:00+00", "Created the tent"),
    ("eve", "laptop", "cursor", "create_item", "2026-07-02 10:00+00", "Created the kite"),
    ("ada", "phone", "claude-code", "delete_item", "2026-07-03 10:00+00", "Deleted the tent"),
    ("ada", None, None, "import", "2026-07-04 12:00+02", "Imported \x1b[31mred\x07 lines\nforged"),
)


@pytest.fixture
def gearshed(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gearshed:
    monkeypatch.setenv("DATABASE_URL", url)

    def run(*arguments: str) -> Done:
        code = cli.run(arguments)
        shown = capsys.readouterr()
        return Done(code, str(shown.out), str(shown.err))

    return run


@pytest.fixture
def writes(url: str) -> None:
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO users (username) VALUES ('ada'), ('eve'), ('none')")
        for username, client, program, tool, at, summary in WRITES:
            conn.execute(
                """
                INSERT INTO changes (user_id, client, program, tool, at, summary)
                SELECT id, %(client)s, %(program)s, %(tool)s, %(at)s, %(summary)s
                FROM users
                WHERE username = %(username)s
                """,
                {
                    "username": username,
                    "client": client,
                    "program": program,
                    "tool": tool,
                    "at": at,
                    "summary": summary,
                },
            )


def found(done: Done) -> list[str]:
    """The first two words of each summary, from JSON lines."""
    assert (done.code, done.err) == (0, "")
    return [" ".join(json.loads(line)["summary"].split()[:3:2]) for line in done.out.splitlines()]


@pytest.mark.usefixtures("writes")
def test_it_lists_the_changes_of_all_users_newest_first(gearshed: Gearshed) -> None:
    lines = gearshed("audit").out.splitlines()
    assert lines[0].split() == ["AT", "(UTC)", "USER", "KEY", "PROGRAM", "CHANGE", "TOOL", "SUMMARY"]
    assert [line.split()[:4] for line in lines[2:]] == [
        ["2026-07-03T10:00:00Z", "ada", "phone", "claude-code"],
        ["2026-07-02T10:00:00Z", "eve", "laptop", "cursor"],
        ["2026-07-01T10:00:00Z", "ada", "laptop", "claude-code"],
    ]
    assert lines[1].split()[:4] == ["2026-07-04T10:00:00Z", "ada", "-", "-"]


@pytest.mark.usefixtures("writes")
def test_nothing_in_a_change_controls_the_terminal(gearshed: Gearshed) -> None:
    for arguments in ((), ("--json",)):
        done = gearshed("audit", *arguments)
        assert "red" in done.out
        assert len(done.out.splitlines()) == len(WRITES) + (not arguments)
        assert done.out.replace("\n", "").isprintable()


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), ["Imported lines", "Deleted tent", "Created kite", "Created tent"]),
        (("--user", "ada"), ["Imported lines", "Deleted tent", "Created tent"]),
        (("--key", "laptop"), ["Created kite", "Created tent"]),
        (("--client", "laptop", "--user", "eve"), ["Created kite"]),
        (("--program", "claude-code"), ["Deleted tent", "Created tent"]),
        (("--tool", "create_item"), ["Created kite", "Created tent"]),
        (("--since", "2026-07-02", "--until", "2026-07-03"), ["Deleted tent", "Created kite"]),
        (("--limit", "2"), ["Imported lines", "Deleted tent"]),
        (("--key", "unknown"), []),
        (("--user", "none"), []),
    ],
)
def test_it_filters(gearshed: Gearshed, arguments: tuple[str, ...], expected: list[str]) -> None:
    assert found(gearshed("audit", "--json", *arguments)) == expected


@pytest.mark.usefixtures("writes")
def test_it_reads_in_pages(gearshed: Gearshed, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = found(gearshed("audit", "--json"))
    monkeypatch.setattr(audit, "LARGEST_PAGE", 1)
    assert found(gearshed("audit", "--json")) == whole
    assert len(whole) == len(WRITES)


@pytest.mark.usefixtures("writes")
def test_a_line_of_json_names_everything(gearshed: Gearshed) -> None:
    (line,) = gearshed("audit", "--json", "--key", "phone").out.splitlines()
    entry = json.loads(line)
    assert entry.pop("id") > 0
    assert entry == {
        "user": "ada",
        "at": "2026-07-03T10:00:00Z",
        "tool": "delete_item",
        "client": "phone",
        "program": "claude-code",
        "summary": "Deleted the tent",
        "undoes": [],
        "undone_by": None,
        "cut": [],
    }


@pytest.mark.usefixtures("writes")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--since", "soon"), "--since: write a date or time like 2026-07-01"),
        (("--until", "2026-13-01"), "--until: write a date"),
        (("--since", "2026-07-02", "--until", "2026-07-01"), "until: is before since."),
        (("--limit", "0"), "--limit: must be 1 to"),
        (("--user", "adda"), 'No user "adda". Did you mean "ada"?'),
    ],
)
def test_an_impossible_filter_is_one_line(gearshed: Gearshed, arguments: tuple[str, ...], words: str) -> None:
    done = gearshed("audit", "--json", *arguments)
    (error,) = done.err.splitlines()
    assert (done.code, done.out) == (1, "")
    assert words in error
