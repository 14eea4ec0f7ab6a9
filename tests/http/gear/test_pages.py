"""The pages: what they show, to whom, and with which headers."""

import base64
import re

import pytest
from mcp import Client

from scripts.browser import PASSWORD, Browser
from tests.calls import call
from tests.http.gear.conftest import Visiting
from tests.pictures import photo

HOSTILE = '<script>alert(1)</script> & "quotes"'


async def fill(agent: Client) -> dict[str, int]:
    """Create one of everything, with hostile names, and return the ids."""
    category = await call(agent, "create_category", name=f"Category {HOSTILE}")
    item = await call(
        agent, "create_item", name=f"Item {HOSTILE}", category=category["id"], weight="540 g", notes=HOSTILE
    )
    await call(agent, "upload_image", item_id=item["id"], data=base64.b64encode(photo()).decode())
    unknown = await call(agent, "create_item", name="Mystery")
    lines = [{"item_id": item["id"], "quantity": 2}, {"item_id": unknown["id"], "classification": "worn"}]
    setup = await call(agent, "create_setup", name=f"Setup {HOSTILE}", lines=lines)
    candidate = {"name": f"Candidate {HOSTILE}", "weight": "300 g", "price_cents": 12900, "pros": HOSTILE}
    thread = await call(
        agent,
        "create_thread",
        name=f"Thread {HOSTILE}",
        replaces_item_id=item["id"],
        candidates=[candidate, {"name": "Other"}],
    )
    image = (await call(agent, "get_item", item_id=item["id"]))["image_id"]
    return {"item": item["id"], "setup": setup["id"], "thread": thread["id"], "image": image}


def pages(ids: dict[str, int]) -> list[str]:
    return [
        "/gear",
        "/gear/items",
        f"/gear/items?query=item&sort=-weight&edit={ids['item']}",
        f"/gear/items/{ids['item']}",
        f"/gear/setups/{ids['setup']}",
        f"/gear/setups/{ids['setup']}?edit={ids['item']}",
        f"/gear/threads/{ids['thread']}",
        "/gear/changes",
        "/gear/changes?show=2",
        "/gear/import",
        "/gear/sample",
    ]


async def test_every_page_escapes_names_and_has_no_inline_code(ada: Browser, agent: Client) -> None:
    ids = await fill(agent)
    hostile = 0
    for path in pages(ids):
        page = await ada.open(path)
        assert (path, page.response.status_code) == (path, 200)
        html = page.response.text
        hostile += "&lt;script&gt;alert(1)" in html
        assert "<script>" not in html
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html), path
        policy = page.response.headers["content-security-policy"]
        assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
        assert "unsafe" not in policy
        assert page.response.headers["cache-control"] == "no-store"
    # All but the sample, the import, and the change that is not hostile.
    assert hostile >= 8


async def test_pages_show_what_is_unknown(ada: Browser, agent: Client) -> None:
    ids = await fill(agent)
    assert "1 item without a weight" in (await ada.open("/gear")).words
    setup = (await ada.open(f"/gear/setups/{ids['setup']}")).words
    assert "at least 1,080 g: 1 line of unknown weight" in setup
    assert "Unknown weight: Mystery" in setup
    thread = (await ada.open(f"/gear/threads/{ids['thread']}")).words
    assert "1,080 g 600 g −480 g" in thread.replace("\n", " ")


async def test_strangers_get_the_sign_in_which_leads_back(visiting: Visiting, agent: Client) -> None:
    await fill(agent)
    async with visiting(None) as browser:
        page = await browser.open("/gear/items?query=mystery")
        assert "Sign in" in page.words
        assert "Mystery" not in page.words
        page = await browser.submit(page.forms[0], username="ada", password=PASSWORD)
        assert page.response.url.path == "/gear/items"
        assert "Mystery" in page.words


@pytest.mark.parametrize(
    "onward", ["//evil.example", "https://evil.example/gear", "/gearbox", "/gear\\@x.example"]
)
async def test_the_sign_in_leads_nowhere_else(visiting: Visiting, user_id: int, onward: str) -> None:
    async with visiting(None) as browser:
        form = (await browser.open("/gear")).forms[0]
        data = {**form.fields, "onward": onward, "username": "ada", "password": PASSWORD}
        response = await browser.http.post("/sign-in", data=data)
        assert (response.status_code, response.headers["location"]) == (303, "/account")


async def test_what_belongs_to_others_does_not_exist(ada: Browser, eve: Browser, agent: Client) -> None:
    ids = await fill(agent)
    rows = [f"/gear/{noun}s/{id}" for noun, id in ids.items()]
    for path in (*rows, f"/gear/setups/{ids['setup']}/page"):
        assert (await ada.open(path)).response.status_code == 200
        theirs, unknown = await eve.open(path), await eve.open(re.sub(r"\d+", "999999", path))
        assert (theirs.response.status_code, unknown.response.status_code) == (404, 404)
    for path in ("/gear/items", "/gear/changes", "/gear"):
        assert "Mystery" not in (await eve.open(path)).words


@pytest.mark.parametrize(
    "path", ["/gear/items/x", "/gear/items/0", f"/gear/setups/{10**30}", "/gear/items?cursor=x"]
)
async def test_addresses_that_make_no_sense_are_errors(ada: Browser, path: str) -> None:
    assert (await ada.open(path)).response.status_code in (400, 404)


async def test_an_image_is_a_thumbnail_that_browsers_keep(ada: Browser, agent: Client) -> None:
    ids = await fill(agent)
    response = await ada.http.get(f"/gear/images/{ids['image']}")
    assert response.headers["content-type"].startswith("image/")
    assert "immutable" in response.headers["cache-control"]
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_files_are_kept_and_known_by_their_hash(ada: Browser) -> None:
    html = (await ada.open("/gear")).response.text
    for path in set(re.findall(r'"(/gear/files/[^"]+)"', html)):
        response = await ada.http.get(path)
        assert (response.status_code, response.headers["cache-control"]) == (
            200,
            "public, max-age=31536000, immutable",
        )
        assert (await ada.http.get(path.replace("-", "-0", 1))).status_code == 404


async def test_an_empty_collection_shows_three_ways_in(ada: Browser) -> None:
    page = await ada.open("/gear")
    for way in ("Upload a list", "Connect an agent", "Look at a sample"):
        assert way in page.words
    sample = await ada.open("/gear/sample")
    assert "nothing of it is stored" in sample.words
    assert "4,376.1 g" in sample.words
    # Nothing is left of it.
    assert "Upload a list" in (await ada.open("/gear")).words


async def test_a_read_only_server_offers_no_forms_and_refuses_them(
    visiting: Visiting, ada: Browser, user_id: int, agent: Client
) -> None:
    ids = await fill(agent)
    async with visiting(user_id, read_only=True) as browser:
        for path in pages(ids):
            page = await browser.open(path)
            assert [form for form in page.forms if form.action != "/gear/items"] == [], path
        # The form of a server that is not read-only.
        browser.http.cookies = ada.http.cookies
        form = (await ada.open(f"/gear/items/{ids['item']}")).forms[0]
        page = await browser.submit(form, name="Renamed")
        assert page.response.status_code == 403
    assert "Renamed" not in (await ada.open("/gear/items")).words
