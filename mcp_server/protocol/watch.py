"""Outcomes of tool calls: audit lines for writes and refusals, and figures for Prometheus."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import perf_counter

from mcp.server.mcpserver.exceptions import ToolError

from mcp_server import audit
from mcp_server.errors import AppError, Forbidden, InsufficientScope
from mcp_server.models.auth import Principal
from mcp_server.protocol.edge import current_call

# The tool, its seconds, and the code of its error.
Count = Callable[[str, float, str | None], None]


def count_nothing(tool: str, seconds: float, error: str | None) -> None:
    """Do nothing: for a server without metrics."""


@contextmanager
def watched(tool: str, caller: Principal, *, writes: bool, count: Count) -> Generator[None]:
    """Record the outcome of a call of *tool*."""
    started, cause, error = perf_counter(), None, None
    try:
        yield
    except ToolError as exc:
        cause, error = exc.__cause__, code_of(exc)
        raise
    except BaseException:
        error = "cancelled"
        raise
    finally:
        count(tool, perf_counter() - started, error)
        about = {"user": caller.user_id, "client": caller.client, "tool": tool}
        if isinstance(cause, Forbidden | InsufficientScope):
            audit.note("refused", **about, reason=error)
        elif writes:
            audit.note("write", **about, call=current_call.get().id, outcome=error or "ok")


def code_of(error: ToolError) -> str:
    return error.__cause__.code if isinstance(error.__cause__, AppError) else "error"
