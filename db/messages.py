"""Statements on one user's rows, in as few messages to PostgreSQL as possible.

PostgreSQL runs all statements of a message in one transaction. The message of a read has two: the settings
that bind a transaction to a user, and the read, which is prepared once on each connection. BEGIN, the read
and COMMIT would be three messages. In a transaction that writes, the first message contains BEGIN, the
settings and the first statement, and the last one can contain COMMIT.

Psycopg's pipeline would also save round trips, but when cancelled, it waits for what it has sent.
"""

import re
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import lru_cache
from typing import Any, NamedTuple, Self

from psycopg import AsyncClientCursor, AsyncConnection, AsyncCopy, AsyncCursor, AsyncTransaction, errors
from psycopg.abc import QueryNoTemplate
from psycopg.adapt import PyFormat, Transformer
from psycopg.copy import AsyncWriter
from psycopg.rows import AsyncRowFactory, Row, TupleRow
from psycopg.sql import SQL, Composable

from db.trace import spanned

# Statements that a connection keeps prepared. The oldest is dropped first.
MOST_PREPARED = 100
PLACEHOLDER = re.compile(r"%(?:\((\w+)\)s|%)")
# What PREPARE accepts.
PREPARABLE = re.compile(r"\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)
# The column of the settings that has the number of a logged change.
CHANGE_ID = 3


class Read(NamedTuple):
    """A statement, and how to make its rows."""

    rows: AsyncRowFactory[Any]
    query: QueryNoTemplate
    params: Mapping[str, Any]


class Connection(AsyncConnection[TupleRow]):
    """A connection whose statements are single messages inside `reading`.

    *change_id* is the number of the change that the current transaction logs, if any.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.change_id: int | None = None
        self._settings: bytes | None = None
        # Begins a transaction with the next statement.
        self._opening: bytes | None = None
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

    @contextmanager
    def beginning(self, opening: bytes) -> Generator[None]:
        """Begin a transaction in the message of its first statement. *opening* is BEGIN and the settings."""
        self._opening, self.change_id = opening, None
        try:
            yield
        finally:
            self._opening = self.change_id = None

    @property
    def has_to_begin(self) -> bool:
        return self._opening is not None

    async def begin(self) -> None:
        """Begin the transaction now, in a message of its own."""
        if opening := self.take_opening():
            with spanned(opening):
                cursor = await AsyncCursor(self).execute(opening, prepare=False)
            self.note_change(cursor)

    def take_opening(self) -> bytes:
        opening, self._opening = self._opening or b"", None
        return opening

    def note_change(self, cursor: AsyncCursor[Any]) -> None:
        """Read the settings, the second result of a transaction's first message."""
        cursor.nextset()
        value = cursor.pgresult.get_value(0, CHANGE_ID) if cursor.pgresult else None
        self.change_id = int(value) if value else None

    @asynccontextmanager
    async def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncGenerator[AsyncTransaction]:
        await self.begin()
        async with super().transaction(savepoint_name, force_rollback) as transaction:
            yield transaction

    async def commit_after(self, statement: SQL, params: Mapping[str, Any]) -> None:
        """Run the last statement of a transaction and commit it, in one message."""
        await self.begin()
        message = SQL("{}; COMMIT").format(statement)
        with spanned(message):
            await AsyncClientCursor(self).execute(message, params)

    def forget(self) -> None:
        """Prepare all statements again."""
        self._names.clear()

    def as_prepared(
        self, query: QueryNoTemplate, params: Mapping[str, Any] | None
    ) -> tuple[str, Sequence[str]]:
        """Return a statement with the types of its parameters, as PREPARE expects it, and their values."""
        text, names = (as_text(query), ()) if params is None else numbered(as_text(query))
        transformer = Transformer.from_context(self)
        values = [(params or {})[name] for name in names]
        dumpers = [transformer.get_dumper(value, PyFormat.TEXT) for value in values]
        types = [self._type_name(dumper.oid) for dumper in dumpers]
        quoted = [bytes(dumper.quote(value)).decode() for dumper, value in zip(dumpers, values, strict=True)]
        return f"{listed(types)} AS {text}", quoted

    def is_prepared(self, statement: str) -> bool:
        return statement in self._names

    async def prepared(self, statement: str, values: Sequence[str]) -> bytes:
        """Return the message that runs a statement, with the settings inside `reading`. Prepare it first."""
        settings = self._settings or b""
        name = self._names.get(statement)
        if name is None:
            self._last += 1
            name = b"prepared_%d" % self._last
            # It is planned for the role in the settings.
            message = b"%sPREPARE %s %s" % (settings, name, statement.encode())
            if len(self._names) >= MOST_PREPARED:
                message += b"; DEALLOCATE " + self._names.pop(next(iter(self._names)))
            await AsyncCursor(self).execute(message, prepare=False)
            self._names[statement] = name
        return b"%sEXECUTE %s%s" % (settings, name, listed(values).encode())

    async def fetch_together(self, *reads: Read) -> list[list[Any]]:
        """Return the rows of several reads. Inside `reading`, they are one message."""
        if not self.is_reading:
            return [await self._fetch(read) for read in reads]
        with spanned(*(read.query for read in reads)):
            try:
                return await self._fetch_together(reads)
            except errors.InvalidSqlStatementName:
                self.forget()
                return await self._fetch_together(reads)

    async def _fetch(self, read: Read) -> list[Any]:
        async with self.cursor(row_factory=read.rows) as cursor:
            await cursor.execute(read.query, read.params)
            return await cursor.fetchall()

    async def _fetch_together(self, reads: Sequence[Read]) -> list[list[Any]]:
        settings = self._settings or b""
        parts = [await self.prepared(*self.as_prepared(read.query, read.params)) for read in reads]
        message = settings + b"; ".join(part.removeprefix(settings) for part in parts)
        cursor: AsyncCursor[Any] = AsyncCursor(self)
        await cursor.execute(message, prepare=False)
        found: list[list[Any]] = []
        for read in reads:
            # The first result is that of the settings.
            cursor.nextset()
            cursor.row_factory = read.rows
            found.append(await cursor.fetchall())
        return found

    def _type_name(self, oid: int) -> str:
        """Return the name of a parameter's type. PostgreSQL infers an unknown one.

        Psycopg gives a small integer the type smallint, which would be a statement of its own.
        """
        found = self.adapters.types.get(oid)
        if found is None:
            return "unknown"
        name = "integer" if found.regtype == "smallint" else found.regtype
        return name if oid == found.oid else f"{name}[]"


class Cursor(AsyncCursor[Row]):
    """The cursor of such a connection. Its result is that of the statement, without those of the settings."""

    async def execute(self, query: Any, params: Any = None, **options: Any) -> Self:
        with spanned(query):
            return await self._execute(query, params, options)

    async def _execute(self, query: Any, params: Any, options: Mapping[str, Any]) -> Self:
        conn = self.connection
        if not isinstance(conn, Connection) or not (conn.is_reading or conn.has_to_begin):
            return await super().execute(query, params, **options)
        if conn.has_to_begin:
            return await self._begin_with(conn, query, params, options)
        statement, values = conn.as_prepared(query, params)
        try:
            await super().execute(await conn.prepared(statement, values), prepare=False)
        except errors.InvalidSqlStatementName:
            # After a ROLLBACK or a DROP, psycopg deallocates all statements of a connection.
            conn.forget()
            await super().execute(await conn.prepared(statement, values), prepare=False)
        while self.nextset():
            pass
        return self

    async def executemany(self, query: Any, params_seq: Any, *, returning: bool = False) -> None:
        await self._begin()
        with spanned(query):
            await super().executemany(query, params_seq, returning=returning)

    @asynccontextmanager
    async def copy(
        self, statement: Any, params: Any = None, *, writer: AsyncWriter | None = None
    ) -> AsyncGenerator[AsyncCopy]:
        await self._begin()
        with spanned(statement):
            async with super().copy(statement, params, writer=writer) as copy:
                yield copy

    async def _begin(self) -> None:
        if isinstance(self.connection, Connection):
            await self.connection.begin()

    async def _begin_with(
        self, conn: Connection, query: Any, params: Any, options: Mapping[str, Any]
    ) -> Self:
        """Begin a transaction with its first statement."""
        if not PREPARABLE.match(as_text(query)):
            await conn.begin()
            return await super().execute(query, params, **options)
        statement, values = conn.as_prepared(query, params)
        if not conn.is_prepared(statement):
            await conn.begin()
            await super().execute(await conn.prepared(statement, values), prepare=False)
            return self
        opening = conn.take_opening()
        try:
            await super().execute(opening + await conn.prepared(statement, values), prepare=False)
        except errors.InvalidSqlStatementName:
            conn.forget()
            await super().execute(b"ROLLBACK; " + opening, prepare=False)
            self.nextset()
            conn.note_change(self)
            return await super().execute(await conn.prepared(statement, values), prepare=False)
        conn.note_change(self)
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
