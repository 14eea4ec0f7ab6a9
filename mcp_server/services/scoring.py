"""Scores of candidates by criteria, in exact fractions. This module knows no SQL.

A value becomes a share from 0 (`worst`) to 1 (`best`), and a score is the mean of the shares, weighted by
importance. An unknown value may be anything, so a score is an interval. Candidates are in the order of what
is certain: first those that meet every limit, by the lower end of their score, the upper end, and their rank.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor
from typing import NamedTuple

ZERO, ONE = Fraction(0), Fraction(1)


@dataclass(frozen=True)
class Criterion:
    """What candidates are judged by. A value beyond its anchors counts as the anchor."""

    name: str
    importance: Fraction
    worst: Fraction
    best: Fraction
    at_least: Fraction | None = None
    at_most: Fraction | None = None

    def share(self, value: Fraction) -> Fraction:
        return min(max((value - self.worst) / (self.best - self.worst), ZERO), ONE)

    def fails(self, value: Fraction | None) -> bool | None:
        """Whether a value breaks a limit. None: it is unknown, and there is a limit."""
        if self.at_least is None and self.at_most is None:
            return False
        if value is None:
            return None
        too_little = self.at_least is not None and value < self.at_least
        return too_little or (self.at_most is not None and value > self.at_most)

    def is_better(self, one: Fraction, other: Fraction) -> bool:
        return one > other if self.best > self.worst else one < other


@dataclass(frozen=True)
class Contender:
    """A candidate, and its values in the order of the criteria. None is unknown.

    With *margins*, each value may be that much smaller or larger.
    """

    id: int
    rank: int
    values: tuple[Fraction | None, ...]
    margins: tuple[Fraction, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A contender, its score from *low* to *high*, the parts of *low*, and the limits that it breaks."""

    contender: Contender
    parts: tuple[Fraction, ...]
    low: Fraction
    high: Fraction
    fails: tuple[str, ...]
    may_fail: tuple[str, ...]
    dominated_by: tuple[int, ...]


class Range(NamedTuple):
    """Importances of a criterion with which the winner stays, and who wins below and beyond them."""

    low: Fraction
    high: Fraction | None
    below: int | None
    beyond: int | None


class Question(NamedTuple):
    """The unknown value that matters most: the candidate and the criterion."""

    candidate_id: int
    criterion: str


def judge(criteria: Sequence[Criterion], contenders: Sequence[Contender]) -> list[Judged]:
    """Return the contenders with their scores, the best one first."""
    judged = [judge_one(criteria, each) for each in contenders]
    passing = [each.contender for each in judged if not each.fails]
    return sorted((with_dominance(criteria, each, passing) for each in judged), key=place)


def place(judged: Judged) -> tuple[bool, Fraction, Fraction, int]:
    return bool(judged.fails), -judged.low, -judged.high, judged.contender.rank


def judge_one(criteria: Sequence[Criterion], contender: Contender) -> Judged:
    whole = sum((each.importance for each in criteria), ZERO)
    pairs = list(zip(criteria, contender.values, strict=True))
    parts = tuple(
        ZERO if value is None else each.importance * each.share(value) / whole for each, value in pairs
    )
    unknown = sum((each.importance for each, value in pairs if value is None), ZERO)
    low = sum(parts, ZERO)
    return Judged(
        contender=contender,
        parts=parts,
        low=low,
        high=low + (unknown / whole if unknown else ZERO),
        fails=tuple(each.name for each, value in pairs if each.fails(value)),
        may_fail=tuple(each.name for each, value in pairs if each.fails(value) is None),
        dominated_by=(),
    )


def with_dominance(criteria: Sequence[Criterion], judged: Judged, passing: Sequence[Contender]) -> Judged:
    by = tuple(each.id for each in passing if dominates(criteria, each, judged.contender))
    return replace(judged, dominated_by=by)


def dominates(criteria: Sequence[Criterion], one: Contender, other: Contender) -> bool:
    """Whether *one* is known to be at least as good in every criterion, and better in one."""
    better = False
    for each, mine, its in zip(criteria, one.values, other.values, strict=True):
        if mine is None or its is None or each.is_better(its, mine):
            return False
        better = better or mine != its
    return better


def is_certain(judged: Sequence[Judged]) -> bool:
    """Whether the winner stays first, however unknown values turn out."""
    winner = judged[0]
    return not winner.may_fail and all(
        (each.high, -each.contender.rank) < (winner.low, -winner.contender.rank)
        for each in judged[1:]
        if not each.fails
    )


def at_worst(criteria: Sequence[Criterion], contenders: Sequence[Contender], winner: int) -> list[Judged]:
    """Return the order in the worst case for the winner within all margins.

    Its values are at their worse ends, and those of the others at the best ends that break no limit.
    """
    found = [
        judge_one(
            criteria,
            replace(
                each,
                values=tuple(
                    None
                    if value is None
                    else (worst_end if each.id == winner else best_end)(by, value, margin)
                    for by, value, margin in zip(criteria, each.values, each.margins, strict=True)
                ),
            ),
        )
        for each in contenders
    ]
    return sorted(found, key=place)


