"""Lines of a spreadsheet that add up others: subtotals of categories, and totals without that word.

A line is a total only if its figures equal the sums of the lines that it would add up. One that looks like a
total without being the sum is in doubt: it may be an item, or a sum that is out of date.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal["heads", "ends", "doubt", "like"]

# Lines that one line may add up, where only its figures show it.
MOST_ADDED = 500
# Of a sum, how much the rounding of its parts may amount to.
MOST_ROUNDING = 0.005
# A line without a name is not an item, so its sum may be less exact.
NAMELESS_ROUNDING = 0.01
# Lines whose figures alone show a total of all of them.
ENOUGH = 3
# A sum that is out of date is not further from the right one than this factor.
FACTOR = 2
FIGURES = ("weight", "price")


class Figure(NamedTuple):
    """A number, and half of its last digit."""

    amount: float
    rounding: float = 0.0


class Entry(NamedTuple):
    """What a line says for sums. `pieces` is None without a quantity.

    A bare line has one text and figures. A line after a break has a blank line or a heading above it.
    """

    number: int
    name: str
    figures: Mapping[str, Figure]
    pieces: float | None = None
    is_bare: bool = True
    after_break: bool = False

    @property
    def counted(self) -> float:
        return 1.0 if self.pieces is None else self.pieces

    @property
    def main(self) -> str | None:
        """The field that shows best whether the line is a sum."""
        fields = [field for field in (*FIGURES, *self.figures) if field in self.figures]
        return fields[0] if fields and self.figures[fields[0]].amount > 0 else None

    def of(self, field: str, *, times: bool) -> float:
        figure = self.figures.get(field, Figure(0.0))
        return figure.amount * (self.counted if times else 1.0)


class Sum(NamedTuple):
    """A line that adds up the lines from `first` to `last`, heads them, or looks as if it did.

    `amount` is what those lines add up to, if that is something else.
    """

    kind: Kind
    first: int
    last: int
    amount: str = ""

    @property
    def lines(self) -> str:
        return f"line {self.first}" if self.first == self.last else f"lines {self.first} to {self.last}"


Found: TypeAlias = dict[int, Sum]


def find_sums(entries: Sequence[Entry]) -> Found:
    """Return the totals among the lines by their numbers, and the lines that look like totals."""
    found = by_two_figures(entries)
    by_shape = of_another_shape(without(entries, found))
    found |= by_figures(without(entries, found)) if by_shape is None else by_shape
    found |= nameless(entries, found)
    totals = [each for each in found.values() if each.kind in ("heads", "ends")]
    if totals:
        found |= of_all(without(entries, found), totals)
    return found


def without(entries: Sequence[Entry], found: Found) -> list[Entry]:
    return [entry for entry in entries if entry.number not in found]


def over(kind: Kind, group: Sequence[Entry], amount: str = "") -> Sum:
    numbers = [entry.number for entry in group]
    return Sum(kind, min(numbers), max(numbers), amount)


def adds_up(entry: Entry, group: Sequence[Entry], most: float | None = None) -> bool:
    """Whether the weight and the price of a line are the sums of a group, or else another of its figures."""
    known = [field for field in FIGURES if field in entry.figures]
    if not group or entry.main is None:
        return False
    if known:
        return all(equals(entry.figures[field], field, group, most) for field in known)
    return any(equals(figure, field, group, most) for field, figure in entry.figures.items())


def equals(figure: Figure, field: str, group: Sequence[Entry], most: float | None) -> bool:
    """Whether a figure is the sum of a group: of one piece of each line, or of all pieces."""
    parts = sum(
        each.figures[field].rounding * max(each.counted, 1) for each in group if field in each.figures
    )
    spare = most * figure.amount if most else min(parts, MOST_ROUNDING * figure.amount)
    return any(
        abs(sum(entry.of(field, times=times) for entry in group) - figure.amount)
        <= spare + figure.rounding + 1e-6
        for times in (True, False)
    )


def amount_of(entry: Entry, group: Sequence[Entry]) -> str:
    """`1256 g`: what a group adds up to in the main figure of a line."""
    total = sum(each.of(entry.main or "", times=True) for each in group)
    if entry.main == "price":
        return f"{total / 100:,.2f}"
    return f"{total:.7g}{' g' if entry.main == 'weight' else ''}"


# --- by shape: all items have something that the totals lack


def of_another_shape(entries: Sequence[Entry]) -> Found | None:
    """Return the totals that look different: without a quantity, or with nothing but a name and figures.

    Return None if the lines do not differ in this way.
    """
    odd = [
        at
        for at, entry in enumerate(entries)
        if entry.is_bare and entry.main and (entry.pieces is None or not entry.name)
    ]
    pieces = [entry.pieces for entry in entries if entry.pieces is not None]
    # Where a single piece is written as 1, a missing quantity means something.
    is_certain = 1 in pieces and len(pieces) >= len(odd)
    items = [entry for at, entry in enumerate(entries) if at not in set(odd)]
    if not odd or not items:
        return None
    proven = proofs(entries, odd, least=1 if is_certain else 2)
    if is_certain:
        return proven | doubts(entries, odd, proven)
    return proven if len(proven) == len(odd) and any(not entry.is_bare for entry in items) else None


def proofs(entries: Sequence[Entry], odd: Sequence[int], least: int) -> Found:
    """Return the lines of another shape that are sums: of the lines below, of those above, or of all."""
    items = without(entries, {entries[at].number: Sum("ends", 0, 0) for at in odd})
    heads, ends, alls = Found(), Found(), Found()
    for at in odd:
        entry = entries[at]
        if group := first_sum(entry, below(entries, odd, at), least):
            heads[entry.number] = over("heads", group)
        if group := first_sum(entry, above(entries, odd, at), least):
            ends[entry.number] = over("ends", group)
        if adds_up(entry, items):
            alls[entry.number] = over("ends", items)
    return alls | (ends | heads if len(heads) >= len(ends) else heads | ends)


def first_sum(entry: Entry, groups: Iterable[Sequence[Entry]], least: int) -> Sequence[Entry] | None:
    return next((group for group in groups if len(group) >= least and adds_up(entry, group)), None)


def below(entries: Sequence[Entry], odd: Sequence[int], at: int) -> list[Sequence[Entry]]:
    """Return the lines that a line may head: up to the next break, and up to the next line of its shape."""
    last = next((other for other in odd if other > at), len(entries))
    stop = next((to for to in range(at + 2, last) if entries[to].after_break), last)
    return [entries[at + 1 : stop], entries[at + 1 : last]]


def above(entries: Sequence[Entry], odd: Sequence[int], at: int) -> list[Sequence[Entry]]:
    """Return the lines that a line may end: from the last break, and from the last line of its shape."""
    first = next((other for other in reversed(odd) if other < at), -1) + 1
    start = next((to for to in range(at - 1, first, -1) if entries[to].after_break), first)
    return [entries[start:at], entries[first:at]]


def doubts(entries: Sequence[Entry], odd: Sequence[int], proven: Found) -> Found:
    """Return the lines that look like totals and are not the sum of the lines below or above them."""
    found = Found()
    for at in odd:
        entry = entries[at]
        groups = [group for group in (*below(entries, odd, at), *above(entries, odd, at)) if group]
        if entry.number in proven or not entry.name or not groups:
            continue
        starts = at == 0 or entry.after_break
        if proven or (starts and is_near(entry, groups[0])):
            found[entry.number] = over("doubt", groups[0], amount_of(entry, groups[0]))
    return found


def is_near(entry: Entry, group: Sequence[Entry]) -> bool:
    """Whether a figure may be the sum of a group at another time."""
    amount, parts = (
        entry.of(entry.main or "", times=False),
        [each.of(entry.main or "", times=True) for each in group],
    )
    return max(parts) <= amount and sum(parts) <= FACTOR * amount and amount <= FACTOR * sum(parts)


# --- by figures: lines that only their figures show to be totals


def by_figures(entries: Sequence[Entry]) -> Found:
    """Return the totals where all lines look alike, if the whole list consists of totals and their lines.

    If half of it does, those totals are in doubt. A single one may be chance, and is only mentioned.
    """
    lines = [entry for entry in entries if entry.name]
    best, covered = Found(), 0
    for found, cover in (
        groups_in(lines, "heads"),
        groups_in(lines[::-1], "ends"),
        groups_below_a_total(lines, "heads"),
        groups_below_a_total(lines[::-1], "ends"),
    ):
        if cover > covered:
            best, covered = found, cover
    if covered == len(lines) and (len(best) > 1 or len(lines) > ENOUGH):
        return best
    is_half = 2 * covered >= len(lines) >= 2 * ENOUGH
    return {number: each._replace(kind="doubt" if is_half else "like") for number, each in best.items()}


def groups_in(ordered: Sequence[Entry], kind: Kind) -> tuple[Found, int]:
    """Return the lines that are the sum of those after them, and how many lines that makes in all."""
    found, cover, at = Found(), 0, 0
    while at < len(ordered):
        group = group_after(ordered, at, by_pieces=False)
        if group:
            found[ordered[at].number] = over(kind, group)
            cover += 1 + len(group)
        at += 1 + len(group)
    return found, cover


def groups_below_a_total(ordered: Sequence[Entry], kind: Kind) -> tuple[Found, int]:
    """Do the same with a list that starts with the total of all its groups."""
    found, cover = groups_in(ordered[1:], kind)
    if found and cover == len(ordered) - 1 and adds_up(ordered[0], without(ordered[1:], found)):
        return {**found, ordered[0].number: over("ends", ordered[1:])}, cover + 1
    return Found(), 0


def group_after(ordered: Sequence[Entry], at: int, *, by_pieces: bool) -> Sequence[Entry]:
    """Return the lines, two at least, whose sum a line is. With *by_pieces*, so is its quantity."""
    entry = ordered[at]
    may_be = (entry.pieces or 0) > 1 if by_pieces else entry.pieces in (None, 1)
    if not entry.is_bare or not may_be or entry.main not in FIGURES:
        return ()
    figure = entry.figures[entry.main]
    most = figure.amount * (1 + MOST_ROUNDING) + figure.rounding
    amount = pieces = 0.0
    for last in range(at + 1, min(len(ordered), at + 1 + MOST_ADDED)):
        amount += ordered[last].of(entry.main, times=False)
        pieces += ordered[last].counted
        if amount > most or (by_pieces and pieces > (entry.pieces or 0)):
            break
        is_sum = not by_pieces or pieces == entry.pieces
        if last > at + 1 and is_sum and adds_up(entry, ordered[at + 1 : last + 1]):
            return ordered[at + 1 : last + 1]
    return ()


def by_two_figures(entries: Sequence[Entry]) -> Found:
    """Return the lines whose quantity and weight or price are both the sums of a group."""
    best = Found()
    orders: tuple[tuple[Kind, Sequence[Entry]], ...] = (("heads", entries), ("ends", entries[::-1]))
    for kind, ordered in orders:
        groups = {at: group_after(ordered, at, by_pieces=True) for at in range(len(ordered))}
        found = {ordered[at].number: over(kind, group) for at, group in groups.items() if group}
        if len(found) > len(best):
            best = found
    return best


# --- lines without a name, and a total of everything


def nameless(entries: Sequence[Entry], found: Found) -> Found:
    """Return the lines without a name that are the sum of all above, or of those since the last total."""
    sums, since, before = Found(), list[Entry](), list[Entry]()
    for entry in entries:
        if entry.number in found or entry.after_break:
            since = []
        if entry.number in found:
            continue
        if entry.name:
            since.append(entry)
            before.append(entry)
        elif group := next((g for g in (since, before) if adds_up(entry, g, NAMELESS_ROUNDING)), None):
            sums[entry.number], since = over("ends", group), []
    return sums


def of_all(rest: Sequence[Entry], totals: Sequence[Sum]) -> Found:
    """Return the first or last line if it is the sum of all others, in a list that has other totals.

    A line that one of those totals adds up is an item, whatever its figures are.
    """
    for at in (0, len(rest) - 1):
        others, number = [*rest[:at], *rest[at + 1 :]], rest[at].number
        if any(total.first <= number <= total.last for total in totals):
            continue
        if len(others) > 1 and rest[at].is_bare and rest[at].pieces is None and adds_up(rest[at], others):
            return {number: over("ends", others)}
    return Found()
