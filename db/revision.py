"""What revisions build with: the sections of functions.sql, and the tables of a collection."""

import re
from pathlib import Path

from sqlalchemy import Column
from sqlalchemy.schema import SchemaItem

from alembic import op

FILE = Path(__file__).with_name("functions.sql")
_, *parts = re.split(r"^-- \[(.+)\]\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
SECTIONS = dict(zip(parts[::2], parts[1::2], strict=True))


def execute(sql: str) -> None:
    """Run statements as they are written: SQLAlchemy and psycopg would read `:name` and `%` as parameters."""
    op.get_bind().exec_driver_sql(sql, execution_options={"no_parameters": True})


def define(*sections: str) -> None:
    """Create the functions and triggers of these sections of functions.sql, or replace them."""
    (schema,) = op.get_bind().exec_driver_sql("SELECT quote_ident(current_schema())").one()
    for section in sections:
        execute(SECTIONS[section].replace("{schema}", schema))


def create_collection_table(name: str, *columns: SchemaItem) -> None:
    """Create a table of a collection, protected and logged. It takes what `op.create_table` takes."""
    op.create_table(name, *columns)
    protect(name)
    names = {each.name for each in columns if isinstance(each, Column)}
    execute(logging(name, stamped="updated_at" in names))


def protect(table: str) -> None:
    """Let the server's role read and write a table, one user's rows at a time."""
    execute(protection(table))


def protection(table: str) -> str:
    """Return the statements that grant the server's role a table, and show each user only their own rows."""
    return SECTIONS["protected table"].replace("{table}", table)


def logging(table: str, *, stamped: bool) -> str:
    """Return the statements for the triggers of a collection's table; a *stamped* one has `updated_at`."""
    sections = ("collection table", "stamped table") if stamped else ("collection table",)
    return "".join(SECTIONS[section] for section in sections).replace("{table}", table)
