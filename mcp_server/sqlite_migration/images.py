"""Import images from the old application's folder for migrated rows that name them."""

import asyncio
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple

import psycopg
from psycopg.conninfo import make_conninfo

from db.pool import CONNECTION, settings
from mcp_server import terminal
from mcp_server.errors import InvalidInput, quoted
from mcp_server.untrusted import picture
from mcp_server.untrusted.picture import Picture

# Bytes. The old application did not store larger files.
LARGEST = 40 * 2**20


class Gap(NamedTuple):
    """An image whose file is missing."""

    id: int
    filename: str


class FilledGap(NamedTuple):
    """The outcome for a gap. If it remains, *problem* and *detail* give the reason."""

    gap: Gap
    problem: Literal["missing_image", "bad_image"] | None = None
    detail: str | None = None


def gaps(conn: psycopg.Connection, user_id: int) -> list[Gap]:
    """Return the images whose file is missing. Images with only a URL never had a file."""
    query = """
        SELECT id, filename
        FROM images
        WHERE user_id = %(user_id)s AND data IS NULL AND filename IS DISTINCT FROM source_url
        ORDER BY id
    """
    return [Gap(*row) for row in conn.execute(query, {"user_id": user_id})]


def fill(conn: psycopg.Connection, user_id: int, folder: Path) -> Iterator[FilledGap]:
    """Store the file from *folder* for each gap. The files are not changed."""
    for gap in gaps(conn, user_id):
        try:
            data = read(folder, gap.filename)
            new = asyncio.run(picture.clean(data))
        except InvalidInput as exc:
            yield FilledGap(gap, "bad_image", str(exc))
        except OSError as exc:
            yield FilledGap(gap, "missing_image", exc.strerror or str(exc))
        else:
            store(conn, user_id, gap.id, new)
            yield FilledGap(gap)


def read(folder: Path, name: str) -> bytes:
    """Return the content of a file directly in *folder*."""
    if name in ("", ".", "..") or set(name) & set("/\\\0"):
        raise FileNotFoundError("not a file name")
    path = folder / name
    if not path.is_file():
        raise FileNotFoundError("file not found")
    if path.stat().st_size > LARGEST:
        raise InvalidInput("The file is larger than 40 MB.")
    return path.read_bytes()


def store(conn: psycopg.Connection, user_id: int, image_id: int, new: Picture) -> None:
    """Fill a gap. If the same picture is already stored, rows refer to that one instead."""
    params = {**new._asdict(), "sha256": sha256(new.data).digest(), "id": image_id, "user_id": user_id}
    same = conn.execute(
        "SELECT id FROM images WHERE user_id = %(user_id)s AND sha256 = %(sha256)s", params
    ).fetchone()
    if same is None:
        conn.execute(
            """
            UPDATE images
            SET sha256 = %(sha256)s, mime_type = %(mime_type)s, width = %(width)s, height = %(height)s,
                data = %(data)s
            WHERE id = %(id)s AND user_id = %(user_id)s
            """,
            params,
        )
        return
    params["same"] = same[0]
    conn.execute(
        "UPDATE items SET image_id = %(same)s WHERE image_id = %(id)s AND user_id = %(user_id)s", params
    )
    conn.execute(
        "UPDATE candidates SET image_id = %(same)s WHERE image_id = %(id)s AND user_id = %(user_id)s", params
    )
    conn.execute("DELETE FROM images WHERE id = %(id)s AND user_id = %(user_id)s", params)


def import_folder(url: str, username: str, folder: Path) -> int:
    """Fill the gaps of a user's collection from *folder*, one transaction per image, and print each."""
    if not folder.is_dir():
        terminal.warn(f"Folder {folder} does not exist.")
        return 1
    filled = 0
    with psycopg.connect(make_conninfo(url, **CONNECTION), autocommit=True, prepare_threshold=None) as conn:
        user_id = conn.execute(
            "SELECT id FROM users WHERE username = %(name)s", {"name": username}
        ).fetchone()
        if user_id is None:
            terminal.warn(f"No user {quoted(username)}. Name the collection's user with --user.")
            return 1
        conn.execute(b"BEGIN;" + settings(user_id[0], False, False))
        for each in fill(conn, user_id[0], folder):
            conn.execute("COMMIT")
            filled += each.problem is None
            terminal.show(f"{each.gap.filename}: {each.detail or 'stored'}")
            conn.execute(b"BEGIN;" + settings(user_id[0], False, False))
        left = len(gaps(conn, user_id[0]))
        conn.execute("COMMIT")
    terminal.show(f"{filled} images were stored, {left} are still missing.")
    return 0
