"""Models as services return them, without a database."""

from decimal import Decimal
from typing import Any

from mcp_server.models.candidate import CandidateCompared
from mcp_server.models.settings import Units
from mcp_server.models.setup import CategoryShare, SetupLine, SetupShown
from mcp_server.models.thread import Replaced, ThreadShown

GRAMS = Units(weight_unit="g", currency="EUR")


def line(item_id: int, name: str, category: str | None, grams: float | None, **fields: Any) -> SetupLine:
    return SetupLine(item_id=item_id, name=name, category=category, weight_grams=grams, **fields)


def setup(units: Units = GRAMS, **fields: Any) -> SetupShown:
    """A setup of three categories: 1,600 g known, 1,000 g of them base, and pegs of unknown weight."""
    given: dict[str, Any] = {
        "id": 1,
        "name": "Weekend",
        "items": 5,
        "total_grams": Decimal(1600),
        "base_grams": Decimal(1000),
        "worn_grams": Decimal(200),
        "consumable_grams": Decimal(400),
        "pack_grams": Decimal(1400),
        "price_cents": Decimal(45000),
        "unweighed": 1,
        "unpriced": 3,
        "by_category": [
            CategoryShare(category="Shelter", items=2, weight_grams=Decimal(1000), unweighed=1),
            CategoryShare(category="Food", items=1, weight_grams=Decimal(400)),
            CategoryShare(items=2, weight_grams=Decimal(200)),
        ],
        "lines": [
            line(1, "Pegs", "Shelter", None),
            line(2, "Tent", "Shelter", 1000, price_cents=40000),
            line(3, "Bars", "Food", 50, quantity=8, classification="consumable", line_grams=Decimal(400)),
            line(4, "Hat", None, 80, classification="worn", price_cents=5000),
            line(5, "Gloves", None, 120, classification="worn"),
        ],
        "units": units,
    }
    return SetupShown(**{**given, **fields})


def thread(units: Units = GRAMS, **fields: Any) -> ThreadShown:
    """A thread with two candidates for a tent of 1,000 g; the weight of the second one is unknown."""
    given: dict[str, Any] = {
        "id": 1,
        "name": "Tent",
        "status": "active",
        "replaces": Replaced(item_id=2, name="Old tent", weight_grams=1000, price_cents=40000),
        "candidates": [
            CandidateCompared(rank=1, id=1, name="Tarp", weight_grams=500, price_cents=20000),
            CandidateCompared(rank=2, id=2, name="Dome", price_cents=60000, price_currency="USD"),
        ],
        "units": units,
    }
    return ThreadShown(**{**given, **fields})
