"""A person weighs their gear, corrects the list in LighterPack, and has it imported again."""

from mcp import Client

from mcp_server.models.csv import Verdict
from tests.calls import call

LIST = """Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable
Tent,Shelter,,1,1200,gram,,380,,
Quilt,Sleep,,1,476,gram,,310,,
Mat,Sleep,,1,0,gram,,,,
Jacket,Clothes,,1,320,gram,,,Worn,
Gas,Kitchen,,1,230,gram,,,,Consumable
"""
WEIGHED = (
    LIST.replace("476", "490").replace("Mat,Sleep,,1,0,", "Mat,Sleep,,1,352.5,").replace("Tent,", "TENT,")
    + "Sit mat,Sleep,,1,18,gram,,,,\nTents,Shelter,,1,5,gram,,,,\n"
)


def verdicts_of(result: dict[str, list[dict[str, str]]]) -> set[tuple[str, str, str]]:
    found = [Verdict.model_validate(verdict) for verdict in result["verdicts"]]
    return {(verdict.item or "", verdict.verdict, verdict.note) for verdict in found}


async def test_a_corrected_list_changes_what_it_is_about_and_nothing_is_doubled(client: Client) -> None:
    first = await call(client, "import_csv", csv_text=LIST, setup_name="Autumn")
    assert (first["items"], first["setup_totals"]["base_grams"]) == (5, 1676)
    tent = (await call(client, "list_items", query="tent"))["items"][0]["id"]

    arguments = {"csv_text": WEIGHED, "setup_name": "Autumn", "update_existing": True}
    seen = await call(client, "import_csv", **arguments, dry_run=True)
    assert verdicts_of(seen) == {
        ("Tent", "changed", "name Tent → TENT"),
        ("Quilt", "changed", "weight 476 → 490 g"),
        ("Mat", "filled", "weight unknown → 352.5 g"),
        ("Tents", "similar", f'like item {tent}, "Tent"'),
    }
    assert seen["setup_totals"]["base_grams"] == 2065.5
    assert (await call(client, "get_totals"))["items"] == 5

    done = await call(client, "import_csv", **arguments)
    assert (done["items"], done["changed"], done["filled"], done["setup_totals"]) == (
        2,
        2,
        1,
        seen["setup_totals"],
    )
    assert (await call(client, "get_totals"))["items"] == 7
    await call(client, "undo_change", change_id=done["change_id"])
    again = await call(client, "import_csv", csv_text=LIST, setup_name="Autumn")
    assert (again["unchanged"], again["setup_totals"]) == (5, first["setup_totals"])
