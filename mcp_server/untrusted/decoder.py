"""A separate process that decodes one picture: untrusted bytes on standard input, clean ones on output.

It runs as a script (`decoder.py LONGEST MEMORY SECONDS`) and imports only its confinement from Gearshed.
It writes a line `image/jpeg 1600 1200` and the bytes, or one of the error codes below.
"""

import copy
import re
import sys
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, cast

# All modules that Pillow imports late are imported here: later, the process can no longer open files.
from PIL import (
    AvifImagePlugin,
    Image,
    ImageColor,
    ImageFilter,
    ImageOps,
    ImagePalette,
    MpoImagePlugin,
    TiffImagePlugin,
    UnidentifiedImageError,
    WebPImagePlugin,
)

# In a wheel, this package is in a folder that Python does not search.
sys.path.insert(0, str(Path(__file__).parents[2]))

from mcp_server.untrusted.confinement import drop_privileges, limit_memory, limit_resources

PRELOADED = (copy, ImageColor, ImageFilter, ImagePalette, MpoImagePlugin, TiffImagePlugin, WebPImagePlugin)

NO_IMAGE = b"no_image"
TOO_MANY_PIXELS = b"too_many_pixels"
TOO_FEW_BYTES = b"too_few_bytes"
TOO_MANY_SCANS = b"too_many_scans"
OUT_OF_MEMORY = b"out_of_memory"
DAMAGED = b"damaged"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
MOST_PIXELS = 40_000_000


# Pixels are cheap to write and expensive to read: 34 bytes of WebP can be 40 megapixels. Beyond FREE_PIXELS,
# each byte of the file allows this many. docs/images.md has the figures of real images.
FREE_PIXELS = 2_500_000
PIXELS_PER_BYTE = {"JPEG": 100, "MPO": 100, "PNG": 350, "GIF": 350, "WEBP": 500, "AVIF": 500}
# The position of the bits per sample in a PNG.
BIT_DEPTH = 24
# A progressive JPEG has about ten. Each takes time for every pixel, however short it is.
MOST_SCANS = 30
# Markers in a JPEG, except padding, those inside a scan, and those without a length.
MARKER = re.compile(rb"\xff([^\x00\x01\xd0-\xd8\xff])")
SCAN, END = b"\xda", b"\xd9"


class Refused(Exception):
    """A refusal; the argument is its error code."""


def main() -> None:
    longest, memory, seconds = map(int, sys.argv[1:])
    Image.preinit()
    drop_privileges()
    limit_memory(memory)
    limit_resources(seconds)
    # Pillow checks the size in the header against this before decoding, but up to twice the limit only warns.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Thread stacks count towards the memory limit.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), longest))


def answer(data: bytes, longest: int) -> bytes:
    try:
        return clean(data, longest)
    except Refused as exc:
        return exc.args[0]
    except UnidentifiedImageError:
        return NO_IMAGE
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return TOO_MANY_PIXELS
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception:
        # Pillow raises almost any exception for malformed files.
        return DAMAGED


def clean(data: bytes, longest: int) -> bytes:
    """Return only the pixels of the first frame, upright, with at most *longest* on the long side."""
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        check_cost(image, data)
        # Lets the JPEG decoder scale down, as long as no side becomes shorter than this.
        image.draft(None, (longest, longest))
        picture = in_eight_bits(image, data[BIT_DEPTH] if image.format == "PNG" else 8)
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    # Otherwise Pillow would copy comments to the output.
    picture.info.clear()
    output, kind = BytesIO(), "JPEG" if picture.mode == "RGB" else "WEBP"
    picture.save(output, kind, quality=85)
    return f"{Image.MIME[kind]} {picture.width} {picture.height}\n".encode() + output.getvalue()


def check_cost(image: Image.Image, data: bytes) -> None:
    """Refuse an image that is expensive to decode for the size of its file."""
    allowed = FREE_PIXELS + len(data) * PIXELS_PER_BYTE[image.format or ""]
    if image.width * image.height > allowed:
        raise Refused(TOO_FEW_BYTES)
    if image.format in ("JPEG", "MPO") and scans(data) > MOST_SCANS:
        raise Refused(TOO_MANY_SCANS)


def scans(data: bytes) -> int:
    """Return the number of scans of a JPEG. Those of a thumbnail in its metadata are not counted."""
    found, at = 0, 2
    while (marker := MARKER.search(data, at)) and marker[1] != END:
        found += marker[1] == SCAN
        at = marker.end() + int.from_bytes(data[marker.end() : marker.end() + 2])
    return found


def in_eight_bits(image: Image.Image, depth: int) -> Image.Image:
    """Scale samples of more than 8 bits: Pillow would clip them. A transparent colour is scaled as well."""
    key: Any = image.info.get("transparency")
    if image.mode.startswith("I;16") and image.mode != "I;16":
        image = image.convert("I")
    if image.mode in ("I;16", "I", "F"):
        scaled = image.point(lambda value: value * (1 / 256))  # pyright: ignore[reportUnknownMemberType]
        image = scaled.convert("L")
    if image.mode == "L" and isinstance(key, int):
        image.info["transparency"] = key >> 8 if depth == 16 else key * 255 // (2**depth - 1)
    elif image.mode == "RGB" and isinstance(key, tuple) and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in cast(tuple[int, ...], key))
    return image


if __name__ == "__main__":
    main()
