"""Connections whose requests are parsed in C by httptools. They have the same limits as those with h11."""

from enum import Enum, auto

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mcp_server.http import connections
from mcp_server.http.connections import Limited

# Bytes of a head, of the trailers or of a chunk's extensions. Unlike h11, httptools has no limit.
LONGEST_HEAD = 64 * 1024


class Part(Enum):
    """The part of a request that is being received."""

    HEAD = auto()
    BODY = auto()


class FastConnection(Limited, HttpToolsProtocol):  # pyright: ignore[reportIncompatibleVariableOverride]
    """Uvicorn's protocol with httptools, with limits."""

    _part: Part | None = Part.HEAD
    # Bytes received since the last progress of a request.
    _unread = 0

    def seconds_left(self) -> float | None:
        if self._part is Part.BODY:
            return connections.FOR_BODY
        # The next request may arrive early. The keep-alive timeout begins when the response is complete.
        is_next = self.cycle and not self.cycle.response_complete
        return None if self._part is None or is_next else connections.FOR_HEAD

    def data_received(self, data: bytes) -> None:
        self._part = self._part or Part.HEAD
        self._unread += len(data)
        super().data_received(data)
        if self._part and self._unread > LONGEST_HEAD and not self.transport.is_closing():
            self.send_400_response("The head of the request is too long.")

    def on_message_begin(self) -> None:
        self._part = Part.HEAD
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        # Trailers are ignored.
        if self._part is Part.HEAD:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._part, self._unread = Part.BODY, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._part, self._unread = None, 0
        super().on_message_complete()
