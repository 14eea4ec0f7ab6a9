"""The forms: they call the tools, and every write can be undone."""

import re
from typing import Any

import httpx2
import pytest
from mcp import Client

from db.pool import Pool, shared
from mcp_server.http.gear.actions import ACTIONS
from mcp_server.http.gear.local import OneTimeAddress, local_pages
from mcp_server.http.oauth.site import Site
from mcp_server.models.session import Person
from mcp_server.protocol.edge import App
from mcp_server.server import build_server
from mcp_server.services.share import find, hash_of
from scripts.browser import Browser, Form, Page
from tests.calls import call
from tests.http.gear.conftest import Visiting


def form_of(page: Page, action: str, **fields: str) -> Form:
    """Return the form with an action and these fields."""
    return next(
        form
        for form in page.forms
        if form.action == f"/gear/do/{action}" and fields.items() <= form.fields.items()
    )


async def last(agent: Client) -> dict[str, Any]:
    return (await call(agent, "list_changes", limit=1))["changes"][0]


async def test_an_item_is_created_changed_and_deleted_and_each_is_undone(ada: Browser, agent: Client) -> None:
    page = await ada.open("/gear/items")
    page = await ada.submit(form_of(page, "create-item"), name="Tarp", weight="1 lb 3 oz", price="249,95")
    assert 'Created item "Tarp"' in page.words
    change = await last(agent)
    assert (change["tool"], change["program"], change.get("client")) == ("web", "Firefox on Linux", None)
    item = await call(agent, "get_item", item_id="Tarp")
    assert (item["weight_grams"], item["price_cents"]) == (538.64, 24995)
    page = await ada.open(f"/gear/items/{item['id']}")
    page = await ada.submit(form_of(page, "update-item"), name="Tarp", weight="500 g", price="")
    item = await call(agent, "get_item", item_id="Tarp")
    assert (item["weight_grams"], item.get("price_cents")) == (500, None)
    page = await ada.submit(form_of(page, "undo"))
    assert (await call(agent, "get_item", item_id="Tarp"))["price_cents"] == 24995
    page = await ada.open(f"/gear/items/{item['id']}")
    page = await ada.submit(form_of(page, "delete-item"))
    assert page.response.url.path == "/gear/items"
    assert 'Deleted item "Tarp"' in page.words
    assert "Redo" in (await ada.submit(form_of(page, "undo"))).words
    assert (await call(agent, "list_items"))["total"] == 1


async def test_a_field_that_is_left_alone_keeps_its_exact_value(ada: Browser, agent: Client) -> None:
    await call(agent, "update_settings", changes={"weight_unit": "oz"})
    item = await call(agent, "create_item", name="Stove", weight="394.06 g")
    page = await ada.open(f"/gear/items/{item['id']}")
    form = form_of(page, "update-item")
    assert form.fields["weight"] == "13.9 oz"
    await call(agent, "update_item", item_id="Stove", changes={"quantity": 4})
    await ada.submit(form, name="Gas stove")
    item = await call(agent, "get_item", item_id=item["id"])
    assert (item["name"], item["weight_grams"], item["quantity"]) == ("Gas stove", 394.06, 4)


async def test_a_refused_form_shows_the_message_beside_it_and_keeps_what_was_typed(
    ada: Browser, agent: Client
) -> None:
    item = await call(agent, "create_item", name="Tarp", weight="1 kg")
    for path in (f"/gear/items/{item['id']}", f"/gear/items?query=tarp&edit={item['id']}"):
        page = await ada.open(path)
        page = await ada.submit(form_of(page, "update-item"), weight="heavy", name="Tarp II")
        assert page.response.status_code == 400
        assert "weight: must be a weight such as 540 g" in page.words
        again = form_of(page, "update-item")
        assert (again.fields["weight"], again.fields["name"]) == ("heavy", "Tarp II")
    assert (await call(agent, "list_changes"))["changes"][0]["summary"] == 'Created item "Tarp"'


async def test_a_form_that_changes_nothing_is_no_change(ada: Browser, agent: Client) -> None:
    item = await call(agent, "create_item", name="Tarp")
    before = await last(agent)
    page = await ada.open(f"/gear/items/{item['id']}")
    page = await ada.submit(form_of(page, "update-item"))
    assert "Nothing changed." in page.words
    assert await last(agent) == before


