"""Databases that exist for as long as a test or a measurement needs them."""

import os
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from itertools import count
from typing import LiteralString

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.sql import SQL, Identifier

numbers = count(1)


def run_sql(server: str, statement: LiteralString, *names: str) -> None:
    """Execute *statement* outside a transaction, with *names* as identifiers in place of its `{}`."""
    with psycopg.connect(server, autocommit=True) as conn:
        conn.execute(SQL(statement).format(*map(Identifier, names)))


@contextmanager
def empty_database(server: str, name: str = "", template: str = "template0") -> Generator[str]:
    """Yield the address of a new database, which is dropped afterwards."""
    name = name or f"gearshed_test_{os.getpid()}_{next(numbers)}"
    run_sql(server, "CREATE DATABASE {} TEMPLATE {}", name, template)
    try:
        yield make_conninfo(server, dbname=name)
    finally:
        run_sql(server, "DROP DATABASE {} WITH (FORCE)", name)


def create_test_db(server: str, template: str) -> AbstractContextManager[str]:
    """Yield the address of a migrated database, a copy of *template*, which is dropped afterwards."""
    return empty_database(server, template=template)
