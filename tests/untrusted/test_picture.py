"""Untrusted pictures: what is kept, what is refused, and the limits of decoding."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from mcp_server.errors import InvalidInput
from mcp_server.untrusted import picture
from tests.pictures import bomb, encoded, opened, photo

SECRET = b"Zsecretz"
ORIENTATION, GPS, GPS_AREA, ARTIST = 0x0112, 0x8825, 0x001C, 0x013B


def gradient(mode: str) -> Image.Image:
    return Image.linear_gradient("L").convert(mode)


def half_transparent_palette() -> Image.Image:
    image = Image.new("P", (60, 40), 0)
    image.putpalette([255, 0, 0, 0, 0, 255])
    ImageDraw.Draw(image).rectangle((30, 0, 59, 39), 1)
    image.info["transparency"] = 1
    return image


def animation() -> bytes:
    frames = [Image.new("RGB", (40, 30), colour) for colour in ("red", "green", "blue")]
    return encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])


def with_metadata(kind: str) -> bytes:
    """A rotated picture with a place and an author in every kind of metadata."""
    image = Image.new("RGB", (60, 20), "red")
    exif = image.getexif()
    exif[ORIENTATION] = 6
    exif[ARTIST] = SECRET.decode()
    exif.get_ifd(GPS)[GPS_AREA] = SECRET
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", SECRET.decode())
    more: dict[str, dict[str, Any]] = {
        "JPEG": {"comment": SECRET, "xmp": SECRET},
        "PNG": {"pnginfo": text},
        "WEBP": {"xmp": SECRET},
        "AVIF": {"xmp": SECRET},
    }
    return encoded(image, kind, exif=exif.tobytes(), icc_profile=SECRET, **more[kind])


async def refusal(data: bytes, **options: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        await picture.clean(data, **options)
    return str(refused.value)


@pytest.fixture
def decoders(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Every decoder that is started."""
    started: list[subprocess.Popen[bytes]] = []
    start = picture.start

    def recorded(longest: int, memory: int) -> subprocess.Popen[bytes]:
        started.append(start(longest, memory))
        return started[-1]

    monkeypatch.setattr(picture, "start", recorded)
    return started


def running(decoders: list[subprocess.Popen[bytes]]) -> int:
    return sum(decoder.poll() is None for decoder in decoders)


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not condition():  # noqa: ASYNC110 (a process announces nothing)
            await anyio.sleep(0.005)


def is_red(image: Image.Image) -> bool:
    red, green, blue = image.crop((20, 15, 21, 16)).tobytes()
    return red > 230 and max(green, blue) < 60


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
async def test_an_opaque_picture_becomes_a_jpeg_of_the_same_size(kind: str) -> None:
    cleaned = await picture.clean(photo(kind=kind))
    assert cleaned[:3] == ("image/jpeg", 40, 30)
    image = opened(cleaned.data)
    assert (image.format, image.size) == ("JPEG", (40, 30))
    assert is_red(image)


@pytest.mark.parametrize(
    "data",
    [
        encoded(half_transparent_palette(), transparency=1),
        encoded(half_transparent_palette(), "GIF", transparency=1),
        encoded(half_transparent_palette().convert("RGBA"), "WEBP"),
    ],
    ids=["palette PNG", "GIF", "WebP"],
)
async def test_what_is_transparent_stays_so(data: bytes) -> None:
    cleaned = await picture.clean(data)
    assert cleaned.mime_type == "image/webp"
    alpha = opened(cleaned.data).getchannel("A")
    assert (alpha.getpixel((5, 20)), alpha.getpixel((55, 20))) == (255, 0)


async def test_an_alpha_channel_that_hides_nothing_is_dropped() -> None:
    assert (await picture.clean(encoded(gradient("RGBA")))).mime_type == "image/jpeg"


@pytest.mark.parametrize(
    ("mode", "kind"), [("CMYK", "JPEG"), ("L", "JPEG"), ("L", "PNG"), ("1", "PNG"), ("I;16", "PNG")]
)
async def test_every_kind_of_colour_becomes_rgb(mode: str, kind: str) -> None:
    cleaned = await picture.clean(encoded(gradient(mode), kind))
    assert cleaned[:3] == ("image/jpeg", 256, 256)
    assert opened(cleaned.data).mode == "RGB"


