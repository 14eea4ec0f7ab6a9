"""`gearshed import` and `gearshed export`, as processes of their own."""

import os
import pty
import re
import shlex
import signal
import subprocess
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from time import monotonic

import psycopg
import pytest

from tests.test_cli import GEARSHED

LISTS = Path(__file__).parent / "data" / "csv"
OWN = LISTS / "gearshed.csv"
# No other session is in a transaction. A pooler keeps sessions whose clients are gone.
QUIET = """
    SELECT NOT EXISTS (
        SELECT
        FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'
    )
"""
Gearshed = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def gearshed(url: str) -> Gearshed:
    """Run a command on this test's database, with a text on standard input."""

    def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*GEARSHED, *map(str, arguments)],
            env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def stored(url: str) -> int:
    with psycopg.connect(url) as conn:
        (count,) = conn.execute("SELECT count(*) FROM items").fetchone() or (0,)
    return count


def test_a_packing_list_becomes_a_setup_of_its_name_once(gearshed: Gearshed, url: str) -> None:
    first = gearshed("import", LISTS / "lighterpack.csv", "--skip-bad-lines")
    assert (first.returncode, first.stderr) == (0, "")
    assert '; setup "lighterpack": base ' in first.stdout
    assert "; change 1; to undo it: gearshed undo 1\n" in first.stdout
    count = stored(url)
    assert count
    again = gearshed("import", LISTS / "lighterpack.csv", "--skip-bad-lines")
    assert f"{count} unchanged" in again.stdout
    assert "change" not in again.stdout.splitlines()[0].replace("unchanged", "")
    assert stored(url) == count


def test_a_dry_run_stores_nothing(gearshed: Gearshed, url: str) -> None:
    shown = gearshed("import", OWN, "--dry-run", "--skip-bad-lines")
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.splitlines()[0].endswith("(nothing was stored: --dry-run)")
    assert stored(url) == 0


def test_a_bad_line_is_named_with_its_file_and_nothing_of_that_is_stored(
    gearshed: Gearshed, url: str, tmp_path: Path
) -> None:
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text("name,weight_grams\nTent,900\n")
    bad.write_text("name,weight_grams\nMat,400\nPot,heavy\n")
    done = gearshed("import", good, bad)
    assert done.returncode == 1
    assert f'{bad}: Nothing was imported. line 3, weight_grams ("heavy")' in done.stderr
    assert f"{good}: gearshed, 1 imported" in done.stdout
    assert stored(url) == 1
    missing = gearshed("import", tmp_path / "missing.csv")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert "missing.csv: No such file or directory" in missing.stderr


def test_what_is_piped_in_comes_out_again(gearshed: Gearshed, tmp_path: Path) -> None:
    text = "name,category,category_icon,weight_grams,weight_margin_grams,weight_source,price_cents,quantity,"
    text += "notes,product_url,external_id\n"
    text += "Tent,Shelter,tent,900.5,20,maker,24995,1,'=green,https://example.com/,1-a\n"
    assert gearshed("import", "-", stdin=text).returncode == 0
    out = gearshed("export")
    assert (out.returncode, out.stderr) == (0, "")
    assert out.stdout == text
    assert gearshed("export", tmp_path / "all.csv").stdout == ""
    assert (tmp_path / "all.csv").read_text() == text


def test_what_lighterpack_cannot_hold_is_reported_on_standard_error(gearshed: Gearshed) -> None:
    text = "name,weight_grams,setup_quantity\nTent,0,1\nMat,400,1\n"
    assert gearshed("import", "-", "--setup", "Trip", stdin=text).returncode == 0
    out = gearshed("export", "--setup", "Trip", "--format", "lighterpack")
    assert out.returncode == 0
    assert len(out.stdout.splitlines()) == 3
    assert out.stderr == "gearshed: a weight of 0 g will be unknown: 1 line\n"
    unknown = gearshed("export", "--setup", "Trap")
    assert unknown.returncode == 1
    assert 'Did you mean "Trip"?' in unknown.stderr


