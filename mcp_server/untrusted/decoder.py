"""A process of its own that decodes one picture: untrusted bytes on standard input, clean ones on output.

It is started by its file name (`decoder.py LONGEST MEMORY`) and knows nothing else of Gearshed. It answers
with a line `image/jpeg 1600 1200` and the bytes, or with one of the words below.
"""

import sys
import warnings
from contextlib import suppress
from io import BytesIO

from PIL import AvifImagePlugin, Image, ImageOps, UnidentifiedImageError

NO_IMAGE = b"no_image"
TOO_MANY_PIXELS = b"too_many_pixels"
OUT_OF_MEMORY = b"out_of_memory"
DAMAGED = b"damaged"
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF")
MOST_PIXELS = 40_000_000


def main() -> None:
    longest, memory = map(int, sys.argv[1:])
    limit_memory(memory)
    # Pillow compares the size in the header with this before it decodes, but only warns up to twice as much.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # The stacks of threads count as memory.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), longest))


def limit_memory(size: int) -> None:
    """Make allocations beyond *size* bytes fail. Some systems cannot: there only pixels are limited."""
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def answer(data: bytes, longest: int) -> bytes:
    try:
        return clean(data, longest)
    except UnidentifiedImageError:
        return NO_IMAGE
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        return TOO_MANY_PIXELS
    except MemoryError:
        return OUT_OF_MEMORY
    except Exception:
        # There is hardly an exception that Pillow does not raise at files that are not what they say.
        return DAMAGED


def clean(data: bytes, longest: int) -> bytes:
    """Return nothing but the pixels of the first frame, upright, at most *longest* on its long side."""
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        # A JPEG may be decoded at half its size, or less, as long as each side is at least this long.
        image.draft(None, (longest, longest))
        picture = image.convert("RGBA" if image.has_transparency_data else "RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    # Or else a comment in here would be written again.
    picture.info.clear()
    output, kind = BytesIO(), "JPEG" if picture.mode == "RGB" else "WEBP"
    picture.save(output, kind, quality=85)
    return f"{Image.MIME[kind]} {picture.width} {picture.height}\n".encode() + output.getvalue()


if __name__ == "__main__":
    main()
