"""Image files, as cameras, shops and attackers make them."""

import base64
import struct
import zlib
from io import BytesIO
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
    """A PNG of black pixels, a thousandth of their number in bytes."""
    row = bytes(1 + (width + 7) // 8)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", packed), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
