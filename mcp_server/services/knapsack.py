"""The best choice of at most one option from each group within a budget, exactly. This module knows no SQL.

This is the multiple-choice knapsack problem. States are sums of outlay and profit, and each group extends
them. A state is dropped if another one has at least its profit for at most its outlay, or if even fractions
of the remaining options could not make it as good as a plan that is known to exist.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeAlias

# States that are kept after a group. Of more, those with the lowest bounds are dropped: see `Plan.at_most`.
MOST_STATES = 1000
# States that the plans of one solver extend. After that, few are kept. With these, 40 groups of 8 options
# take a third of a second, however alike their sums are.
MOST_WORK, FEW_STATES = 30_000, 8
# States of a front that is computed as a whole.
MOST_IN_FRONT = 400
# Plans that a front shows.
MOST_POINTS = 20


class Option(NamedTuple):
    """What can be chosen in a group: its outlay, what it is worth, and its rank."""

    outlay: int
    worth: int
    rank: int = 1


@dataclass(frozen=True)
class Plan:
    """The number of the chosen option in each group, or None. No plan is worth more than *at_most*."""

    chosen: tuple[int | None, ...]
    outlay: int
    worth: int
    at_most: int

    @property
    def exact(self) -> bool:
        """Whether no better plan exists."""
        return self.at_most == self.worth


Groups: TypeAlias = Sequence[Sequence[Option]]
# The options chosen so far, the last one first: its group, its number, and those before it.
Link: TypeAlias = "tuple[int, int, Link] | None"
# Outlay, profit and options.
State: TypeAlias = tuple[int, int, Link]


class Gain(NamedTuple):
    """An option with its profit: one number in which worth counts most, then outlay, count and ranks."""

    outlay: int
    profit: int
    number: int


class Step(NamedTuple):
    """From one option of a group to the next one on the upper hull of the group."""

    group: int
    outlay: int
    profit: int


class Bound:
    """What the remaining options can add to a state."""

    def __init__(self, steps: Sequence[Step]) -> None:
        self._steps = steps
        self._outlays = [0, *accumulate(step.outlay for step in steps)]
        self._profits = [0, *accumulate(step.profit for step in steps)]

    def of(self, left: int) -> tuple[int, int]:
        """Return what whole options add for the outlay that is *left*, and the most that fractions add."""
        at = bisect_right(self._outlays, left) - 1
        least = self._profits[at]
        if at == len(self._steps):
            return least, least
        step = self._steps[at]
        return least, least + (left - self._outlays[at]) * step.profit // step.outlay


class Solver:
    """Plans that are worth most, then have the least outlay, the fewest options and the best ranks.

    If *by_worth*, the outlay does not count on its own, because the worth of an option includes it.
    """

    def __init__(self, groups: Groups, *, by_worth: bool = False) -> None:
        self._groups = groups
        self._unit, self._gains = gains(groups, by_worth=by_worth)
        self._work = 0

    def best(self, budget: int) -> Plan:
        """Return the best plan for a budget."""
        kept = [useful(group, budget) for group in self._gains]
        order = sorted((at for at, group in enumerate(kept) if group), key=lambda at: -len(kept[at]))
        steps = sorted((step for at in order for step in hull(at, kept[at])), key=efficiency)
        states: list[State] = [(0, 0, None)]
        best = dropped = 0
        for place, at in enumerate(order, start=1):
            rest = set(order[place:])
            bound = Bound([step for step in steps if step.group in rest])
            states = extended(states, at, kept[at], budget)
            self._work += len(states)
            states, best = promising(states, bound, budget, best)
            states, lost = self._fewer(states, bound, budget)
            dropped = max(dropped, lost)
        profit, link = max(((state[1], state[2]) for state in states), key=lambda found: found[0])
        return self._plan(link, max(profit, dropped))

    def front(self, top: Plan) -> tuple[list[Plan], bool]:
        """Return plans up to the best one, *top*, by outlay, and whether these are all.

        None is worth less than a cheaper one. Of too many, they are the best for evenly spaced budgets.
        """
        every = self._all(top.outlay)
        if every is not None and len(every) <= MOST_POINTS:
            return every, True
        budgets = [top.outlay * part // MOST_POINTS for part in range(1, MOST_POINTS)]
        if every:
            outlays = [plan.outlay for plan in every]
            found = [every[at - 1] for left in budgets if (at := bisect_right(outlays, left))]
        else:
            found = [plan for left in budgets if (plan := self.best(left)).worth]
        spread = {plan.outlay: plan for plan in (*found, top) if plan.worth}
        return [spread[outlay] for outlay in sorted(spread)], False

    def _all(self, budget: int) -> list[Plan] | None:
        """Return all plans that no cheaper one equals, without the empty one. None: there are too many."""
        states: list[State] = [(0, 0, None)]
        for at, group in enumerate(self._gains):
            states = rising(extended(states, at, useful(group, budget), budget))
            if len(states) > MOST_IN_FRONT:
                return None
        return [self._plan(link, profit) for _, profit, link in states if link]

    def _fewer(self, states: list[State], bound: Bound, budget: int) -> tuple[list[State], int]:
        """Drop the least promising of too many states. Return the others, and the most that was dropped."""
        most = MOST_STATES if self._work < MOST_WORK else FEW_STATES
        if len(states) <= most:
            return states, 0
        bounds = [bound.of(budget - outlay) for outlay, _, _ in states]
        reach = sorted((states[at][1] + bounds[at][1], at) for at in range(len(states)))
        # The state that leads to the best plan that is known stays.
        safe = max(range(len(states)), key=lambda at: states[at][1] + bounds[at][0])
        kept = {safe, *(at for _, at in reach[-most:])}
        return [states[at] for at in sorted(kept)], reach[-most - 1][0]

    def _plan(self, link: Link, at_most: int) -> Plan:
        chosen: list[int | None] = [None] * len(self._groups)
        outlay = worth = 0
        while link is not None:
            at, number, link = link
            chosen[at] = number
            outlay += self._groups[at][number].outlay
            worth += self._groups[at][number].worth
        # Half a unit is more than everything that counts less than worth.
        return Plan(tuple(chosen), outlay, worth, max(worth, (at_most + self._unit // 2) // self._unit))


def gains(groups: Groups, *, by_worth: bool) -> tuple[int, list[list[Gain]]]:
    """Return the profit of a worth of 1, and each option with its profit. Every plan has a different one."""
    base = max((len(group) for group in groups), default=0) + 1
    parts = [
        [
            (
                option.worth,
                0 if by_worth else -option.outlay,
                -1,
                -option.rank,
                (base - number) * base ** (len(groups) - 1 - at),
            )
            for number, option in enumerate(group)
        ]
        for at, group in enumerate(groups)
    ]
    units = cumulative(parts)
    found = [
        [
            Gain(
                groups[at][number].outlay,
                sum(unit * part for unit, part in zip(units, option, strict=True)),
                number,
            )
            for number, option in enumerate(group)
        ]
        for at, group in enumerate(parts)
    ]
    return units[0], found


def cumulative(parts: Sequence[Sequence[Sequence[int]]]) -> list[int]:
    """Return what 1 of each part counts, so that it exceeds twice the sum of all later parts."""
    units = [1]
    below = 0
    for part in (4, 3, 2, 1):
        below += units[0] * sum(max((abs(option[part]) for option in group), default=0) for group in parts)
        units.insert(0, 2 * below + 1)
    return units


def useful(group: Iterable[Gain], budget: int) -> list[Gain]:
    """Return the options within the budget that no cheaper one exceeds, by outlay."""
    found: list[Gain] = []
    for gain in sorted(group, key=lambda gain: (gain.outlay, -gain.profit)):
        if gain.outlay <= budget and gain.profit > (found[-1].profit if found else 0):
            found.append(gain)
    return found


def hull(at: int, group: Iterable[Gain]) -> list[Step]:
    """Return the steps along the upper hull of a group's options, the most profitable per outlay first."""
    corners = [(0, 0)]
    for gain in group:
        while len(corners) > 1 and turns_up(corners[-2], corners[-1], (gain.outlay, gain.profit)):
            corners.pop()
        corners.append((gain.outlay, gain.profit))
    return [
        Step(at, outlay - before, profit - less) for (before, less), (outlay, profit) in pairwise(corners)
    ]


