"""Images: stored once, shown for items and candidates, gone with the last of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from psycopg import AsyncConnection

from db.pool import Pool, transaction
from db.query import fetch_value
from mcp_server.errors import InvalidInput, NotFound
from mcp_server.services import candidate, image, item, resolution, thread
from mcp_server.services.image import ImageOwner
from mcp_server.untrusted import picture
from mcp_server.untrusted.picture import Picture
from tests.factories import make_candidate, make_item, make_thread
from tests.pictures import opened, photo

RED, BLUE = (Picture("image/jpeg", 40, 30, colour) for colour in (b"red", b"blue"))
URL = "https://example.com/tent.jpg"


async def count(conn: AsyncConnection) -> int:
    return await fetch_value(conn, "SELECT count(*) FROM images")


async def considered(conn: AsyncConnection) -> int:
    """A candidate in a thread of its own."""
    return await make_candidate(conn, await make_thread(conn))


async def image_of(conn: AsyncConnection, item_id: str | int) -> int | None:
    return (await item.get(conn, item_id)).image_id


@pytest.mark.parametrize(("item_id", "candidate_id"), [(None, None), (1, 2)])
def test_it_is_either_an_item_or_a_candidate(item_id: int | None, candidate_id: int | None) -> None:
    with pytest.raises(InvalidInput, match="item_id, candidate_id: give exactly one"):
        image.owner(item_id, candidate_id)


@pytest.mark.parametrize("noun", ["item", "candidate"])
async def test_an_image_is_stored_and_shown_for_its_owner(conn: AsyncConnection, noun: Any) -> None:
    owner = ImageOwner(noun, await (make_item(conn) if noun == "item" else considered(conn)))
    stored = await image.attach(conn, owner, RED, URL)
    assert stored.model_dump(exclude={"id", "filename"}) == {
        "mime_type": "image/jpeg",
        "width": 40,
        "height": 30,
        "source_url": URL,
    }
    assert (await image.get(conn, stored.id)).data == b"red"
    removed = await image.detach(conn, owner)
    assert (removed.image_id, removed.deleted, await count(conn)) == (stored.id, True, 0)


async def test_the_same_picture_is_stored_once_and_remembers_where_it_came_from(
    conn: AsyncConnection,
) -> None:
    tent, tarp = await make_item(conn), await make_item(conn, "Tarp")
    first = await image.attach(conn, ImageOwner("item", tent), RED)
    second = await image.attach(conn, ImageOwner("item", tarp), RED, URL)
    third = await image.attach(
        conn, ImageOwner("candidate", await considered(conn)), RED, "https://b.example/"
    )
    assert first.id == second.id == third.id
    assert (second.source_url, third.source_url, await count(conn)) == (URL, URL, 1)


async def test_an_image_stays_until_nothing_shows_it(conn: AsyncConnection) -> None:
    owners = [
        ImageOwner("item", await make_item(conn)),
        ImageOwner("item", await make_item(conn)),
        ImageOwner("candidate", await considered(conn)),
    ]
    for owner in owners:
        await image.attach(conn, owner, RED)
    assert [(await image.detach(conn, owner)).deleted for owner in owners] == [False, False, True]


async def test_a_replaced_image_goes_unless_something_else_shows_it(conn: AsyncConnection) -> None:
    tent, tarp = ImageOwner("item", await make_item(conn)), ImageOwner("item", await make_item(conn))
    red = await image.attach(conn, tent, RED)
    await image.attach(conn, tarp, RED)
    await image.attach(conn, tent, BLUE)
    assert await count(conn) == 2
    blue = await image.attach(conn, tarp, BLUE)
    assert await count(conn) == 1
    assert [await image_of(conn, owner.id) for owner in (tent, tarp)] == [blue.id, blue.id]
    with pytest.raises(NotFound):
        await image.get(conn, red.id)


async def test_the_same_image_again_changes_nothing(conn: AsyncConnection) -> None:
    tent = ImageOwner("item", await make_item(conn))
    assert await image.attach(conn, tent, RED) == await image.attach(conn, tent, RED)
    assert await count(conn) == 1


async def test_a_deleted_item_takes_its_image_along_unless_something_else_shows_it(
    conn: AsyncConnection,
) -> None:
    tent, tarp = await make_item(conn), await make_item(conn)
    for item_id in (tent, tarp):
        await image.attach(conn, ImageOwner("item", item_id), RED)
    await item.delete(conn, tent)
    assert await count(conn) == 1
    await item.delete(conn, tarp)
    assert await count(conn) == 0


async def test_a_removed_candidate_or_thread_takes_images_along_unless_something_else_shows_them(
    conn: AsyncConnection,
) -> None:
    thread_id = await make_thread(conn)
    first, second = [await make_candidate(conn, thread_id) for _ in range(2)]
    await image.attach(conn, ImageOwner("candidate", first), RED)
    await image.attach(conn, ImageOwner("candidate", second), BLUE)
    await candidate.remove(conn, first)
    assert await count(conn) == 1
    winner = await resolution.resolve(conn, thread_id, second, [])
    await thread.delete(conn, thread_id)
    assert (await item.get(conn, winner.item_id)).image_id is not None
    await item.delete(conn, winner.item_id)
    assert await count(conn) == 0


async def test_what_is_still_shown_is_not_deleted_as_unused(conn: AsyncConnection) -> None:
    stored = [await image.attach(conn, ImageOwner("item", await make_item(conn)), new) for new in (RED, BLUE)]
    ids = [None, *(each.id for each in stored)]
    assert await image.delete_unused(conn, ids) == 0
    await conn.execute("UPDATE items SET image_id = NULL")
    assert await image.delete_unused(conn, ids) == 2
    assert await image.delete_unused(conn, [None]) == await image.delete_unused(conn, []) == 0


@pytest.mark.parametrize("noun", ["item", "candidate"])
async def test_what_is_absent_has_no_image(conn: AsyncConnection, noun: Any) -> None:
    absent: list[Callable[[], Awaitable[object]]] = [
        lambda: image.check(conn, ImageOwner(noun, 12)),
        lambda: image.attach(conn, ImageOwner(noun, 12), RED),
        lambda: image.detach(conn, ImageOwner(noun, 12)),
    ]
    for call in absent:
        with pytest.raises(NotFound, match=f"No {noun} 12"):
            await call()
    assert await count(conn) == 0


async def test_removing_a_missing_image_is_refused(conn: AsyncConnection) -> None:
    tent = await make_item(conn)
    with pytest.raises(NotFound, match=f"The item {tent} has no image"):
        await image.detach(conn, ImageOwner("item", tent))


async def test_an_image_whose_file_is_missing_says_what_to_do(conn: AsyncConnection) -> None:
    tent = await make_item(conn)
    image_id = await fetch_value(conn, "INSERT INTO images (filename) VALUES ('secret.jpg') RETURNING id")
    await conn.execute("UPDATE items SET image_id = %(image_id)s", {"image_id": image_id})
    with pytest.raises(NotFound, match=f"Image {image_id} is empty: .* Upload it again") as missing:
        await image.get(conn, image_id)
    assert "secret" not in str(missing.value)
    await image.attach(conn, ImageOwner("item", tent), RED)
    assert await count(conn) == 1


async def test_an_image_is_shown_small_unless_all_of_it_is_asked_for(conn: AsyncConnection) -> None:
    owner = ImageOwner("item", await make_item(conn))
    stored = await image.attach(conn, owner, await picture.clean(photo(1000, 500)))
    found = await image.get(conn, stored.id)
    small = await image.shown(found, full=False, user_id=1)
    assert (small.width, small.height, small.thumbnail) == (320, 160, True)
    assert opened(small.data).size == (320, 160)
    assert len(small.data) < len(found.data)
    assert await image.shown(found, full=True, user_id=1) == found


async def test_a_small_image_is_shown_as_it_is(conn: AsyncConnection) -> None:
    stored = await image.attach(conn, ImageOwner("item", await make_item(conn)), RED)
    found = await image.get(conn, stored.id)
    assert await image.shown(found, full=False, user_id=1) == found


async def test_the_bytes_are_in_no_dump_and_no_schema(conn: AsyncConnection) -> None:
    stored = await image.attach(conn, ImageOwner("item", await make_item(conn)), RED)
    found = await image.get(conn, stored.id)
    assert "data" not in found.model_dump()
    assert "data" not in found.model_json_schema()["properties"]
    assert "red" not in repr(found)


async def test_two_users_have_an_image_each(pool: Pool, user_id: int, other_user_id: int) -> None:
    ids: list[int] = []
    for user in (user_id, other_user_id):
        async with transaction(pool, user) as conn:
            ids.append((await image.attach(conn, ImageOwner("item", await make_item(conn)), RED)).id)
            assert await count(conn) == 1
    assert len(set(ids)) == 2
    async with transaction(pool, user_id) as conn:
        with pytest.raises(NotFound, match=rf"No image {ids[1]}\."):
            await image.get(conn, ids[1])


async def waiting(conn: AsyncConnection) -> None:
    """Return once some other transaction waits for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    async with asyncio.timeout(5):
        while not await fetch_value(conn, query):  # noqa: ASYNC110 (a database announces nothing)
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("first", ["attach", "detach"])
async def test_who_shows_an_image_while_it_is_taken_off_elsewhere_keeps_it(
    pool: Pool, user_id: int, first: str
) -> None:
    async with transaction(pool, user_id) as conn:
        tent, tarp = ImageOwner("item", await make_item(conn)), ImageOwner("item", await make_item(conn))
        await image.attach(conn, tent, RED)

    async def attach(conn: AsyncConnection) -> None:
        await image.attach(conn, tarp, RED)

    async def detach(conn: AsyncConnection) -> None:
        await image.detach(conn, tent)

    async def later() -> None:
        async with transaction(pool, user_id) as conn:
            await (detach if first == "attach" else attach)(conn)

    async with pool.connection() as watcher:
        async with transaction(pool, user_id) as conn:
            await (attach if first == "attach" else detach)(conn)
            task = asyncio.create_task(later())
            await waiting(watcher)
        await task
    async with transaction(pool, user_id) as conn:
        shown = await image_of(conn, tarp.id)
        assert shown is not None
        assert (await image.get(conn, shown)).data == b"red"
        assert (await image_of(conn, tent.id), await count(conn)) == (None, 1)


async def test_many_who_swap_images_neither_deadlock_nor_leave_any_behind(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id) as conn:
        owners = [ImageOwner("item", await make_item(conn)) for _ in range(4)]

    async def swap(owner: ImageOwner, turn: int) -> None:
        for number in range(10):
            async with transaction(pool, user_id) as conn:
                await image.attach(conn, owner, (RED, BLUE)[(turn + number) % 2])

    await asyncio.gather(*(swap(owner, turn) for turn, owner in enumerate(owners)))
    async with transaction(pool, user_id) as conn:
        shown = {await image_of(conn, owner.id) for owner in owners}
        assert await count(conn) == len(shown) == 2
        for owner in owners:
            await image.detach(conn, owner)
        assert await count(conn) == 0


async def test_a_deleted_thread_takes_the_images_of_its_candidates_along(conn: AsyncConnection) -> None:
    thread_id = await make_thread(conn)
    for stored in (RED, BLUE):
        await image.attach(conn, ImageOwner("candidate", await make_candidate(conn, thread_id)), stored)
    assert await count(conn) == 2
    await thread.delete(conn, thread_id)
    assert await count(conn) == 0