async def test_a_form_that_is_sent_twice_creates_one_item(ada: Browser, agent: Client) -> None:
    form = form_of(await ada.open("/gear/items"), "create-item")
    for _ in range(2):
        assert (await ada.submit(form, name="Tarp")).response.status_code == 200
    assert (await call(agent, "list_items"))["total"] == 1


async def test_a_setup_is_packed_changed_and_unpacked(ada: Browser, agent: Client) -> None:
    await call(agent, "create_item", name="Tent", weight="1 kg")
    page = await ada.open("/gear/items")
    page = await ada.submit(form_of(await ada.open("/gear"), "create-setup"), name="Trip")
    page = await ada.submit(form_of(page, "add-line"), item="Tent", quantity="2", classification="base")
    assert "2,000 g" in page.words
    setup = await call(agent, "get_setup", setup_id="Trip")
    line = setup["lines"][0]
    page = await ada.open(f"/gear/setups/{setup['id']}?edit={line['item_id']}")
    page = await ada.submit(form_of(page, "set-line"), quantity="3", classification="worn")
    assert (await call(agent, "get_setup", setup_id="Trip"))["worn_grams"] == 3000
    page = await ada.submit(form_of(page, "add-line"), item="Tentt")
    assert page.response.status_code == 404
    assert 'Did you mean "Tent"?' in page.words
    page = await ada.open(f"/gear/setups/{setup['id']}?edit={line['item_id']}")
    page = await ada.submit(form_of(page, "remove-line"))
    assert "Nothing is packed yet." in page.words
    page = await ada.submit(form_of(page, "rename-setup"), name="Journey")
    page = await ada.submit(form_of(page, "copy-setup"), name="Other")
    assert "Other" in page.words
    page = await ada.submit(form_of(page, "delete-setup"))
    assert page.response.url.path == "/gear"
    assert [each["name"] for each in (await call(agent, "list_setups"))["setups"]] == ["Journey"]


async def test_a_thread_is_researched_and_decided(ada: Browser, agent: Client) -> None:
    item = await call(agent, "create_item", name="Tent", weight="1 kg")
    await call(agent, "create_setup", name="Trip", lines=[{"item_id": item["id"]}])
    thread = await call(agent, "create_thread", name="Lighter", replaces_item_id=item["id"])
    path = f"/gear/threads/{thread['id']}"
    page = await ada.submit(form_of(await ada.open(path), "add-candidate"), name="Duplex", weight="530 g")
    assert "530 g −470 g" in page.words
    page = await ada.submit(form_of(page, "update-candidate"), status="ordered", price="749")
    page = await ada.submit(form_of(page, "resolve-thread"), swap="on", why="Light enough")
    assert page.response.status_code == 200
    assert "Light enough" in page.words
    assert (await call(agent, "get_setup", setup_id="Trip"))["total_grams"] == 530
    assert [form for form in page.forms if form.action.endswith("resolve-thread")] == []


async def test_a_setup_is_shared_by_a_link_that_is_shown_once(
    ada: Browser, agent: Client, site: Site
) -> None:
    item = await call(agent, "create_item", name="Tent", weight="1 kg")
    setup = await call(agent, "create_setup", name="Lapland", lines=[{"item_id": item["id"]}])
    page = await ada.open(f"/gear/setups/{setup['id']}")
    form = form_of(page, "share-setup")
    page = await ada.submit(form, days="366")
    assert page.response.status_code == 400
    assert "must be from 1 to 365" in page.words
    page = await ada.submit(form, days="3", prices="1")
    assert page.response.status_code == 200
    [url] = set(re.findall(r"https://gear\.example/s/[\w-]{22}", page.response.text))
    [share] = (await call(agent, "list_shares"))["shares"]
    assert (share["setup"], share["prices"]) == ("Lapland", True)
    token = url.rpartition("/")[2]
    async with shared(site.pool, hash_of(token) or b"") as conn:
        assert await find(conn)
    # A reload sends the form again.
    page = await ada.submit(form, days="3", prices="1")
    assert "The link was shown once" in page.words
    page = await ada.open(f"/gear/setups/{setup['id']}")
    assert token not in page.response.text
    page = await ada.submit(form_of(page, "end-share", share_id=str(share["id"])))
    assert "Deleted a share of setup" in page.words
    assert (await call(agent, "list_shares"))["shares"] == []
    async with shared(site.pool, hash_of(token) or b"") as conn:
        assert await find(conn) is None


