"""Untrusted pictures: what is kept, what is refused, and the limits of decoding."""

import os
import re
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from mcp_server.errors import Busy, InvalidInput
from mcp_server.turns import Turns
from mcp_server.untrusted import confinement, decoder, picture
from tests.pictures import bomb, encoded, large, opened, photo, samples, scanned

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


def words(*values: int) -> bytes:
    return struct.pack(f">{len(values)}H", *values)


# From black to white in four steps, and how they are shown.
STEPS, SHOWN = (0, 0x5555, 0xAAAA, 0xFFFF), [0, 85, 170, 255]


def pixels(image: Image.Image, band: int = 0) -> list[int]:
    return list(image.getchannel(band).tobytes())


DEEP = {
    "grey": samples(16, 0, words(*STEPS)),
    "grey with alpha": samples(16, 4, words(*(value for step in STEPS for value in (step, 0xFFFF)))),
    "colour": samples(16, 2, words(*(step for step in STEPS for _ in range(3)))),
    "colour with alpha": samples(16, 6, words(*(v for s in STEPS for v in (s, s, s, 0xFFFF)))),
    "two bits": samples(2, 0, b"\x1b"),
    "four bits": samples(4, 0, b"\x05\xaf"),
}


@pytest.mark.parametrize("name", DEEP)
async def test_samples_of_any_depth_keep_their_brightness(name: str) -> None:
    """Pillow alone shows every 16-bit grey above 255 of 65535 as white."""
    if name == "grey":
        assert pixels(opened(DEEP[name]).convert("RGB")) == [0, 255, 255, 255]
    image = opened((await picture.clean(DEEP[name])).data)
    assert image.format == "JPEG"
    assert all(abs(seen - step) <= 3 for seen, step in zip(pixels(image), SHOWN, strict=True))


TRANSPARENT = {
    "16-bit grey": (samples(16, 0, words(*STEPS), (b"tRNS", words(0x5555))), [255, 0, 255, 255]),
    "16-bit white": (samples(16, 0, words(*STEPS), (b"tRNS", words(0xFFFF))), [255, 255, 255, 0]),
    "16-bit colour": (
        samples(16, 2, words(*(step for step in STEPS for _ in range(3))), (b"tRNS", words(*[0x5555] * 3))),
        [255, 0, 255, 255],
    ),
    "8-bit grey": (samples(8, 0, bytes(SHOWN), (b"tRNS", words(85))), [255, 0, 255, 255]),
    "4-bit grey": (samples(4, 0, b"\x05\xaf", (b"tRNS", words(5))), [255, 0, 255, 255]),
    "2-bit grey": (samples(2, 0, b"\x1b", (b"tRNS", words(1))), [255, 0, 255, 255]),
    "1-bit white": (samples(1, 0, b"\x50", (b"tRNS", words(1))), [255, 0, 255, 0]),
    "1-bit black": (samples(1, 0, b"\x50", (b"tRNS", words(0))), [0, 255, 0, 255]),
    "palette": (
        samples(8, 3, bytes(range(4)), (b"PLTE", bytes(12)), (b"tRNS", b"\xff\0\x80")),
        [255, 0, 128, 255],
    ),
    "palette of two bits": (
        samples(2, 3, b"\x1b", (b"PLTE", bytes(12)), (b"tRNS", b"\xff\0\xff")),
        [255, 0, 255, 255],
    ),
}


@pytest.mark.parametrize("name", TRANSPARENT)
async def test_a_transparent_colour_stays_transparent_at_any_depth(name: str) -> None:
    data, alpha = TRANSPARENT[name]
    cleaned = await picture.clean(data)
    assert cleaned.mime_type == "image/webp"
    assert pixels(opened(cleaned.data), 3) == alpha


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I", "F"])
def test_every_mode_of_more_than_eight_bits_is_scaled(mode: str) -> None:
    image = Image.new(mode, (4, 1))
    for column, value in enumerate(STEPS):
        image.putpixel((column, 0), value)
    assert pixels(image.convert("L")) == [0, 255, 255, 255]
    assert pixels(decoder.in_eight_bits(image, 16)) == SHOWN


