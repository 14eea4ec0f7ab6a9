"""One real call of every tool, in an order in which each finds what earlier ones created."""

from typing import Any

CSV = """\
Item Name,Category,desc,qty,weight,unit,url,price,worn,consumable
Rain jacket,Clothes,,1,6.3,ounce,,249.95,Worn,
Titanium pot,Kitchen,750 ml,1,103,gram,https://example.com/pot,45,,
Gas,Kitchen,,1,220,gram,,,,Consumable
"""
# An image of one pixel.
DOT = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"

# Ids count from 1 in each table.
EXAMPLES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("import_csv", {"csv_text": CSV, "setup_name": "Weekend"}),
    ("create_category", {"name": "Shelter", "icon": "tent"}),
    (
        "create_item",
        {"name": "Two-person tent", "category": "Shelter", "weight": "2 lb 8 oz", "price_cents": 38000},
    ),
    (
        "create_items",
        {
            "items": [
                {"name": "Quilt", "weight": "595 g", "price_cents": 31000},
                {"name": "Stakes", "category": "Shelter", "weight": "9.4 g", "quantity": 8},
                {"name": "Map"},
            ]
        },
    ),
    ("update_item", {"item_id": 6, "changes": {"quantity": 6, "notes": "6 are enough"}}),
    (
        "update_items",
        {
            "updates": [
                {"item": "Map", "changes": {"weight": "61 g", "notes_append": "weighed"}},
                {"item": "Quilt", "changes": {"weight": "590 g"}},
            ],
            "dry_run": True,
        },
    ),
    ("update_items", {"item_ids": [5, 7], "changes": {"category": "Shelter"}}),
    ("update_category", {"category_id": 3, "changes": {"name": "Sleep & shelter"}}),
    ("list_categories", {}),
    (
        "create_setup",
        {"name": "Lapland", "lines": [{"item_id": 4}, {"item_id": 6, "quantity": 6}, {"item_id": 5}]},
    ),
    (
        "set_setup_items",
        {
            "setup_id": 2,
            "change": [
                {"item_id": 1, "classification": "worn"},
                {"item_id": 3, "classification": "consumable"},
            ],
        },
    ),
    ("get_setup", {"setup_id": 2}),
    (
        "what_if",
        {
            "setup": "Lapland",
            "remove": [3],
            "swap": [{"old_item_id": 4, "name": "Tarp", "weight": "300 g", "price_cents": 19000}],
        },
    ),
    (
        "create_thread",
        {
            "name": "A lighter tent",
            "category": "sleep & shelter",
            "replaces_item_id": 4,
            "candidates": [
                {"name": "Trekking-pole tent", "weight": "795 g", "price_cents": 25000, "pros": "roomy"},
                {"name": "Tarp", "weight": "300 g", "price_cents": 19000, "cons": "no mesh"},
            ],
        },
    ),
    ("add_candidate", {"thread_id": 1, "name": "Rumour", "price_cents": 90000}),
    (
        "update_thread",
        {
            "thread_id": 1,
            "changes": {
                "criteria": [{"name": "comfort", "importance": 2, "worst": 0, "best": 10, "at_least": 3}]
            },
        },
    ),
    (
        "update_candidate",
        {"candidate_id": 1, "changes": {"status": "ordered", "values": [{"name": "comfort", "value": 7}]}},
    ),
    (
        "update_candidate",
        {"candidate_id": 2, "changes": {"values": [{"name": "comfort", "value": 4}]}},
    ),
    ("remove_candidate", {"candidate_id": 3}),
    ("rank_candidates", {"thread_id": 1, "candidate_ids": [2, 1]}),
    ("get_thread", {"thread_id": 1}),
    ("preview_candidate", {"candidate_id": 2}),
    ("decide_thread", {"thread_id": 1}),
    ("plan_purchases", {"budget_cents": 40000}),
    ("copy_setup", {"setup_id": 2, "name": "Lapland, lighter"}),
    (
        "resolve_thread",
        {
            "thread_id": 1,
            "candidate_id": 2,
            "swap_in_setups": ["Lapland, lighter"],
            "why": "It saves most for its price.",
        },
    ),
    ("compare_setups", {"setup_id": 2, "other_setup_id": 3}),
    ("list_threads", {}),
    ("update_settings", {"changes": {"weight_unit": "oz", "currency": "EUR"}}),
    ("get_settings", {}),
    ("get_item", {"item_id": 8}),
    ("list_items", {"query": "ten", "sort": "-weight"}),
    ("export_csv", {"setup": "Weekend", "format": "lighterpack"}),
    ("get_totals", {}),
    ("show_chart", {"setup": "Weekend"}),
    ("upload_image", {"data": DOT, "item_id": 1}),
    # A refusal, because the documentation is generated without a network.
    ("upload_image_from_url", {"url": "http://169.254.169.254/latest/tent.jpg", "item_id": 1}),
    ("create_upload_link", {"setup_name": "Weekend"}),
    ("share_setup", {"setup": "Weekend"}),
    ("list_shares", {}),
    ("end_share", {"share_id": 1}),
    ("get_image", {"image_id": 1}),
    ("remove_image", {"item_id": 1}),
    ("update_setup", {"setup_id": 1, "changes": {"name": "Day trip"}}),
    ("list_setups", {}),
    ("merge_items", {"keep": "Map", "items": ["Gas"], "pieces": "keep", "dry_run": True}),
    ("delete_setup", {"setup_id": 1}),
    ("update_thread", {"thread_id": 1, "changes": {"name": "Tent, 2026"}}),
    ("delete_thread", {"thread_id": 1}),
    ("delete_item", {"item_id": 4}),
    ("delete_category", {"category_id": 2, "move_to": "Clothes"}),
    ("undo_change", {"change_id": 32}),
    ("undo_changes", {"last": 2, "dry_run": True}),
    ("list_changes", {"limit": 5}),
    ("get_change", {"change_id": 32}),
)
