"""Users and keys at the command line, and their passwords."""

import io
import logging
import re
import time
from collections.abc import Callable
from typing import NamedTuple

import psycopg
import pytest
from argon2 import PasswordHasher

from db.pool import Pool
from mcp_server import cli
from mcp_server.accounts import auth, password

# The hash of "correct horse", with the parameters of the old application.
OLD_HASH = PasswordHasher(time_cost=2, memory_cost=65536, parallelism=1).hash("correct horse")


class Done(NamedTuple):
    code: int
    out: str
    err: str


Gearshed = Callable[..., Done]


@pytest.fixture
def gearshed(url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gearshed:
    """Run a command on this test's database, with a line on standard input."""
    monkeypatch.setenv("DATABASE_URL", url)

    def run(*arguments: str, line: str = "") -> Done:
        monkeypatch.setattr("sys.stdin", io.StringIO(line))
        code = cli.run(arguments)
        shown = capsys.readouterr()
        return Done(code, str(shown.out), str(shown.err))

    return run


def rows(done: Done) -> list[list[str]]:
    """The rows of a table."""
    assert (done.code, done.err) == (0, "")
    return [re.split(r" {2,}", line) for line in done.out.splitlines()[1:]]


def test_a_user_is_added_listed_and_removed_with_everything(gearshed: Gearshed, url: str) -> None:
    assert gearshed("users", "add", "ada", line="correct horse\n").code == 0
    assert gearshed("users", "add", "eve", "--no-password").code == 0
    assert gearshed("keys", "create", "ada", "laptop").code == 0
    with psycopg.connect(url) as conn:
        conn.execute("INSERT INTO items (user_id, name) SELECT id, 'Tent' FROM users WHERE username = 'ada'")
    assert rows(gearshed("users", "list")) == [["ada", "yes", "1", "1"], ["eve", "no", "0", "0"]]
    refused = gearshed("users", "remove", "ada", line="eve\n")
    assert refused.code == 1
    assert "Nothing was deleted" in refused.err
    assert gearshed("users", "remove", "ada", line="ada\n").code == 0
    assert gearshed("users", "remove", "eve", "--yes").code == 0
    assert rows(gearshed("users", "list")) == rows(gearshed("keys", "list")) == []
    with psycopg.connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_an_impossible_command_is_one_line(gearshed: Gearshed) -> None:
    gearshed("users", "add", "ada", "--no-password")
    for arguments, line, words in (
        (("users", "add", "Ada", "--no-password"), "", 'User "ada" already exists.'),
        (("users", "add", " ", "--no-password"), "", "name: "),
        (("users", "add", "a\x1b[31m", "--no-password"), "", "name: must not contain control characters."),
        (("users", "add", "eve"), "", "password: must have 10 to 1000 characters."),
        (("users", "add", "eve"), "short\n", "password: must have 10 to 1000 characters."),
        (("users", "add", "eve"), "aaaaaaaaaaaa\n", "at least 5 different characters"),
        (("users", "password", "adda"), "correct horse\n", 'No user "adda". Did you mean "ada"?'),
        (("users", "remove", "adda"), "", 'No user "adda".'),
        (("keys", "create", "adda", "laptop"), "", 'No user "adda".'),
        (("keys", "create", "ada", " "), "", "name: "),
        (("keys", "create", "ada", "x", "--expires", "0"), "", "--expires: "),
        (("keys", "create", "ada", "x", "--expires", "99999999"), "", "--expires: "),
        (("keys", "list", "adda"), "", 'No user "adda".'),
        (("keys", "revoke", "7"), "", "No key 7. `gearshed keys list` lists all keys."),
    ):
        done = gearshed(*arguments, line=line)
        (error,) = done.err.splitlines()
        assert (done.code, done.out) == (1, "")
        assert words in error
        assert "short" not in error
    assert [row[0] for row in rows(gearshed("users", "list"))] == ["ada"]


def test_a_key_is_shown_once_and_alone_on_standard_output(gearshed: Gearshed) -> None:
    gearshed("users", "add", "ada", "--no-password")
    made = gearshed("keys", "create", "ada", "laptop", "--scope", "read", "--expires", "90")
    assert re.fullmatch(r"gs_[\w-]{43}\n", made.out)
    gearshed("keys", "create", "ada", "phone")
    (laptop, phone) = rows(gearshed("keys", "list", "ada"))
    assert laptop[1:5] == ["ada", "laptop", f"{made.out[:8]}…", "read"]
    assert (phone[4], phone[6:]) == ("write", ["never", "never"])
    assert laptop[6] > laptop[5]
    assert gearshed("keys", "revoke", laptop[0]).code == 0
    assert [row[2] for row in rows(gearshed("keys", "list"))] == ["phone"]


async def test_a_password_matches_whatever_the_case_of_the_name_and_old_hashes_match_too(
    pool: Pool,
) -> None:
    async with pool.connection() as conn:
        await auth.add_user(conn, "ada", await password.hashed("battery staple"))
        await auth.add_user(conn, "old", OLD_HASH)
        await auth.add_user(conn, "keys only", None)
        for username, text, opens in (
            ("ada", "battery staple", True),
            ("Ada", "battery staple", True),
            ("ada", "battery stapl", False),
            ("ada", "", False),
            ("old", "correct horse", True),
            ("old", "correct horses", False),
            ("keys only", "", False),
            ("who", "battery staple", False),
        ):
            login = await auth.find_login(conn, username)
            assert await password.matches(login and login.password_hash, text) is opens


async def test_a_wrong_password_and_an_unknown_name_take_equally_long() -> None:
    started = time.monotonic()
    for stored in (None, OLD_HASH, "not a hash at all"):
        before = time.monotonic()
        assert not await password.matches(stored, "wrong horse")
        assert time.monotonic() - before >= password.PAUSE
    assert time.monotonic() - started >= 3 * password.PAUSE


def test_no_password_is_logged(gearshed: Gearshed, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        done = gearshed("users", "add", "ada", line="correct horse\n")
    assert "correct horse" not in caplog.text + done.out + done.err