@pytest.mark.parametrize("mode", ["CMYK", "RGB"])
async def test_ink_has_the_colour_of_light(mode: str) -> None:
    red = (
        Image.new("CMYK", (60, 40), (0, 255, 255, 0)) if mode == "CMYK" else Image.new("RGB", (60, 40), "red")
    )
    assert is_red(opened((await picture.clean(encoded(red, "JPEG"))).data))


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


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"not an image", b"svg", b"<p>BM"])
async def test_a_file_that_is_not_recognised_is_refused(data: bytes) -> None:
    assert (await refusal(data)).startswith("[invalid_input] Not an image: ")


OTHER_FORMATS = [
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
    (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
    (b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a tent -->\n<svg>", "SVG"),
    (b"<!doctype html><title>image.png</title>", "a web page"),
    (b"\n <HTML><title>image.png</title>", "a web page"),
    (b"%PDF-1.4", "PDF"),
    (encoded(Image.new("RGB", (9, 9)), "BMP"), "BMP"),
    (encoded(Image.new("RGB", (9, 9)), "TIFF"), "TIFF, or RAW from a camera"),
    (encoded(Image.new("I;16B", (9, 9)), "TIFF"), "TIFF, or RAW from a camera"),
    (encoded(Image.new("RGB", (16, 16)), "ICO"), "an icon (ICO)"),
    (encoded(Image.new("RGB", (9, 9)), "JPEG2000"), "JPEG 2000"),
    (b"II*\0\x10\0\0\0CR\2\0", "a camera's RAW format"),
    (b"\0\0\0\x18ftypcrx \0\0\0\1", "a camera's RAW format"),
    (b"FUJIFILMCCD-RAW 0201", "a camera's RAW format"),
    (b"\xff\x0a\0\0", "JPEG XL"),
    (b"8BPS\0\1", "a Photoshop document"),
    (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "PostScript"),
    (b"\0\0\0\x18ftypisom\0\0\0\0", "a video"),
]


@pytest.mark.parametrize(("data", "name"), OTHER_FORMATS, ids=range(len(OTHER_FORMATS)))
async def test_other_formats_are_refused_by_name(data: bytes, name: str) -> None:
    text = await refusal(data)
    assert text.startswith(f"[invalid_input] Not a supported image: the content is {name}. ")
    assert re.search(r"Send |Export .* and send that\.$", text)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
async def test_a_truncated_file_is_refused(kind: str) -> None:
    data = encoded(Image.effect_noise((300, 200), 90).convert("RGB"), kind)
    text = await refusal(data[: len(data) // 2])
    assert text.startswith(("[invalid_input] The image is damaged", "[invalid_input] Not an image"))


def flat(kind: str, mode: str = "RGB") -> bytes:
    smallest = {"WEBP": {"lossless": True, "method": 0}, "JPEG": {"optimize": True}}
    return encoded(Image.new(mode, (5000, 4000)), kind, **smallest.get(kind, {}))


ABSURD = {
    "a WebP of a flat colour": lambda: flat("WEBP"),
    "a transparent WebP": lambda: flat("WEBP", "RGBA"),
    "a PNG of one bit per pixel": lambda: bomb(8000, 5000),
    "a PNG with a palette": lambda: flat("PNG", "P"),
    "a GIF": lambda: flat("GIF", "P"),
    "a JPEG": lambda: flat("JPEG"),
    "an AVIF": lambda: encoded(Image.new("RGB", (5000, 4000)), "AVIF", speed=10),
}


@pytest.mark.parametrize("name", ABSURD)
async def test_a_small_file_with_many_pixels_is_refused_before_they_are_decoded(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Control: without the check, each of these files has all its 20 or 40 megapixels decoded."""
    data = ABSURD[name]()
    assert len(data) < 130_000
    assert "far more pixels than its file size justifies" in await refusal(data)
    unchecked = tmp_path / "decoder.py"
    unchecked.write_text(picture.PROGRAM.read_text().replace("check_cost(image, data)", "pass"))
    monkeypatch.setattr(picture, "PROGRAM", unchecked)
    assert (await picture.clean(data, seconds=30))[1] == 1600


def blurred(width: int, height: int) -> Image.Image:
    noise = Image.effect_noise((100, 80), 50).convert("RGB")
    return noise.resize((width, height))  # pyright: ignore[reportUnknownMemberType]


ORDINARY = {
    "a small WebP of a flat colour": lambda: encoded(Image.new("RGB", (1920, 1200)), "WEBP", lossless=True),
    "a large PNG of a flat colour": lambda: flat("PNG"),
    "a transparent PNG": lambda: flat("PNG", "RGBA"),
    "a blurred photo": lambda: encoded(blurred(5000, 4000), "JPEG"),
}


@pytest.mark.parametrize("name", ORDINARY)
async def test_an_ordinary_picture_has_enough_bytes(name: str) -> None:
    assert (await picture.clean(ORDINARY[name]()))[1] == 1600


async def test_a_jpeg_with_many_scans_is_refused() -> None:
    """Each scan costs time for every pixel: here, 70 bytes for a megapixel."""
    ordinary, many = scanned(1000, 1000, 10), scanned(1000, 1000, 3000)
    assert len(many) - len(ordinary) < 3000 * 80
    assert (decoder.scans(ordinary), decoder.scans(many)) == (10, 3000)
    assert (await picture.clean(ordinary))[1] == 1000
    assert "too many scans" in await refusal(many)


def test_the_scans_of_a_thumbnail_or_of_a_video_behind_the_picture_do_not_count() -> None:
    inside = scanned(100, 100, 40)
    data = encoded(Image.new("RGB", (300, 200)), "JPEG", exif=b"Exif\0\0" + inside[:60_000])
    assert data.count(b"\xff\xda") == 41
    assert decoder.scans(data + inside) == 1


async def test_a_jpeg_of_several_pictures_is_accepted() -> None:
    """Phones write the format MPO, and name it JPEG."""
    first, second = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    data = encoded(first, "MPO", save_all=True, append_images=[second])
    assert opened(data).format == "MPO"
    assert is_red(opened((await picture.clean(data)).data))


async def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    data = bomb(13_000, 13_000)
    assert len(data) < 200_000
    began = time.monotonic()
    assert "more than 40 megapixels" in await refusal(data)
    assert time.monotonic() - began < 3


async def test_forty_megapixels_are_decoded_within_the_limits() -> None:
    assert (await picture.clean(large(8000, 5000)))[:3] == ("image/jpeg", 1600, 1000)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
async def test_a_picture_that_exceeds_the_memory_limit_is_refused() -> None:
    """The same picture is decoded within the usual limit."""
    data = large(8000, 5000)
    assert "too much memory" in await refusal(data, memory=160 * 1024**2)
    assert await picture.clean(data)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux holds a process to its memory")
def test_the_memory_limit_is_one_of_the_process() -> None:
    for limit, error in (("2**31", ""), ("2**28", "MemoryError")):
        code = (
            "from mcp_server.untrusted.confinement import limit_memory; "
            f"limit_memory({limit}); bytearray(2**29)"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert done.stderr.strip().rpartition("\n")[2] == error


async def test_a_decoder_that_takes_too_long_is_killed(decoders: list[subprocess.Popen[bytes]]) -> None:
    assert "takes too long" in await refusal(large(8000, 5000), seconds=0.05)
    assert (len(decoders), running(decoders)) == (1, 0)


async def test_a_decoder_does_not_outlive_a_call_that_is_cancelled(
    decoders: list[subprocess.Popen[bytes]],
) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(picture.clean, large(8000, 5000))
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
                cleaning.start_soon(picture.clean, large(4000, 4000))
        watching.cancel_scope.cancel()
    assert (len(decoders), most) == (6, 2)


def test_a_decoder_has_none_of_the_servers_secrets(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(picture, "PROGRAM", program := tmp_path / "decoder.py")
    program.write_text("import os; print(*os.environ)")
    assert len(os.environ) > 4
    with picture.start(1, 1) as process:
        seen = process.communicate()[0].decode().split()
    assert set(seen) <= {"PATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LC_CTYPE"}


async def test_twenty_pictures_of_one_user_do_not_delay_another_user(
    decoders: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decoders are counted: without turns per user, all twenty are started before the other user's."""
    monkeypatch.setattr(picture, "DECODERS", Turns(1, 2, "images", patience=30))
    data, before = large(4000, 4000), -1
    most = 0

    async def clean(user_id: int) -> None:
        with suppress(Busy):
            await picture.clean(data, user_id=user_id)

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, running(decoders))
            await anyio.sleep(0.005)

    async with anyio.create_task_group() as group:
        for _ in range(20):
            group.start_soon(clean, 1)
        group.start_soon(watch)
        await until(lambda: running(decoders) == 1)
        await anyio.sleep(0.1)
        assert most == 1
        before = len(decoders)
        await picture.clean(photo(), user_id=2)
        assert len(decoders) - before <= 3
        assert most == 2
        group.cancel_scope.cancel()
    await until(lambda: running(decoders) == 0)


async def test_the_second_picture_of_a_user_waits_and_is_then_refused(
    decoders: list[subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "DECODERS", Turns(1, 2, "images", patience=0.05))
    async with anyio.create_task_group() as group:
        group.start_soon(partial(picture.clean, large(8000, 5000), user_id=1))
        await until(lambda: running(decoders) == 1)
        with pytest.raises(Busy, match="Too many images are in progress"):
            await picture.clean(photo(), user_id=1)
        group.cancel_scope.cancel()
    assert len(decoders) == 1


def status(decoder: subprocess.Popen[bytes]) -> dict[str, list[str]]:
    lines = Path(f"/proc/{decoder.pid}/status").read_text().splitlines()
    return {name: words.split() for name, _, words in (line.partition(":") for line in lines)}


@pytest.fixture
def confined() -> Iterator[subprocess.Popen[bytes]]:
    """A decoder that has restricted itself, and waits for a picture."""
    with picture.start(100, picture.MEMORY) as process:
        deadline = time.monotonic() + 10
        while status(process)["NoNewPrivs"] != ["1"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(0.1)
        yield process
        process.kill()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_a_decoder_has_no_privileges(confined: subprocess.Popen[bytes]) -> None:
    seen = status(confined)
    assert {tuple(seen[name]) for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {("0" * 16,)}
    if os.geteuid() == 0:
        # Control: the capabilities of this process could be inherited.
        assert int(Path("/proc/self/status").read_text().partition("CapPrm:")[2].split()[0], 16)
        assert set(seen["Uid"]) == set(seen["Gid"]) == {str(confinement.UNPRIVILEGED)}
        assert seen["Groups"] == []
        assert seen["CapBnd"] == ["0" * 16]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has /proc")
def test_a_decoder_has_limits(confined: subprocess.Popen[bytes]) -> None:
    limits = {
        name.strip(): values.split()[:2]
        for line in Path(f"/proc/{confined.pid}/limits").read_text().splitlines()
        for name, values in [(line[:26], line[26:])]
    }
    assert limits["Max address space"] == [str(picture.MEMORY)] * 2
    assert limits["Max cpu time"] == ["6", "7"]
    assert limits["Max processes"] == limits["Max file size"] == limits["Max core file size"] == ["0", "0"]
    assert limits["Max open files"] == ["3", "3"]
    niceness = os.getpriority(os.PRIO_PROCESS, confined.pid)
    assert niceness == min(os.getpriority(os.PRIO_PROCESS, 0) + confinement.NICENESS, 19)


# What code in a decoder could do, and how it ends there.
MISDEEDS = {
    "open('/etc/passwd')": "OSError",
    "__import__('socket').socket()": "OSError",
    "os.write(os.memfd_create('x'), b'x')": "OSError",
    "os.fork()": "BlockingIOError",
    "os.setuid(0)": "PermissionError",
}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces all of them")
@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_code_in_a_decoder_can_do_no_harm(misdeed: str) -> None:
    """The control is the same code without the restrictions."""
    if misdeed == "os.setuid(0)" and os.geteuid() != 0:
        pytest.skip("only root may do it at all")
    code = (
        "import os, socket, sys; from mcp_server.untrusted.decoder import *\n"
        "if sys.argv[1:]: drop_privileges(); limit_resources(5)\n"
        f"try: {misdeed}\n"
        "except Exception as exc: print(type(exc).__name__)"
    )
    run = partial(subprocess.run, capture_output=True, text=True, check=True, timeout=20)
    assert run([sys.executable, "-c", code]).stdout.strip() == ""
    assert run([sys.executable, "-c", code, "restricted"]).stdout.strip() == MISDEEDS[misdeed]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces it")
async def test_a_decoder_ends_after_its_processor_time_even_if_the_server_is_gone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    looping = picture.PROGRAM.read_text().replace("check_cost(image, data)", "while True: pass")
    monkeypatch.setattr(picture, "PROGRAM", tmp_path / "decoder.py")
    monkeypatch.setattr(picture, "SECONDS", 1.0)
    picture.PROGRAM.write_text(looping)
    assert "takes too long" in await refusal(photo(), seconds=30)