@pytest.mark.parametrize("stop", [signal.SIGKILL, signal.SIGINT])
def test_an_import_that_is_stopped_stores_all_or_nothing(
    url: str, tmp_path: Path, stop: signal.Signals
) -> None:
    rows, file = 10_000, tmp_path / "list.csv"
    lines = (f"Thing {number},{number % 3000},1" for number in range(rows))
    file.write_text("\n".join(["name,weight_grams,quantity", *lines]))
    environment = {"PATH": os.environ["PATH"], "DATABASE_URL": url}
    command = [*GEARSHED, "import", str(file), "--user"]

    def start(user: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [*command, user], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    began = monotonic()
    assert start("calm").wait(60) == 0
    whole = monotonic() - began
    for attempt in range(3):
        with start(f"stopped {attempt}") as process:
            try:
                process.wait(SystemRandom().uniform(whole / 3, whole))
            except subprocess.TimeoutExpired:
                process.send_signal(stop)
            process.wait(10)
        with psycopg.connect(url, autocommit=True) as conn:
            while conn.execute(QUIET).fetchone() != (True,):
                conn.execute("SELECT pg_sleep(0.05)")
        assert stored(url) % rows == 0
    assert start("last").wait(60) == 0


SHEET = "Gegenstand;Gewicht (g);Anzahl\nZelt;1180;1\nHering;9,5;8\n"


def test_a_new_spreadsheet_is_imported_by_the_command_that_is_printed_and_then_without_it(
    gearshed: Gearshed, url: str, tmp_path: Path
) -> None:
    sheet = tmp_path / "my list.csv"
    sheet.write_text(SHEET)
    refused = gearshed("import", sheet)
    assert refused.returncode == 1
    assert stored(url) == 0
    (command,) = re.findall("and run: gearshed (.*)", refused.stderr)
    assert '"Gewicht (g)": "weight g"' in command
    done = gearshed(*shlex.split(command))
    assert (done.returncode, done.stderr) == (0, "")
    assert '2 imported; setup "my list": base 1,256 g' in done.stdout
    again = gearshed("import", sheet)
    assert "2 unchanged" in again.stdout


def test_a_dry_run_shows_what_a_new_spreadsheet_would_give(
    gearshed: Gearshed, url: str, tmp_path: Path
) -> None:
    sheet = tmp_path / "list.csv"
    sheet.write_text(SHEET)
    assert "base 1,256 g" in gearshed("import", "--dry-run", sheet).stdout
    assert stored(url) == 0


def test_an_option_is_named_where_the_tool_has_an_argument(gearshed: Gearshed, tmp_path: Path) -> None:
    sheet = tmp_path / "list.csv"
    sheet.write_text("Item,Weight\nTent,1180\n")
    refused = gearshed("import", sheet)
    assert "Give --weight-unit (g, kg, oz or lb), or --columns, such as" in refused.stderr
    assert "--weight-unit g --columns" in gearshed("import", "--weight-unit", "g", sheet).stderr
    assert "argument --columns: " in gearshed("import", "--columns", "Item=name", sheet).stderr


@pytest.mark.parametrize(("answer", "count"), [("y", 2), ("n", 0)])
def test_at_a_terminal_a_new_spreadsheet_is_shown_and_asked_about_once(
    url: str, tmp_path: Path, answer: str, count: int
) -> None:
    sheet = tmp_path / "list.csv"
    sheet.write_text(SHEET)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*GEARSHED, "import", str(sheet)],
        env={"PATH": os.environ["PATH"], "DATABASE_URL": url},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = ""
    with suppress(OSError):
        while data := os.read(ours, 4096):
            shown += data.decode()
            if shown.endswith("[Y/n] "):
                os.write(ours, f"{answer}\n".encode())
    os.close(ours)
    assert process.wait(60) == (0 if count else 1), shown
    assert shown.count("[Y/n]") == 1
    assert "Gewicht (g) → weight g" in shown
    assert "8 × Hering: 9.5 g" in shown
    assert "Total: 2 items, 1,256 g" in shown
    assert stored(url) == count


