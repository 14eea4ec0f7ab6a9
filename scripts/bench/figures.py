"""A figure of the project beside its floor, and how it is printed."""

from typing import Literal, NamedTuple, TypeAlias

Unit: TypeAlias = Literal["ms", "s", "B", "MB", "/s", ""]
ROW = "{:<40} {:>11} {:>11}  {:<19} {:>5}  {:<18} {:>5}"
HEADINGS = ["what", "p50", "floor's p50", "floor", "ratio", "goal", "n"]
HEAD = ROW.format(*HEADINGS)
DECIMALS: dict[Unit, int] = {"ms": 2, "s": 2, "B": 0, "MB": 1, "/s": 0, "": 1}


class Figure(NamedTuple):
    """A median and its floor, both in *unit*.

    The goal is a limit of the ratio or of the value itself, or the smallest ratio of a rate.
    """

    what: str
    value: float
    floor: float
    floor_is: str
    n: int = 1
    unit: Unit = "ms"
    ratio_goal: float | None = None
    value_goal: float | None = None
    least_ratio: float | None = None


def as_row(figure: Figure) -> str:
    return ROW.format(*cells(figure)).rstrip()


def cells(figure: Figure) -> list[str]:
    value, floor = (
        f"{each:,.{DECIMALS[figure.unit]}f} {figure.unit}" for each in (figure.value, figure.floor)
    )
    ratio = f"{figure.value / figure.floor:.2f}"
    return [figure.what, value, floor, figure.floor_is, ratio, goal(figure), str(figure.n)]


def goal(figure: Figure) -> str:
    """Return the goal, and whether it is met; empty without a goal."""
    ratio = figure.value / figure.floor
    if figure.ratio_goal is not None:
        limit, met = f"≤ {figure.ratio_goal:g}", ratio <= figure.ratio_goal
    elif figure.least_ratio is not None:
        limit, met = f"≥ {figure.least_ratio:g}", ratio >= figure.least_ratio
    elif figure.value_goal is not None:
        limit = f"≤ {figure.value_goal:,g} {figure.unit}".rstrip()
        met = figure.value <= figure.value_goal
    else:
        return ""
    return f"{limit}: {'met' if met else 'missed'}"
