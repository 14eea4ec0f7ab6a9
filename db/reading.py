"""Reads of one user's rows, each as a single message to PostgreSQL.

PostgreSQL runs all statements of a message in one transaction. A message here has two: the settings that bind
a transaction to a user, and the read, which is prepared once on each connection. BEGIN, the read and COMMIT
would be three messages.

Psycopg's pipeline would also save round trips, but when cancelled, it waits for what it has sent.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Self

from psycopg import AsyncConnection, AsyncCursor, errors
from psycopg.abc import QueryNoTemplate
from psycopg.adapt import PyFormat, Transformer
from psycopg.rows import Row, TupleRow
from psycopg.sql import Composable

# Statements that a connection keeps prepared. The oldest is dropped first.
MOST_PREPARED = 100
PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|%)")


class Connection(AsyncConnection[TupleRow]):
    """A connection whose statements are single messages inside `reading`."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._settings: bytes | None = None
        # The statements that are prepared, and the number of the last one.
        self._names: dict[str, bytes] = {}
        self._last = 0

    @contextmanager
    def reading(self, settings: bytes) -> Generator[None]:
        """Run each statement in a transaction of its own, which starts with *settings*."""
        self._settings = settings
        try:
            yield
        finally:
            self._settings = None

    @property
    def is_reading(self) -> bool:
        return self._settings is not None

    def forget(self) -> None:
        """Prepare all statements again."""
        self._names.clear()

    async def message(self, query: QueryNoTemplate, params: Mapping[str, Any]) -> bytes:
        """Return the message that runs *query* inside `reading`."""
        text, names = numbered(as_text(query))
        transformer = Transformer.from_context(self)
        dumpers = [transformer.get_dumper(params[name], PyFormat.TEXT) for name in names]
        types = [self._type_name(dumper.oid) for dumper in dumpers]
        statement = await self._prepare(f"{listed(types)} AS {text}")
        values = [
            bytes(dumper.quote(params[name])).decode() for dumper, name in zip(dumpers, names, strict=True)
        ]
        return b"%sEXECUTE %s%s" % (self._settings, statement, listed(values).encode())

    async def _prepare(self, statement: str) -> bytes:
        """Return the name of a prepared *statement*. It is planned for the role in the settings."""
        if name := self._names.get(statement):
            return name
        self._last += 1
        name = b"reading_%d" % self._last
        message = b"%sPREPARE %s %s" % (self._settings, name, statement.encode())
        if len(self._names) >= MOST_PREPARED:
            message += b"; DEALLOCATE " + self._names.pop(next(iter(self._names)))
        await AsyncCursor(self).execute(message, prepare=False)
        self._names[statement] = name
        return name

    def _type_name(self, oid: int) -> str:
        """Return the name of a parameter's type. PostgreSQL infers an unknown one."""
        found = self.adapters.types.get(oid)
        if found is None:
            return "unknown"
        return found.regtype if oid == found.oid else f"{found.regtype}[]"


class Cursor(AsyncCursor[Row]):
    """The cursor of such a connection. Inside `reading`, its result is that of the read."""

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        conn = self.connection
        if not isinstance(conn, Connection) or not conn.is_reading:
            return await super().execute(query, params, **options)
        try:
            await super().execute(await conn.message(query, params or {}), prepare=False)
        except errors.InvalidSqlStatementName:
            # After a ROLLBACK or a DROP, psycopg deallocates all statements of a connection.
            conn.forget()
            await super().execute(await conn.message(query, params or {}), prepare=False)
        while self.nextset():
            pass
        return self


def listed(parts: Sequence[str]) -> str:
    return f"({', '.join(parts)})" if parts else ""


@lru_cache(maxsize=1000)
def numbered(query: str) -> tuple[str, tuple[str, ...]]:
    """Return a query with $1, $2, … in place of %(name)s, and the names in that order."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}" if found[1] else "%"

    return PLACEHOLDER.sub(number, query), tuple(names)


def as_text(query: QueryNoTemplate) -> str:
    if isinstance(query, Composable):
        return query.as_string(None)
    return query.decode() if isinstance(query, bytes) else query