def test_a_workbook_is_imported_from_the_sheet_that_looks_like_a_list_or_a_named_one(
    gearshed: Gearshed, url: str
) -> None:
    book = LISTS.parent / "workbooks" / "gear.xls"
    refused = gearshed("import", book)
    assert refused.returncode != 0
    assert "This header is not known yet" in refused.stderr
    columns = '{"Item": "name", "Weight (g)": "weight g", "Qty": "quantity"}'
    done = gearshed("import", "--columns", columns, book)
    assert (done.returncode, done.stderr) == (0, "")
    assert 'the sheet "Gear" of "Notes", "Gear"' in done.stdout
    assert stored(url) == 2
    other = gearshed("import", "--sheet", "Nots", book)
    assert 'no sheet "Nots". Did you mean "Notes"?' in other.stderr
    text = gearshed("import", "--sheet", "Gear", OWN)
    assert "not a workbook. Leave --sheet out" in text.stderr


def test_an_exported_workbook_holds_text_as_text_and_comes_back(
    gearshed: Gearshed, url: str, tmp_path: Path
) -> None:
    book = tmp_path / "gear.xlsx"
    lines = ["name,category,weight_grams,price_cents", "'=1+1,Formulas,12.5,999", "Tent,,1180.25,"]
    assert gearshed("import", "-", stdin="\n".join(lines)).returncode == 0
    exported = gearshed("export", book)
    assert (exported.returncode, exported.stderr) == (0, "")
    with zipfile.ZipFile(book) as archive:
        assert b"<f>" not in archive.read("xl/worksheets/sheet1.xml")
        assert b"<v>1180.25</v>" in archive.read("xl/worksheets/sheet1.xml")
    again = gearshed("import", book)
    assert (again.returncode, again.stdout.startswith(f"{book}: gearshed, 2 unchanged")) == (0, True)
    table = gearshed("export", "--format", "markdown")
    assert "| **Total** |  | 2 |  | **1,192.8 g** | **9.99** + 1 unknown |" in table.stdout
    refused = gearshed("export", "--format", "markdown", book)
    assert "Give another --format" in refused.stderr


def test_a_setup_is_exported_as_a_page_of_one_file(gearshed: Gearshed, tmp_path: Path) -> None:
    lines = [
        "name,category,weight_grams,price_cents,notes,setup_quantity",
        "Tent,Shelter,1180,40000,secret,1",
    ]
    done = gearshed("import", "--setup", "Trip", "-", stdin="\n".join(lines))
    assert done.returncode == 0, done.stderr
    file = tmp_path / "trip.html"
    exported = gearshed("export", file)
    assert (exported.returncode, exported.stderr) == (0, "")
    page = file.read_text()
    assert "base weight 1,180 g" in page
    for absent in ("secret", "400.00", "Price", "<link", "src=", 'href="', "CSV", "open until"):
        assert absent not in page, absent
    assert gearshed("export", "--setup", "Trip", "--prices", tmp_path / "other.html").returncode == 0
    assert "Price: 400.00" in (tmp_path / "other.html").read_text()
    assert 'No setup "other"' in gearshed("export", tmp_path / "other.html").stderr
    assert "has no --format" in gearshed("export", "--format", "markdown", file).stderr
    assert "--prices is for pages only" in gearshed("export", "--prices", tmp_path / "all.csv").stderr


def test_a_link_is_fetched_by_the_guarded_fetcher(gearshed: Gearshed) -> None:
    refused = gearshed("import", "http://127.0.0.1/list.csv")
    assert refused.returncode == 1
    assert refused.stderr.startswith(
        "gearshed: http://127.0.0.1/list.csv: url: the host is not on the public"
    )