def ends(criterion: Criterion, value: Fraction, margin: Fraction) -> tuple[Fraction, Fraction]:
    """Return the worse and the better end of a value."""
    low, high = value - margin, value + margin
    return (low, high) if criterion.best > criterion.worst else (high, low)


def worst_end(criterion: Criterion, value: Fraction, margin: Fraction) -> Fraction:
    worse, better = ends(criterion, value, margin)
    return better if criterion.fails(better) else worse


def best_end(criterion: Criterion, value: Fraction, margin: Fraction) -> Fraction:
    _, better = ends(criterion, value, margin)
    low, high = value - margin, value + margin
    if criterion.at_least is not None and better < criterion.at_least <= high:
        better = criterion.at_least
    if criterion.at_most is not None and low <= criterion.at_most < better:
        better = criterion.at_most
    return better


def question(criteria: Sequence[Criterion], judged: Sequence[Judged]) -> Question | None:
    """Return the most important unknown value of those that may win."""
    if not judged or judged[0].fails or is_certain(judged):
        return None
    # Those that could be first, or whose place is only by rank.
    rivals = [each for each in judged if not each.fails and each.high >= judged[0].low]
    unknown = [
        (-criterion.importance, at, order, each.contender.id, criterion.name)
        for at, each in enumerate(rivals)
        for order, criterion in enumerate(criteria)
        if each.contender.values[order] is None
    ]
    return Question(*min(unknown)[3:]) if unknown else None


class Line(NamedTuple):
    """A weighted sum as a function of one importance: *start* + importance × *slope*."""

    start: Fraction
    slope: Fraction

    def at(self, importance: Fraction) -> Fraction:
        return self.start + importance * self.slope

    def minus(self, other: "Line") -> "Line":
        return Line(self.start - other.start, self.slope - other.slope)


class Lines(NamedTuple):
    """The ends of a candidate's score, before division by the sum of all importances."""

    id: int
    low: Line
    high: Line
    rank: int

    def place(self, importance: Fraction, towards: int) -> tuple[Fraction, Fraction, Fraction, Fraction, int]:
        """Return its place a little above or below an importance, as it is *towards* 1 or -1."""
        return (
            -self.low.at(importance),
            -self.low.slope * towards,
            -self.high.at(importance),
            -self.high.slope * towards,
            self.rank,
        )


def ranges(criteria: Sequence[Criterion], judged: Sequence[Judged]) -> list[Range]:
    """Return for each criterion the importances with which the winner stays, the others being the same."""
    passing = [each.contender for each in judged if not each.fails]
    return [stays(criteria, at, passing) for at in range(len(criteria))] if passing else []


def stays(criteria: Sequence[Criterion], at: int, passing: Sequence[Contender]) -> Range:
    lines = [to_lines(criteria, at, each) for each in passing]
    winner, others = lines[0], lines[1:]
    now = criteria[at].importance
    high = min((end for each in others if (end := ending(winner, each, now, 1)) is not None), default=None)
    low = max((end for each in others if (end := ending(winner, each, now, -1)) is not None), default=None)
    return Range(
        ZERO if low is None else low,
        high,
        None if low is None else first(lines, low, -1),
        None if high is None else first(lines, high, 1),
    )


def to_lines(criteria: Sequence[Criterion], at: int, contender: Contender) -> Lines:
    low, high = ZERO, ZERO
    slopes = (ZERO, ZERO)
    for order, (each, value) in enumerate(zip(criteria, contender.values, strict=True)):
        ends = (ZERO, ONE) if value is None else (each.share(value),) * 2
        if order == at:
            slopes = ends
        else:
            low, high = low + each.importance * ends[0], high + each.importance * ends[1]
    return Lines(contender.id, Line(low, slopes[0]), Line(high, slopes[1]), contender.rank)


def ending(winner: Lines, other: Lines, now: Fraction, towards: int) -> Fraction | None:
    """Return the importance, from *now* on, beyond which the other candidate is ahead of the winner."""
    for lead in (winner.low.minus(other.low), winner.high.minus(other.high)):
        if lead.slope:
            end = -lead.start / lead.slope
            is_ahead = lead.slope * towards < 0
            return end if is_ahead and end > 0 else None
        if lead.start:
            # Always ahead: the winner is now.
            return None
    return None


def first(lines: Sequence[Lines], importance: Fraction, towards: int) -> int:
    return min(lines, key=lambda each: each.place(importance, towards)).id


def nearest(exact: Fraction) -> int:
    """Round half up."""
    return floor(exact + Fraction(1, 2))


def shown(parts: Sequence[Fraction], scale: int = 10_000) -> list[Fraction]:
    """Round parts of a score so that they add up to the rounded score: by largest remainder."""
    exact = [part * scale for part in parts]
    floors = [int(part) for part in exact]
    missing = nearest(sum(exact, ZERO)) - sum(floors)
    by_rest = sorted(range(len(parts)), key=lambda at: (floors[at] - exact[at], at))
    return [Fraction(floors[at] + (at in by_rest[:missing]), scale) for at in range(len(parts))]
