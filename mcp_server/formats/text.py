"""From bytes to the cells of each line: encoding, delimiter and quotes."""

import codecs
import csv
import io
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple, TextIO

from typing_extensions import Buffer

from mcp_server.errors import InvalidInput
from mcp_server.formats.line import Problem

# Bytes from which the encoding, the delimiter and the way of quoting are told.
SAMPLE = 1 << 20
SHOWN = 60
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# The beginning of a line with which Excel tells itself the delimiter.
SEPARATOR = "sep="
# What spreadsheets on Windows write when they are not told to write UTF-8.
GUESS = "cp1252"


class TextSource(NamedTuple):
    """A text, its beginning, and its encoding where that is a guess."""

    lines: TextIO
    beginning: str
    guessed: str | None = None


def from_text(text: str) -> TextSource:
    text = text.removeprefix("\ufeff")
    return TextSource(io.StringIO(text, newline=""), text[:SAMPLE])


class FullReads(io.RawIOBase):
    """A file that gives all it is asked for, also if it is a pipe, whose beginning comes bit by bit."""

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
    return TextSource(io.TextIOWrapper(buffered, encoding, "strict", newline=""), beginning, guessed)


def encoding_of(sample: bytes) -> str:
    for mark, encoding in MARKS.items():
        if sample.startswith(mark):
            return encoding
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return GUESS
    return "utf-8"


def delimiter_of(beginning: str) -> str:
    """Return what the header has most of: commas, semicolons or tabs."""
    lines = io.StringIO(beginning, newline="")
    header = next((line for line in lines if line.strip() and not line.startswith(SEPARATOR)), "")
    return max(",;\t", key=header.count)


class PutBackLines:
    """Lines of a text, of which those that were taken last can be put back."""

    def __init__(self, source: Iterator[str]) -> None:
        self._source = source
        self._back: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._source)
        self.taken.append(line)
        return line

    def put_back(self) -> str:
        """Put back what was taken, except for the first line, and return that."""
        first, *rest = self.taken
        self._back.extendleft(reversed(rest))
        self.taken = []
        return first


def rows(source: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | Problem]]:
    """Yield the number of each line and its cells, or what is wrong with it.

    A quote that is not closed costs its own line and never those behind it.
    """
    lines, number = PutBackLines(source), 1
    while True:
        try:
            for cells in csv.reader(lines, delimiter=delimiter, strict=True):
                yield number, cells
                number += len(lines.taken)
                lines.taken.clear()
            return
        except csv.Error as exc:
            yield number, Problem("", truncated(lines.put_back()), f"is not valid CSV: {exc}")
            number += 1
        except UnicodeDecodeError as exc:
            raise InvalidInput(
                f"Line {number} or one soon after it holds bytes that are no text in the encoding that "
                "the file begins with. Save it as CSV in UTF-8."
            ) from exc


def truncated(value: str) -> str:
    value = " ".join(value.split())
    return value if len(value) <= SHOWN else f"{value[: SHOWN - 1]}…"
