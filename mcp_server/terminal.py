"""Output at a terminal. Text of files, rows and requests cannot control it."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

from mcp_server.errors import printable


def show(text: object, file: TextIO | None = None, *, end: str = "\n") -> None:
    """Print one line. Control characters and text directions become question marks."""
    print(printable(str(text), "?"), end=end, file=file or sys.stdout, flush=file is not None)


def warn(text: object) -> None:
    """Print one line to standard error."""
    show(text, sys.stderr)


class LogFormatter(logging.Formatter):
    """Formats log records as printable lines."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(printable(line, "?") for line in super().format(record).split("\n"))

    def formatMessage(self, record: logging.LogRecord) -> str:
        # A line break in a message would imitate another record. Those of a traceback stay.
        return printable(super().formatMessage(record), "?")


class JsonFormatter(logging.Formatter):
    """Formats log records as JSON objects, one a line. An audit event has its details as fields."""

    def format(self, record: logging.LogRecord) -> str:
        fields: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
        }
        if event := getattr(record, "event", None):
            fields |= {"event": event, **getattr(record, "about", {})}
        else:
            fields["message"] = record.getMessage()
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        # Characters that control a terminal are escaped, because only ASCII is written.
        return json.dumps(fields, default=str)