async def test_without_a_server_over_http_a_setup_is_a_file_to_download(
    pool: Pool, agent: Client, user_id: int
) -> None:
    item = await call(agent, "create_item", name="Tent", price_cents=24995, notes="SECRET")
    setup = await call(agent, "create_setup", name="Lapland", lines=[{"item_id": item["id"]}])
    authenticator = OneTimeAddress(Person(id=user_id, username="ada"), 8000)
    app = App(pool, user_id, logged_as="web")
    web = local_pages(app, build_server(app), authenticator, {})
    transport = httpx2.ASGITransport(web, client=("127.0.0.1", 50000))
    async with httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
        browser = Browser(http)
        await browser.open(authenticator.path)
        page = await browser.open(f"/gear/setups/{setup['id']}")
        assert not [form for form in page.forms if form.action == "/gear/do/share-setup"]
        form = next(form for form in page.forms if form.action.endswith("/page"))
        file, priced = await http.get(form.action), await http.get(form.action, params={"prices": "1"})
    assert file.headers["content-disposition"] == 'attachment; filename="setup.html"'
    assert "Tent" in file.text
    assert "SECRET" not in file.text
    assert ("249.95" in file.text, "249.95" in priced.text) == (False, True)


async def test_units_and_currency_are_set(ada: Browser, agent: Client) -> None:
    await call(agent, "create_item", name="Tent", weight="1 kg")
    page = await ada.open("/gear")
    page = await ada.submit(form_of(page, "units"), weight_unit="oz", currency="usd")
    assert "35.3 oz" in page.words
    page = await ada.submit(form_of(page, "units"), weight_unit="oz", currency="dollars")
    assert page.response.status_code == 400
    assert await call(agent, "get_settings") == {"weight_unit": "oz", "currency": "USD"}


@pytest.mark.parametrize("action", sorted(ACTIONS))
async def test_no_form_works_without_the_token_of_this_browser(
    ada: Browser, eve: Browser, agent: Client, action: str
) -> None:
    item = await call(agent, "create_item", name="Tent")
    before = await last(agent)
    token = (await eve.open("/gear/import")).forms[0].fields["token"]
    for wrong in ({}, {"token": ""}, {"token": "0" * 64}, {"token": token}):
        data = {"item_id": str(item["id"]), "change_id": str(before["id"]), "name": "x", **wrong}
        response = await ada.http.post(f"/gear/do/{action}", data=data)
        assert response.status_code == 400
        assert "The page has expired" in response.text
    assert await last(agent) == before


# What these create or change is the user's own.
OF_NO_ROW = {"create-item", "create-category", "create-setup", "create-thread", "units"}


async def test_forms_do_not_reach_the_rows_of_others(ada: Browser, eve: Browser, agent: Client) -> None:
    item = await call(agent, "create_item", name="Tent")
    setup = await call(agent, "create_setup", name="Lapland", lines=[{"item_id": item["id"]}])
    thread = await call(agent, "create_thread", name="Shelter", candidates=[{"name": "Tarp"}])
    candidate = (await call(agent, "get_thread", thread_id=thread["id"]))["candidates"][0]
    page = await ada.open(f"/gear/setups/{setup['id']}")
    await ada.submit(form_of(page, "share-setup"))
    [share] = (await call(agent, "list_shares"))["shares"]
    change = await last(agent)
    ids = {
        "item_id": item["id"],
        "setup_id": setup["id"],
        "thread_id": thread["id"],
        "candidate_id": candidate["id"],
        "share_id": share["id"],
        "change_id": change["id"],
    }
    others = {name: str(value) for name, value in ids.items()}
    others |= {"name": "Mine", "item": "Tent", "quantity": "2", "status": "ordered", "days": "3", "key": "k"}
    form = form_of(await eve.open("/gear/items"), "create-item")
    token = {"token": form.fields["token"], "back": "/gear/changes"}
    for action in sorted(set(ACTIONS) - OF_NO_ROW):
        response = await eve.http.post(f"/gear/do/{action}", data={**others, **token})
        assert response.status_code == 404, action
    # The page of someone else's item is not shown with the refusal either.
    back = {**token, "back": f"/gear/items/{item['id']}"}
    response = await eve.http.post("/gear/do/delete-item", data={**back, "item_id": str(item["id"])})
    assert response.status_code == 404
    assert "Tent" not in response.text
    assert await last(agent) == change


