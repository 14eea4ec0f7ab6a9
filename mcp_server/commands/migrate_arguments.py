"""What `gearshed migrate-sqlite` takes."""

import argparse
from pathlib import Path

from mcp_server.sqlite_migration.values import EMPTY, MS, NUL, ORPHANS, SKIP, TEXT_TIMES, UTF8

DESCRIPTION = (
    "Move a collection from the old application's SQLite file to PostgreSQL, once. The file is only read. "
    "All of it is moved and verified, or nothing: a value that cannot be kept as it is stops the migration, "
    "unless one of the repairs below is chosen."
)
ENDS = (
    "It ends with 0 when everything was migrated and verified, or had been before; 1 when the arguments or "
    "the connection are wrong; 2 when the file cannot be read or is not the old application's; 3 when the "
    "database is not empty or of another release; 4 when values need a decision; 5 when loading and 6 when "
    "verifying failed; 130 when it was interrupted. In all cases but the first the data are as before."
)
REPAIRS = {
    MS: "times that are plainly milliseconds",
    TEXT_TIMES: "times in words, such as 2024-05-06 07:08:09, in UTC unless they say otherwise",
    EMPTY: "empty text where a number, a time, an address or a file name has to be becomes unknown",
    NUL: "take NUL characters out of texts, which PostgreSQL cannot store",
    UTF8: "put a replacement character in place of bytes that are no UTF-8",
    ORPHANS: "treat what refers to a missing row as if that row had been deleted here",
    SKIP: "leave out rows that still cannot be kept, and list them",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = ENDS
    parser.add_argument("file", type=Path, metavar="OLD.db", help="the old application's database")
    parser.add_argument("--uploads", type=Path, metavar="DIR", help="the folder with its images")
    parser.add_argument(
        "--owner", metavar="NAME", help="whose collection it is, if the file has no user or several"
    )
    parser.add_argument("--dry-run", action="store_true", help="do everything, then take it back")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write what was done and found")
    parser.add_argument(
        "--rejects", type=Path, metavar="FILE.ndjson", help="write what was not migrated, by line"
    )
    parser.add_argument(
        "--verify", choices=["full"], help="also compare row by row, and name those that differ"
    )
    parser.add_argument(
        "--replace", action="store_true", help="throw away what the database holds, of all users"
    )
    repairs = parser.add_argument_group("repairs")
    for flag, text in REPAIRS.items():
        name, _, value = flag.partition("=")
        if value:
            as_flag = f"{name}={{}}".format
            repairs.add_argument(
                name, dest="flags", action="append", type=as_flag, choices=[flag], metavar=value, help=text
            )
        else:
            repairs.add_argument(name, dest="flags", action="append_const", const=flag, help=text)
