"""Files that are not accepted as images, recognised by their first bytes, and what to send instead."""

import re

# Bytes at the beginning that are searched.
BEGINNING = 4096
AS_JPEG = "Export it as JPEG, and send that."
SIGNATURES = [
    (rb".{4}ftyp(hei[cmsx]|hev[cmsx]|mif1|msf1)", "HEIC", AS_JPEG),
    (rb".{4}ftypcrx |II\*\0.{4}CR|FUJIFILMCCD-RAW|IIR[OS]|MMOR|IIU\0|FOVb", "a camera's RAW format", AS_JPEG),
    (rb"II[*+]\0|MM\0[*+]", "TIFF, or RAW from a camera", AS_JPEG),
    (rb"BM.{4}\0{4}", "BMP", AS_JPEG),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "JPEG XL", AS_JPEG),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "JPEG 2000", AS_JPEG),
    (rb"8BPS", "a Photoshop document", AS_JPEG),
    (rb"\0\0[\1\2]\0", "an icon (ICO)", "Export it as PNG, and send that."),
    (rb"\s*<(.{0,2000}<)?svg[\s/>]", "SVG", "Export it as PNG, and send that."),
    (rb"%PDF-", "PDF", "Export the page or the picture as JPEG, and send that."),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript", AS_JPEG),
    (rb"\s*<(!doctype html|html|head|body)", "a web page", "Send the image that the page shows, or its URL."),
    (rb".{4}ftyp(?!avi[fs])|\x1aE\xdf\xa3|RIFF.{4}AVI ", "a video", "Send one picture of it as JPEG."),
]
PATTERNS = [
    (re.compile(pattern, re.DOTALL | re.IGNORECASE), name, instead) for pattern, name, instead in SIGNATURES
]


def refusal(data: bytes) -> str | None:
    """Return why a file is refused, and what to send instead. Return None if it is not recognised."""
    start = data[:BEGINNING].removeprefix(b"\xef\xbb\xbf")
    for pattern, name, instead in PATTERNS:
        if pattern.match(start):
            return f"Not a supported image: the content is {name}. {instead}"
    return None