@pytest.mark.parametrize(
    ("size", "expected"), [((3200, 1600), (1600, 800)), ((10, 4000), (4, 1600)), ((1600, 9), (1600, 9))]
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
async def test_a_large_picture_is_reduced_and_keeps_its_shape(
    kind: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    cleaned = await picture.clean(photo(*size, kind=kind))
    assert (cleaned.width, cleaned.height) == opened(cleaned.data).size == expected


async def test_the_same_picture_gives_the_same_bytes() -> None:
    assert await picture.clean(photo()) == await picture.clean(photo())


async def test_the_first_frame_of_an_animation_is_kept() -> None:
    image = opened((await picture.clean(animation())).data)
    assert getattr(image, "n_frames", 1) == 1
    assert is_red(image)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_metadata_is_gone_and_the_picture_stands_upright(kind: str) -> None:
    data = with_metadata(kind)
    assert opened(data).getexif().get_ifd(GPS)[GPS_AREA] == SECRET
    assert data.count(SECRET) >= 2
    cleaned = await picture.clean(data)
    assert (cleaned.width, cleaned.height) == (20, 60)
    assert SECRET not in cleaned.data
    assert b"Exif" not in cleaned.data
    assert not {"exif", "xmp", "icc_profile", "comment"} & opened(cleaned.data).info.keys()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!doctype html><title>image.png</title>",
        b"%PDF-1.4",
        encoded(Image.new("RGB", (9, 9)), "BMP"),
        encoded(Image.new("RGB", (9, 9)), "TIFF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
    ],
    ids=["nothing", "a word", "SVG", "HTML", "PDF", "BMP", "TIFF", "PostScript"],
)
async def test_other_formats_are_refused(data: bytes) -> None:
    assert (await refusal(data)).startswith("[invalid_input] Not an image: ")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_a_truncated_file_is_refused(kind: str) -> None:
    data = encoded(Image.effect_noise((300, 200), 90).convert("RGB"), kind)
    text = await refusal(data[: len(data) // 2])
    assert text.startswith(("[invalid_input] The image is damaged", "[invalid_input] Not an image"))


async def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    data = bomb(13_000, 13_000)
    assert len(data) < 200_000
    began = time.monotonic()
    assert "more than 40 megapixels" in await refusal(data)
    assert time.monotonic() - began < 3


async def test_forty_megapixels_are_decoded_within_the_limits() -> None:
    assert (await picture.clean(bomb(8000, 5000)))[:3] == ("image/jpeg", 1600, 1000)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
async def test_a_picture_that_exceeds_the_memory_limit_is_refused() -> None:
    """The same picture is decoded within the usual limit."""
    data = bomb(8000, 5000)
    assert "too much memory" in await refusal(data, memory=160 * 1024**2)
    assert await picture.clean(data)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_the_memory_limit_is_one_of_the_process() -> None:
    for limit, error in (("2**31", ""), ("2**28", "MemoryError")):
        code = (
            f"from mcp_server.untrusted.decoder import limit_memory; limit_memory({limit}); bytearray(2**29)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stderr.strip().rpartition("\n")[2] == error


async def test_a_decoder_that_takes_too_long_is_killed(decoders: list[subprocess.Popen[bytes]]) -> None:
    assert "takes too long" in await refusal(bomb(8000, 5000), seconds=0.05)
    assert (len(decoders), running(decoders)) == (1, 0)


async def test_a_decoder_does_not_outlive_a_call_that_is_cancelled(
    decoders: list[subprocess.Popen[bytes]],
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(picture.clean, bomb(8000, 5000))
        await until(lambda: running(decoders) == 1)
        group.cancel_scope.cancel()
    await until(lambda: running(decoders) == 0)
    assert decoders[0].returncode != 0


async def test_no_more_than_two_are_decoded_at_once(decoders: list[subprocess.Popen[bytes]]) -> None:
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, running(decoders))
            await anyio.sleep(0.005)

    async with anyio.create_task_group() as watching:
        watching.start_soon(watch)
        async with anyio.create_task_group() as cleaning:
            for _ in range(6):
                cleaning.start_soon(picture.clean, bomb(4000, 4000))
        watching.cancel_scope.cancel()
    assert (len(decoders), most) == (6, 2)


def test_a_decoder_has_none_of_the_servers_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(picture, "PROGRAM", program := tmp_path / "decoder.py")
    program.write_text("import os; print(*os.environ)")
    assert len(os.environ) > 4
    with picture.start(1, 1) as process:
        seen = process.communicate()[0].decode().split()
    assert set(seen) <= {"PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LC_CTYPE"}
