"""Decisions: what candidates are judged by, and how they do."""

import re
from decimal import Decimal
from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, with_config
from typing_extensions import TypedDict

from mcp_server.models.fields import NUMBER, Exact, Grams, Name, Row, SummedGrams
from mcp_server.models.settings import Measured, Weighed

NUMERAL = re.compile(r"-?(\d{1,15}(\.\d{1,9})?|\.\d{1,9})", re.ASCII)


def to_figure(value: Any) -> Decimal:
    """Accept a number, as JSON or as text. It can be negative."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = f"{round(Decimal(repr(value)), 9):f}" if abs(value) < 1e15 else ""
    if isinstance(value, str) and NUMERAL.fullmatch(value.strip()):
        return Decimal(value.strip())
    raise ValueError("must be a number with at most 15 digits and 9 decimals")


def to_optional_figure(value: Any) -> Decimal | None:
    return None if value is None or value == "" else to_figure(value)


def importance(value: Decimal) -> Decimal:
    if not 0 < value < 10**9:
        raise ValueError("must be above 0 and below 1,000,000,000")
    return value


def importance_or_none(value: Decimal) -> Decimal:
    return value if value == 0 else importance(value)


Figure = Annotated[Decimal, BeforeValidator(to_figure), NUMBER]
OptionalFigure = Annotated[Decimal | None, BeforeValidator(to_optional_figure), NUMBER]


@with_config(ConfigDict(extra="forbid"))
class NewCriterion(TypedDict):
    name: Name
    importance: Annotated[Figure, AfterValidator(importance)]
    worst: Figure
    best: Figure
    at_least: NotRequired[OptionalFigure]
    at_most: NotRequired[OptionalFigure]


def different(criterion: NewCriterion) -> NewCriterion:
    if criterion["worst"] == criterion["best"]:
        raise ValueError("worst and best must differ")
    return criterion


@with_config(ConfigDict(extra="forbid"))
class NewValue(TypedDict):
    name: Name
    value: OptionalFigure


@with_config(ConfigDict(extra="forbid"))
class Importance(TypedDict):
    name: Name
    importance: Annotated[Figure, AfterValidator(importance_or_none)]


Criteria = Annotated[
    list[Annotated[NewCriterion, AfterValidator(different)]] | None, Field(min_length=1, max_length=20)
]
DescribedCriteria = Annotated[
    Criteria,
    Field(description="All. worst scores 0, best 1; at_least, at_most: musts. weight in g, price in cents"),
]
Values = Annotated[list[NewValue] | None, Field(max_length=20, description="By criterion; null clears")]
Importances = Annotated[list[Importance], Field(max_length=20, description="Instead of stored; 0 ignores")]


class JudgedBy(Row):
    """A criterion. The winner stays the same if its importance is from `stays_from` to `stays_to`.

    Below and beyond, the candidates `below` and `beyond` win. Absent: the winner stays, however small or
    large it is.
    """

    name: str
    importance: Exact
    worst: Exact
    best: Exact
    at_least: Exact | None = None
    at_most: Exact | None = None
    stays_from: Exact | None = None
    below: int | None = None
    stays_to: Exact | None = None
    beyond: int | None = None


class JudgedCandidate(Row):
    """A candidate, the best one first. `score` is from 0 to 1, and the `parts` of the criteria add up to it.

    With unknown values, the score is at most `score_to`. Those that break a limit come last.
    """

    id: int
    name: str
    score: Exact
    score_to: Exact | None = None
    parts: dict[str, Exact] = Field(default_factory=dict)
    fails: tuple[str, ...] = ()
    may_fail: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    dominated_by: tuple[int, ...] = ()


class SetupEffect(Weighed):
    """What the winner changes in a setup that holds the replaced item. Absent figures are unknown."""

    setup_id: int
    name: str
    pieces: int
    saves_grams: SummedGrams | None = None
    saves_base_grams: SummedGrams | None = None
    outlay_cents: int | None = None
    cents_per_gram: Exact | None = None


class Ask(Row):
    """The unknown value to find out next: it matters most for who wins."""

    candidate_id: int
    criterion: str


class Judgement(Measured):
    """A thread's candidates in order, with the reasons.

    `certain`: the winner stays first, however unknown values turn out. If weights have margins,
    `holds_at_worst` says whether it stays first within them in the worst case. `not_judged` names weight or
    price if neither a criterion nor the replaced item says what is good.
    """

    thread_id: int
    name: str
    winner_id: int | None = None
    certain: bool = False
    holds_at_worst: bool | None = None
    find_out: Ask | None = None
    not_judged: tuple[str, ...] = ()
    other_currency: tuple[int, ...] = ()
    setups_left_out: int = 0
    candidates_left_out: int = 0
    criteria: tuple[JudgedBy, ...] = ()
    setups: tuple[SetupEffect, ...] = ()
    candidates: list[JudgedCandidate]


class Considered(Weighed):
    """A candidate as it was when the thread was decided."""

    id: int
    name: str
    rank: int
    score: Exact | None = None
    fails: tuple[str, ...] = ()
    weight_grams: Grams | None = None
    weight_margin_grams: Grams | None = None
    price_cents: int | None = None
    price_currency: str | None = None


class Decision(Row):
    """The record of a decision: the reason, and the candidates, winner first, with their prices then."""

    why: str | None = None
    candidates: tuple[Considered, ...] = ()
    candidates_left_out: int = 0
