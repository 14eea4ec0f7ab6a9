"""Kill `gearshed import` at random moments, and check that it stored the whole file or nothing.

Run `.venv/bin/python scripts/kill_imports.py [--rows 1000000] [--kills 10]`. Everything happens in a
throwaway embedded PostgreSQL. The first import is not killed: its duration limits the random moments.
"""

import csv
import os
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from random import SystemRandom
from time import monotonic

import psycopg

from db.embedded import Embedded

COUNTS = """
    SELECT count(*)
    FROM items
    JOIN users ON users.id = items.user_id
    WHERE users.username = %(user)s
"""


def main() -> None:
    options = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument("--rows", type=int, default=1_000_000)
    options.add_argument("--kills", type=int, default=10)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        file = folder / "list.csv"
        write_list(file, asked.rows)
        database = Embedded(folder / "data")
        # Started here, so that it does not stop with a killed import.
        database.start()
        try:
            kill_imports(database.url, folder / "data", file, asked.rows, asked.kills)
        finally:
            database.stop()


def kill_imports(url: str, data_dir: Path, file: Path, rows: int, kills: int) -> None:
    started = monotonic()
    succeed(importing(data_dir, file, "calm").wait())
    whole = monotonic() - started
    print(f"not killed: {stored(url, 'calm'):,} items in {whole:.1f} s")
    attempts = 0
    while kills:
        attempts += 1
        user, moment = f"killed {attempts}", SystemRandom().uniform(0, whole)
        process = importing(data_dir, file, user)
        try:
            succeed(process.wait(timeout=moment))
            continue  # It finished before the kill.
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        kills -= 1
        wait_until_gone(url, process.pid)
        count = stored(url, user)
        print(f"killed after {moment:5.1f} s: {count:,} items", flush=True)
        if count not in (0, rows):
            sys.exit("Only part of the file was stored.")


def succeed(code: int) -> None:
    if code:
        sys.exit(f"The import ended with {code}.")


def write_list(file: Path, rows: int) -> None:
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(("name", "category", "weight_grams", "price_cents", "quantity", "notes"))
        for number in range(rows):
            category, weight = f"Category {number % 20}", number * 7919 % 30000 / 10
            writer.writerow((f"Thing {number}", category, weight, number % 50000, 1, "a gift"))


def importing(data_dir: Path, file: Path, user: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "mcp_server", "import", str(file), "--user", user],
        env={"PATH": os.environ["PATH"], "GEARSHED_DATA_DIR": str(data_dir)},
        stdout=subprocess.DEVNULL,
    )


def wait_until_gone(url: str, pid: int) -> None:
    """Wait until the server has ended the session of a killed process, after which it cannot commit."""
    gone = "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = %(name)s)"
    with psycopg.connect(url, autocommit=True) as conn:
        while conn.execute(gone, {"name": f"gearshed {pid}"}).fetchone() != (True,):
            conn.execute("SELECT pg_sleep(0.1)")


def stored(url: str, user: str) -> int:
    # The embedded server's user is a superuser, who sees the rows of all users.
    with psycopg.connect(url) as conn:
        (count,) = conn.execute(COUNTS, {"user": user}).fetchone() or (0,)
    return count


if __name__ == "__main__":
    main()
