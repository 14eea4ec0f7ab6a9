"""A separate process that decodes one picture: untrusted bytes on standard input, clean ones on output.

It runs as a script (`decoder.py LONGEST MEMORY`) and imports nothing of Gearshed. It writes a line
`image/jpeg 1600 1200` and the bytes, or one of the error codes below.
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
    # Pillow checks the size in the header against this before decoding, but up to twice the limit only warns.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    # Thread stacks count towards the memory limit.
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    sys.stdout.buffer.write(answer(sys.stdin.buffer.read(), longest))


def limit_memory(size: int) -> None:
    """Limit the address space to *size* bytes. Where this is not supported, only pixels are limited."""
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
        # Pillow raises almost any exception for malformed files.
        return DAMAGED


def clean(data: bytes, longest: int) -> bytes:
    """Return only the pixels of the first frame, upright, with at most *longest* on the long side."""
    with Image.open(BytesIO(data), formats=FORMATS) as image:
        # Lets the JPEG decoder scale down, as long as no side becomes shorter than this.
        image.draft(None, (longest, longest))
        picture = image.convert("RGBA" if image.has_transparency_data else "RGB")
    picture.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    picture = ImageOps.exif_transpose(picture)
    if picture.mode == "RGBA" and picture.getchannel("A").getextrema() == (255, 255):
        picture = picture.convert("RGB")
    # Otherwise Pillow would copy comments to the output.
    picture.info.clear()
    output, kind = BytesIO(), "JPEG" if picture.mode == "RGB" else "WEBP"
    picture.save(output, kind, quality=85)
    return f"{Image.MIME[kind]} {picture.width} {picture.height}\n".encode() + output.getvalue()


if __name__ == "__main__":
    main()
