"""Images: each is stored once, and deleted when no item or candidate uses it."""

from collections.abc import Sequence
from hashlib import sha256
from typing import Literal, NamedTuple

from psycopg import AsyncConnection
from psycopg.sql import SQL

from db.query import fetch_one, fetch_only, fetch_value
from db.sql import columns
from mcp_server.errors import InvalidInput, NotFound, no_such
from mcp_server.models.fields import Row
from mcp_server.models.image import Image, ImageRemoved, ImageShown
from mcp_server.services import reference
from mcp_server.untrusted import picture
from mcp_server.untrusted.picture import Picture


class ImageOwner(NamedTuple):
    """The item or candidate that an image belongs to."""

    noun: Literal["item", "candidate"]
    id: str | int


class OwnerRow(Row):
    image_id: int | None


TABLES = {"item": SQL("items"), "candidate": SQL("candidates")}
COLUMNS = columns("images", Image)


def owner(item_id: str | int | None, candidate_id: str | int | None) -> ImageOwner:
    """Return the owner. Exactly one of the ids must be given."""
    if candidate_id is None and item_id is not None:
        return ImageOwner("item", item_id)
    if item_id is None and candidate_id is not None:
        return ImageOwner("candidate", candidate_id)
    raise InvalidInput("item_id, candidate_id: give exactly one of them.")


async def check(conn: AsyncConnection, shown_for: ImageOwner) -> ImageOwner:
    """Return the owner with its id. Raise NotFound if the item or candidate does not exist."""
    return shown_for._replace(id=await reference.existing(conn, shown_for.noun, shown_for.id))


async def get(conn: AsyncConnection, image_id: int) -> ImageShown:
    """Return a stored image."""
    query = SQL("SELECT {columns}, data FROM images WHERE id = %(image_id)s AND data IS NOT NULL")
    found = await fetch_one(conn, ImageShown, query.format(columns=COLUMNS), {"image_id": image_id})
    if found is None:
        raise await absent(conn, image_id)
    return found


async def absent(conn: AsyncConnection, image_id: int) -> NotFound:
    exists = "SELECT true FROM images WHERE id = %(image_id)s"
    if await fetch_value(conn, exists, {"image_id": image_id}):
        return NotFound(
            f"Image {image_id} is empty: its file was missing during the migration from SQLite. "
            "Upload it again with upload_image, or remove it with remove_image."
        )
    return no_such("image", image_id)


async def shown(found: ImageShown, *, full: bool, user_id: int) -> ImageShown:
    """Return a thumbnail, or the whole image if *full*, in a turn of the user.

    Decoding is slow: do not hold a connection.
    """
    if full or max(found.width, found.height) <= picture.THUMBNAIL:
        return found
    small = await picture.clean(found.data, picture.THUMBNAIL, user_id=user_id)
    return found.model_copy(update={**small._asdict(), "thumbnail": True})


async def attach(
    conn: AsyncConnection, shown_for: ImageOwner, new: Picture, source_url: str | None = None
) -> Image:
    """Set the image of an item or a candidate, and return the stored image.

    Owners are locked before images, and images in the order of their ids, so that there are no deadlocks.
    """
    old = await lock(conn, shown_for)
    params = {**new._asdict(), "sha256": sha256(new.data).digest(), "source_url": source_url, "old": old}
    await conn.execute(
        "SELECT FROM images WHERE id = %(old)s OR sha256 = %(sha256)s ORDER BY id FOR UPDATE", params
    )
    query = SQL("""
        INSERT INTO images (sha256, mime_type, width, height, data, source_url)
        VALUES (%(sha256)s, %(mime_type)s, %(width)s, %(height)s, %(data)s, %(source_url)s)
        ON CONFLICT (user_id, sha256) DO UPDATE
        SET source_url = coalesce(images.source_url, excluded.source_url)
        RETURNING {columns}
    """).format(columns=COLUMNS)
    stored = await fetch_only(conn, Image, query, params)
    await show(conn, shown_for, stored.id)
    if old != stored.id:
        await delete_unused(conn, [old])
    return stored


async def detach(conn: AsyncConnection, shown_for: ImageOwner) -> ImageRemoved:
    """Remove the image of an item or a candidate."""
    shown_for = await check(conn, shown_for)
    old = await lock(conn, shown_for)
    if old is None:
        raise NotFound(f"The {shown_for.noun} {shown_for.id} has no image. There is nothing to remove.")
    await show(conn, shown_for, None)
    return ImageRemoved(image_id=old, deleted=await delete_unused(conn, [old]) == 1)


async def delete_unused(conn: AsyncConnection, image_ids: Sequence[int | None]) -> int:
    """Delete the images that nothing uses, and return their number. None stands for no image.

    The rows are locked before a second statement looks for their uses, so it sees all uses that began
    earlier. A transaction that begins to use an image now waits, and then stores it again.
    """
    ids = [image_id for image_id in image_ids if image_id is not None]
    if not ids:
        return 0
    await conn.execute("SELECT FROM images WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE", {"ids": ids})
    deleted = await conn.execute(
        """
        DELETE FROM images
        WHERE id = ANY(%(ids)s)
        AND NOT EXISTS (SELECT FROM items WHERE items.image_id = images.id)
        AND NOT EXISTS (SELECT FROM candidates WHERE candidates.image_id = images.id)
        """,
        {"ids": ids},
    )
    return deleted.rowcount


async def lock(conn: AsyncConnection, shown_for: ImageOwner) -> int | None:
    """Lock the owner until the end of the transaction, and return the id of its image."""
    query = SQL("SELECT image_id FROM {table} WHERE id = %(id)s FOR UPDATE")
    row = await fetch_one(conn, OwnerRow, query.format(table=TABLES[shown_for.noun]), {"id": shown_for.id})
    if row is None:
        raise await reference.unknown(conn, shown_for.noun, shown_for.id)
    return row.image_id


async def show(conn: AsyncConnection, shown_for: ImageOwner, image_id: int | None) -> None:
    query = SQL("UPDATE {table} SET image_id = %(image_id)s, updated_at = now() WHERE id = %(id)s")
    await conn.execute(query.format(table=TABLES[shown_for.noun]), {"id": shown_for.id, "image_id": image_id})
