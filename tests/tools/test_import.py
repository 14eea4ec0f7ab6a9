"""import_csv as a client calls it: totals before anything is stored, and text from any system."""

import unicodedata

from mcp import Client

from tests.calls import call, refused

LIST = "Item Name,qty,weight,unit,worn\nTent,1,1200,gram,\nJacket,1,300,gram,Worn\nMug,1,0,gram,\n"


async def test_a_dry_run_gives_the_totals_that_the_import_then_has(client: Client) -> None:
    seen = await call(client, "import_csv", csv_text=LIST, setup_name="Trip", dry_run=True)
    assert "setup_id" not in seen
    assert (seen["setup_name"], seen["items"]) == ("Trip", 3)
    totals = {
        "items": 3,
        "total_grams": 1500,
        "base_grams": 1200,
        "worn_grams": 300,
        "consumable_grams": 0,
        "pack_grams": 1200,
        "unweighed": 1,
    }
    assert seen["setup_totals"] == totals
    done = await call(client, "import_csv", csv_text=LIST, setup_name="Trip")
    assert done["setup_totals"] == totals
    found = await call(client, "get_setup", setup_id=done["setup_id"])
    assert {name: found[name] for name in totals} == totals
    again = await call(client, "import_csv", csv_text=LIST, setup_name="Trip", dry_run=True)
    assert (again["setup_id"], again["unchanged"]) == (done["setup_id"], 3)


async def test_arguments_are_stored_and_found_in_one_form_of_unicode(client: Client) -> None:
    nfc, nfd = (unicodedata.normalize(form, "Kläder") for form in ("NFC", "NFD"))
    assert nfc != nfd
    await call(client, "create_category", name=nfd)
    await call(client, "create_items", items=[{"name": nfd, "category": nfd, "notes": f"Större {nfd}"}])
    found = await call(client, "list_items", category=nfc, query=nfd)
    assert [row["name"] for row in found["items"]] == [nfc]
    assert (await call(client, "get_item", item_id=found["items"][0]["id"]))["notes"].endswith(nfc)
    assert "already" in await refused(client, "create_category", name=nfc.lower())