@pytest.mark.parametrize(
    "back", ["https://evil.example/gear", "//evil.example/gear", "/account", "javascript:x", "\\\\x"]
)
async def test_a_form_returns_to_our_own_pages_only(ada: Browser, back: str) -> None:
    form = form_of(await ada.open("/gear/items"), "create-item")
    response = await ada.http.post(form.action, data={**form.fields, "name": "Tarp", "back": back})
    assert response.status_code == 303
    assert response.headers["location"].startswith("/gear?done=")


async def test_a_tool_that_is_turned_off_is_off_here_too(
    visiting: Visiting, user_id: int, agent: Client
) -> None:
    item = await call(agent, "create_item", name="Tent")
    off = dict.fromkeys(("delete_item", "import_csv"), "GEARSHED_EXCLUDE_TOOLS includes it")
    async with visiting(user_id, off=off) as browser:
        page = await browser.open(f"/gear/items/{item['id']}")
        page = await browser.submit(form_of(page, "delete-item"))
        assert page.response.status_code == 403
        assert "delete_item is turned off" in page.words
        response = await send(browser, b"name\nTarp\n")
        assert response.status_code == 403
        assert "import_csv is turned off" in response.text


HEADER = b"Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable\n"
LIST = HEADER + b"Tent,,,1,1200,gram,,0,,\nPole,,,1,,gram,,0,,\n"


async def send(browser: Browser, data: bytes, name: str = "trip.csv", **fields: str) -> httpx2.Response:
    form = next(each for each in (await browser.open("/gear/import")).forms if each.action == "/gear/import")
    fields = {"token": form.fields["token"], **fields}
    return await browser.http.post("/gear/import", data=fields, files={"file": (name, data)})


async def test_a_list_is_checked_first_and_then_imported(ada: Browser, agent: Client) -> None:
    page = Page(await send(ada, LIST))
    assert page.response.status_code == 200
    assert "New items 2" in page.words
    assert "base weight 1,200 g, total 1,200 g, at least: 1 line of unknown weight" in page.words
    assert "not set: stored as unknown" in page.words
    assert (await call(agent, "list_items"))["total"] == 0
    form = page.forms[0]
    assert form.fields["setup_name"] == "trip"
    fields = {**form.fields, "step": "import", "setup_name": "Big trip"}
    parts = {name: (None, value) for name, value in fields.items()}
    response = await ada.http.post("/gear/import", files=parts, follow_redirects=True)
    assert "Big trip" in response.text
    assert (await last(agent))["tool"] == "web"
    assert {each["name"] for each in (await call(agent, "list_items"))["items"]} == {"Tent", "Pole"}
    # Once more: nothing is new. And its undo, from the page.
    page = Page(await send(ada, LIST))
    assert "Already there 2" in page.words
    page = await ada.open("/gear/changes")
    await ada.submit(form_of(page, "undo"))
    assert (await call(agent, "list_items"))["total"] == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"", "empty"), (b"x" * 3_000_001, "exceeds 3 MB"), (b"PK\x03\x04 not a workbook", "")],
)
async def test_a_file_that_cannot_be_read_is_refused(
    ada: Browser, agent: Client, data: bytes, message: str
) -> None:
    response = await send(ada, data)
    assert response.status_code == 400
    assert message in response.text
    assert (await call(agent, "list_items"))["total"] == 0


async def test_an_import_needs_a_token_and_a_file(ada: Browser) -> None:
    response = await ada.http.post("/gear/import", data={"step": "import"}, files={"file": ("x", LIST)})
    assert (response.status_code, "The page has expired" in response.text) == (400, True)
    form = (await ada.open("/gear/import")).forms[0]
    response = await ada.http.post("/gear/import", files={"token": (None, form.fields["token"])})
    assert (response.status_code, "Choose a file first." in response.text) == (400, True)


async def test_changes_are_listed_by_program_with_what_they_did(ada: Browser, agent: Client) -> None:
    item = await call(agent, "create_item", name="Tent")
    page = await ada.open(f"/gear/items/{item['id']}")
    await ada.submit(form_of(page, "update-item"), weight="2 kg")
    page = await ada.open("/gear/changes?program=Firefox+on+Linux")
    assert 'Created item "Tent"' not in page.words
    change = await last(agent)
    page = await ada.open(f"/gear/changes?show={change['id']}")
    assert "weight_grams 2000" in page.words
