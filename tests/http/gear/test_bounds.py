"""What a page or a form may cost: bounded bodies, bounded pages."""

import pytest

from db.pool import Pool, transaction
from scripts.abuse.cases import long_setup, long_thread
from scripts.browser import Browser
from tests.http.gear.conftest import Visiting

MEGABYTE = 2**20
MANY = "&".join(f"n{each}=1" for each in range(100_000))


@pytest.mark.parametrize(
    ("body", "status"),
    [(MANY, 400), ("x=" + "a" * 6 * MEGABYTE, 413), ("token=" + "a" * 4 * MEGABYTE, 400)],
    ids=["many fields", "large", "a long token"],
)
async def test_a_form_that_is_too_much_is_refused(ada: Browser, body: str, status: int) -> None:
    answer = await ada.http.post(
        "/gear/do/create-item",
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == status
    assert len(answer.content) < 10_000


async def test_pages_of_long_lists_are_bounded(pool: Pool, user_id: int, visiting: Visiting) -> None:
    async with transaction(pool, user_id) as conn:
        await long_setup(conn)
        await long_thread(conn)
    async with visiting(user_id) as browser:
        for path in ("/gear", "/gear/items", "/gear/setups/1", "/gear/threads/2", "/gear/changes"):
            answer = await browser.http.get(path)
            assert answer.status_code == 200
            assert len(answer.content) < MEGABYTE, path