def turns_up(first: tuple[int, int], second: tuple[int, int], third: tuple[int, int]) -> bool:
    """Whether the second point is not above the line from the first to the third."""
    return (second[1] - first[1]) * (third[0] - first[0]) <= (third[1] - first[1]) * (second[0] - first[0])


def efficiency(step: Step) -> tuple[bool, Fraction]:
    """The order of steps: those without an outlay, then by profit per outlay."""
    return step.outlay > 0, Fraction(-step.profit, step.outlay or 1)


def extended(states: Sequence[State], at: int, group: Iterable[Gain], budget: int) -> list[State]:
    """Return the states with and without each option of a group, by outlay, the highest profit first."""
    found = list(states)
    for outlay, profit, number in group:
        found += [
            (spent + outlay, gained + profit, (at, number, link))
            for spent, gained, link in states
            if spent + outlay <= budget
        ]
    found.sort(key=lambda state: (state[0], -state[1]))
    return found


def promising(states: Iterable[State], bound: Bound, budget: int, best: int) -> tuple[list[State], int]:
    """Return the states that may lead to the best plan, and the profit of the best plan that is known."""
    kept: list[State] = []
    for state in rising(states):
        least, most = bound.of(budget - state[0])
        if state[1] + most >= best:
            best = max(best, state[1] + least)
            kept.append(state)
    return kept, best


def rising(states: Iterable[State]) -> list[State]:
    """Return the states that have a higher profit than all cheaper ones."""
    kept: list[State] = []
    highest = -1
    for state in states:
        if state[1] > highest:
            highest = state[1]
            kept.append(state)
    return kept
