"""Spans of statements, for OpenTelemetry. There are none before `start`.

A span shows a statement as the code has it, with placeholders. Parameters and the settings that bind a
transaction to a user are added later, so they are never part of it.
"""

import re
from collections.abc import Generator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, TypeAlias

from psycopg import Error
from psycopg.sql import Composable, Composed, Literal

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

# Psycopg checks that a string is a literal of the code.
Statement: TypeAlias = str | bytes | Composable

UNTRACED = nullcontext()
# Comments may come first.
OPERATION = re.compile(r"(?:\s|--[^\n]*)*(\w+)")

_tracer: "Tracer | None" = None


def start(tracer: "Tracer | None") -> None:
    """Record spans with *tracer* from now on; with None, stop."""
    global _tracer
    _tracer = tracer


def spanned(*queries: Statement) -> AbstractContextManager[None]:
    """Return a span around a message with *queries*. There is none outside of another span."""
    return UNTRACED if _tracer is None else recorded(_tracer, queries)


@contextmanager
def recorded(tracer: "Tracer", queries: Sequence[Statement]) -> Generator[None]:
    from opentelemetry.trace import SpanKind, StatusCode, get_current_span

    if not get_current_span().is_recording():
        yield
        return
    attributes = described(queries)
    name = str(attributes["db.operation.name"])
    # Not the current span: a COPY ends it in another context than that of its start.
    span = tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)
    try:
        yield
    except BaseException as exc:
        # Messages of PostgreSQL contain values.
        code = exc.sqlstate if isinstance(exc, Error) else None
        span.set_attribute("error.type", code or type(exc).__qualname__)
        if code:
            span.set_attribute("db.response.status_code", code)
        span.set_status(StatusCode.ERROR)
        raise
    finally:
        span.end()


def described(queries: Sequence[Statement]) -> dict[str, str | int]:
    """Return the attributes of a span, by OpenTelemetry's semantic conventions for databases."""
    texts = [written(query) for query in queries]
    operations = {operation(text) for text in texts}
    name = operations.pop() if len(operations) == 1 else ""
    found: dict[str, str | int] = {
        "db.system.name": "postgresql",
        "db.operation.name": f"BATCH {name}".strip() if len(texts) > 1 else name,
        "db.query.text": "; ".join(texts),
    }
    return {**found, "db.operation.batch.size": len(texts)} if len(texts) > 1 else found


def operation(text: str) -> str:
    found = OPERATION.match(text)
    return found[1].upper() if found else "QUERY"


def written(query: Statement) -> str:
    """Return a statement without values.

    One of bytes has been composed with values already, so only its first word is kept.
    """
    if isinstance(query, bytes):
        return operation(query.decode())
    if isinstance(query, Literal):
        return "?"
    if isinstance(query, Composed):
        return "".join(written(part) for part in query)
    return (query.as_string(None) if isinstance(query, Composable) else query).strip("\n")
