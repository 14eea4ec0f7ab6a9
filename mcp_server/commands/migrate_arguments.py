"""What `gearshed migrate-sqlite` takes."""

import argparse
from pathlib import Path

from mcp_server.sqlite_migration.values import (
    EMPTY,
    MERGE,
    MS,
    NUL,
    ORPHANS,
    SKIP,
    TEXT_TIMES,
    TEXT_WEIGHTS,
    TO_NOTES,
    URLS,
    UTF8,
)

DESCRIPTION = (
    "Migrate a collection from the old application's SQLite file to PostgreSQL. The file is only read. The "
    "migration moves and verifies all rows, or none: a value that cannot be kept unchanged stops it, unless "
    "one of the repairs below is chosen."
)
ENDS = (
    "Exit codes: 0 everything was migrated and verified, now or earlier; 1 invalid arguments, or no "
    "connection; 2 the file cannot be read or is not from the old application; 3 the database is not empty, "
    "or is from another release; 4 values need a decision; 5 loading failed; 6 verification failed; 130 "
    "interrupted. Unless the exit code is 0, the database is unchanged."
)
REPAIRS = {
    MS: "convert times in milliseconds to seconds",
    TEXT_TIMES: "convert times stored as text, such as 2024-05-06 07:08:09; UTC unless they have an offset",
    TEXT_WEIGHTS: "convert weights stored as text, such as 540 g or 1 lb 3 oz",
    URLS: "add https:// to URLs without a scheme, such as www.example.com, and remove blanks around URLs",
    EMPTY: "replace empty text in numbers, times, URLs and file names with an unknown value",
    NUL: "remove NUL characters, which PostgreSQL cannot store, from text",
    UTF8: "replace bytes that are not valid UTF-8 with the replacement character",
    TO_NOTES: "move other values that cannot be kept, in optional columns, to the notes of the row",
    MERGE: "merge categories whose names differ only in case",
    ORPHANS: "treat references to missing rows as if those rows were deleted now",
    SKIP: "omit rows that still cannot be kept, and list them",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.description = DESCRIPTION
    parser.epilog = ENDS
    parser.add_argument("file", type=Path, metavar="OLD.db", help="the old application's database")
    parser.add_argument("--uploads", type=Path, metavar="DIR", help="the old application's image folder")
    parser.add_argument(
        "--owner", metavar="NAME", help="user who gets the collection, if the file has no user or several"
    )
    parser.add_argument("--dry-run", action="store_true", help="run all checks, then roll back")
    parser.add_argument("--report", type=Path, metavar="FILE.json", help="write a full report")
    parser.add_argument(
        "--rejects", type=Path, metavar="FILE.ndjson", help="write the values that were not migrated"
    )
    parser.add_argument(
        "--verify", choices=["full"], help="also compare row by row, and name rows that differ"
    )
    parser.add_argument(
        "--replace", action="store_true", help="delete the database's contents first, for all users"
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
