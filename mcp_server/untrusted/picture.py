"""Untrusted pictures, decoded and scaled down in a restricted process."""

import asyncio
import subprocess
from pathlib import Path
from typing import NamedTuple

from mcp_server.errors import InvalidInput
from mcp_server.turns import Turns
from mcp_server.untrusted import child, signature

# Pixels on the long side: as stored, and as shown by default.
FULL, THUMBNAIL = 1600, 320
# Bytes and seconds. The worst case at 40 megapixels, a transparent WebP, takes 0.9 GB and 3 seconds.
MEMORY, SECONDS = 1024**3, 6.0
# Decoders at a time: per user, and in all.
DECODERS = Turns(1, 2, "images")
PROGRAM = Path(__file__).with_name("decoder.py")

SMALLER = "Send a smaller copy."
REFUSALS = {
    b"no_image": "Not an image: the content is not JPEG, PNG, WebP, GIF or AVIF. Send one of these.",
    b"too_many_pixels": f"The image has more than 40 megapixels. {SMALLER}",
    b"too_few_bytes": f"The image has far more pixels than its file size justifies. {SMALLER}",
    b"too_many_scans": "The JPEG has too many scans. Save it again as an ordinary JPEG.",
    b"out_of_memory": f"Decoding the image takes too much memory. {SMALLER}",
    b"too_slow": f"Decoding the image takes too long. {SMALLER}",
    b"damaged": "The image is damaged or incomplete. Send another copy.",
    # The process was killed, possibly because the system was out of memory.
    b"": f"The image cannot be decoded. {SMALLER}",
}


class Picture(NamedTuple):
    """A picture encoded by this server: JPEG, or WebP if transparent, without metadata."""

    mime_type: str
    width: int
    height: int
    data: bytes


async def clean(
    data: bytes,
    longest: int = FULL,
    *,
    user_id: int | None = None,
    memory: int = MEMORY,
    seconds: float = SECONDS,
) -> Picture:
    """Return the first frame of *data*, upright, with at most *longest* pixels on the long side.

    It waits for a turn of the user first, or raises Busy. The *seconds* do not include the wait.
    """
    async with DECODERS.take(user_id):
        process = start(longest, memory)
        try:
            # In a thread, because the event loop that psycopg needs on Windows does not support processes.
            # Shielded, because the thread must wait for the process; it ends soon after the process does.
            loop = asyncio.get_running_loop()
            answer = await asyncio.shield(loop.run_in_executor(None, converse, process, data, seconds))
        finally:
            process.kill()
    header, _, content = answer.partition(b"\n")
    if header == b"no_image" and (recognised := signature.refusal(data)):
        raise InvalidInput(recognised)
    if header in REFUSALS:
        raise InvalidInput(REFUSALS[header])
    mime_type, width, height = header.decode().split()
    return Picture(mime_type, int(width), int(height), content)


def start(longest: int, memory: int) -> subprocess.Popen[bytes]:
    return child.start(PROGRAM, longest, memory, int(SECONDS))


def converse(process: subprocess.Popen[bytes], data: bytes, seconds: float) -> bytes:
    try:
        return child.converse(process, data, seconds)
    except TimeoutError:
        raise InvalidInput(REFUSALS[b"too_slow"]) from None
