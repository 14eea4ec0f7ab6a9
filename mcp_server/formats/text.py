"""From bytes to the cells of each line: encoding, quotes and Unicode form."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event
from typing import NamedTuple, TextIO

from typing_extensions import Buffer

from mcp_server.errors import InvalidInput
from mcp_server.formats.line import Problem
from mcp_server.models.fields import nfc

# Bytes that decide about encoding, delimiter, quotes and decimal sign.
SAMPLE = 1 << 20
# Characters of a value that a message shows.
SHOWN = 60
# Characters of a record with cells of several lines.
LONGEST_RECORD = 1 << 20
# Characters that may be read again because a record did not end: SPARE, plus AGAIN times those read so far.
SPARE, AGAIN = 1 << 17, 2
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# How Excel marks the delimiter on the first line.
SEPARATOR = "sep="
# What spreadsheets on Windows write unless the person chooses UTF-8.
GUESS = "cp1252"


class TextSource(NamedTuple):
    """A text, its beginning (which may be the whole), its encoding if that is a guess, and its origin."""

    file: TextIO
    beginning: str
    whole: bool
    guessed: str | None = None
    note: str = ""

    @property
    def lines(self) -> Iterator[str]:
        """The lines in NFC, with their ends. macOS writes names in NFD, in which `ä` is two characters."""
        return map(nfc, self.file)


def from_text(text: str) -> TextSource:
    text = text.removeprefix("\ufeff")
    return TextSource(io.StringIO(text, newline=""), nfc(text[:SAMPLE]), len(text) <= SAMPLE)


def from_bytes(data: bytes) -> TextSource:
    """Read a file that is in memory."""
    encoding = encoding_of(data)
    try:
        source = from_text(data.decode(encoding))
    except UnicodeDecodeError as exc:
        raise InvalidInput("The file holds bytes that are not text. Save it as CSV in UTF-8.") from exc
    return source._replace(guessed=GUESS if encoding == GUESS else None)


class FullReads(io.RawIOBase):
    """A file whose reads return all that was asked for, even from a pipe, which delivers in pieces."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Buffer, /) -> int:
        view, filled = memoryview(buffer), 0
        while filled < len(view) and (count := self._raw.readinto(view[filled:])):
            filled += count
        return filled

    def close(self) -> None:
        self._raw.close()
        super().close()


def from_file(raw: io.RawIOBase) -> TextSource:
    """Read a file of any size."""
    buffered = io.BufferedReader(FullReads(raw), SAMPLE)
    sample = buffered.peek(SAMPLE)
    encoding = encoding_of(sample)
    beginning = codecs.getincrementaldecoder(encoding)("replace").decode(sample)
    guessed = GUESS if encoding == GUESS else None
    file = io.TextIOWrapper(buffered, encoding, "strict", newline="")
    return TextSource(file, nfc(beginning), len(sample) < SAMPLE, guessed)


def encoding_of(sample: bytes) -> str:
    for mark, encoding in MARKS.items():
        if sample.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return GUESS
    return "utf-8"


# Set by *interruptible* in the task that waits. Threads inherit it.
interrupted: ContextVar[Event | None] = ContextVar("interrupted", default=None)


class Interrupted(Exception):
    """The task that waited for the lines has ended."""


@contextmanager
def interruptible() -> Generator[None]:
    """End reading in threads with the body: a deadline ends the task, but not its threads."""
    event = Event()
    token = interrupted.set(event)
    try:
        yield
    finally:
        event.set()
        interrupted.reset(token)


def until_interrupted(lines: Iterable[str]) -> Iterator[str]:
    """Yield *lines*. Raise Interrupted once nothing waits for them."""
    event = interrupted.get()
    for line in lines:
        if event is not None and event.is_set():
            raise Interrupted
        yield line


class EndlessRecord(csv.Error):
    """A quote that no later line closes."""


class PutBackLines:
    """Lines of a text. Those of a record that does not end can be put back, within a limit."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = until_interrupted(source)
        self._back: deque[str] = deque()
        self._read = self._taken_size = self._put_back = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self._taken_size > LONGEST_RECORD:
            raise EndlessRecord("a quoted cell does not end")
        if self._back:
            line = self._back.popleft()
        else:
            line = next(self._source)
            self._read += len(line)
        self.taken.append(line)
        self._taken_size += len(line)
        return line

    def accept(self) -> int:
        """Forget what was taken, and return how many lines that were."""
        count = len(self.taken)
        self.taken, self._taken_size = [], 0
        return count

    def put_back(self) -> str:
        """Put back what was taken, except for the first line, and return that."""
        first, *rest = self.taken
        self._back.extendleft(reversed(rest))
        self._put_back += self._taken_size
        self.accept()
        return first

    @property
    def exhausted(self) -> bool:
        """Whether so much was put back that reading would no longer be linear in the size of the text."""
        return self._put_back > SPARE + AGAIN * self._read


def rows(
    source: Iterator[str], delimiter: str, *, skip_blanks: bool = False
) -> Iterator[tuple[int, list[str] | Problem]]:
    """Yield the number of each line and its cells, or what is wrong with it.

    A quote that is not closed costs its own line, and none of those after it. After many such quotes, each
    line is read alone. With *skip_blanks*, blanks after a delimiter belong to no cell.
    """
    lines, number = PutBackLines(source), 1
    while True:
        try:
            for cells in records(lines, delimiter, skip_blanks):
                yield number, cells
                number += lines.accept()
            return
        except csv.Error as exc:
            yield number, Problem("", truncated(lines.put_back()), f"is not valid CSV: {exc}")
            number += 1
        except UnicodeDecodeError as exc:
            raise InvalidInput(
                f"Line {number} or one soon after it holds bytes that are not text in the encoding of the "
                "beginning of the file. Save it as CSV in UTF-8."
            ) from exc


def records(lines: PutBackLines, delimiter: str, skip_blanks: bool) -> Iterator[list[str]]:
    """Yield the cells of each record."""
    if not lines.exhausted:
        yield from csv.reader(lines, delimiter=delimiter, skipinitialspace=skip_blanks, strict=True)
    for line in lines:
        yield from csv.reader([line], delimiter=delimiter, skipinitialspace=skip_blanks, strict=True)


def truncated(value: str) -> str:
    value = " ".join(value[: 10 * SHOWN].split())
    return value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"
