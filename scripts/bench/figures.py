"""A figure of the project beside its floor, and how it is printed."""

from typing import Literal, NamedTuple, TypeAlias

Unit: TypeAlias = Literal["ms", "s", "B", "MB", "/s"]
ROW = "{:<38} {:>11} {:>11}  {:<19} {:>5}  {:<12} {:>4}"
HEAD = ROW.format("what", "p50", "floor's p50", "floor", "ratio", "goal", "n")
DECIMALS: dict[Unit, int] = {"ms": 2, "s": 2, "B": 0, "MB": 1, "/s": 0}


class Figure(NamedTuple):
    """A median and its floor, both in *unit*. The goal is a limit of the ratio, or of the value itself."""

    what: str
    value: float
    floor: float
    floor_is: str
    n: int = 1
    unit: Unit = "ms"
    ratio_goal: float | None = None
    value_goal: float | None = None


def as_row(figure: Figure) -> str:
    ratio = figure.value / figure.floor
    goal = ""
    if figure.ratio_goal is not None:
        goal = f"{figure.ratio_goal:.2f}: {'met' if ratio <= figure.ratio_goal else 'missed'}"
    elif figure.value_goal is not None:
        goal = f"{figure.value_goal:,.0f}: {'met' if figure.value <= figure.value_goal else 'missed'}"
    value, floor = (
        f"{each:,.{DECIMALS[figure.unit]}f} {figure.unit}" for each in (figure.value, figure.floor)
    )
    return ROW.format(figure.what, value, floor, figure.floor_is, f"{ratio:.2f}", goal, figure.n).rstrip()
