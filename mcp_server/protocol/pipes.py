"""Standard input and output as pipes of the event loop. Other files need a thread for each read and write."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Self

from mcp_server.protocol.message import KEPT

PIECE = 64 * 1024


def are_pipes() -> bool:
    """Whether standard input and output are pipes or sockets that the event loop can wait for.

    They must not be what standard error is: it would no longer block, and lose what does not fit.
    """
    if os.name != "posix":
        return False
    try:
        files = [os.fstat(stream.fileno()) for stream in (sys.stdin, sys.stdout, sys.stderr)]
    except (OSError, ValueError, AttributeError):
        return False
    reads, writes, errors = ((each.st_dev, each.st_ino) for each in files)
    return errors not in (reads, writes) and all(
        stat.S_ISFIFO(each.st_mode) or stat.S_ISSOCK(each.st_mode) for each in files[:2]
    )


class Lines:
    """Lines of text. The middle of a line beyond *longest* bytes is replaced by *cut*, and never held."""

    def __init__(self, reader: asyncio.StreamReader, longest: int, cut: str) -> None:
        self._reader, self._longest, self._cut = reader, longest, cut
        self._rest = b""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> str:
        line, start, found = bytearray(), "", b""
        while not found:
            self._rest = self._rest or await self._reader.read(PIECE)
            if not self._rest:
                break
            piece, found, self._rest = self._rest.partition(b"\n")
            line += piece + found
            if not start and len(line) > self._longest:
                start = text(line[:KEPT]) + self._cut
            if start:
                del line[:-KEPT]
        if not line:
            raise StopAsyncIteration
        return start + text(line)


def text(line: bytearray) -> str:
    return line.decode("utf-8", "surrogateescape")


class Output:
    """The interface of a file that the SDK writes to."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer

    async def write(self, content: str) -> None:
        self._writer.write(content.encode())

    async def flush(self) -> None:
        """Wait until everything is written."""
        await self._writer.drain()


@asynccontextmanager
async def pipes(longest: int, cut: str) -> AsyncGenerator[tuple[Lines, Output]]:
    """Yield standard input and output. Meanwhile, what else is printed goes to standard error."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    received, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(os.dup(0), "rb", 0)
    )
    protocol = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    sent, _ = await loop.connect_write_pipe(lambda: protocol, os.fdopen(os.dup(1), "wb", 0))
    # A flush waits for the client. Otherwise what it has not read would be lost at the end.
    sent.set_write_buffer_limits(0)
    own = os.dup(1)
    os.dup2(2, 1)
    try:
        yield Lines(reader, longest, cut), Output(asyncio.StreamWriter(sent, protocol, None, loop))
    finally:
        os.dup2(own, 1)
        os.close(own)
        received.close()
        sent.close()
