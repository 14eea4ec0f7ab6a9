"""Image files, as cameras, shops and attackers make them."""

import base64
import random
import re
import struct
import zlib
from io import BytesIO
from itertools import pairwise
from typing import Any

from PIL import Image


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    output = BytesIO()
    image.save(output, kind, **options)
    return output.getvalue()


def photo(width: int = 40, height: int = 30, colour: str = "red", kind: str = "PNG") -> bytes:
    return encoded(Image.new("RGB", (width, height), colour), kind)


def in_base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


def bomb(width: int, height: int) -> bytes:
    """A PNG of black pixels, with an eight-thousandth of their number in bytes."""
    return one_bit(width, height, [])


def large(width: int, height: int) -> bytes:
    """A PNG with as many bytes as a flat picture of this size has: noise at the top, black below."""
    size = (width + 7) // 8
    rows = width * height // 300 // size + 1
    return one_bit(width, height, [random.Random(row).randbytes(size) for row in range(rows)])


def one_bit(width: int, height: int, rows: list[bytes]) -> bytes:
    """A PNG with one bit per pixel. Rows that are not given are black."""
    blank = bytes((width + 7) // 8)
    packer = zlib.compressobj(9)
    rows = [*rows, *[blank] * (height - len(rows))]
    packed = b"".join(packer.compress(b"\0" + row) for row in rows) + packer.flush()
    return png(struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0), packed)


def samples(depth: int, colour: int, row: bytes, *extra: tuple[bytes, bytes], width: int = 4) -> bytes:
    """A PNG of one row, with the bit depth and colour type of its header, and *extra* chunks."""
    header = struct.pack(">IIBBBBB", width, 1, depth, colour, 0, 0, 0)
    return png(header, zlib.compress(b"\0" + row), *extra)


def png(header: bytes, packed: bytes, *extra: tuple[bytes, bytes]) -> bytes:
    chunks = ((b"IHDR", header), *extra, (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )


def scanned(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG that repeats one of its scans, of some 70 bytes each, until it has *scans*."""
    data = encoded(Image.new("RGB", (width, height)), "JPEG", progressive=True)
    at = [*(match.start() for match in re.finditer(b"\xff\xda", data)), len(data) - 2]
    shortest = min((data[start:end] for start, end in pairwise(at[1:])), key=len)
    return data[:-2] + shortest * (scans - len(at) + 1) + data[-2:]
