"""The verdicts on the lines of a list: how many there are of each kind, and the first of each."""

from collections import Counter
from dataclasses import dataclass, field

from mcp_server.formats.line import RefusedLine
from mcp_server.models.csv import Verdict

# Verdicts of one kind that are reported. The limit is for each kind, so that many remarks hide no refusal.
MOST_VERDICTS = 50


@dataclass
class Verdicts:
    """The first verdicts of each kind, and counts of all lines."""

    shown: list[Verdict] = field(default_factory=list[Verdict])
    kinds: Counter[str] = field(default_factory=Counter[str])
    left_out: int = 0
    taken: int = 0
    refused: int = 0
    skipped: int = 0

    def add(self, verdict: Verdict) -> None:
        self.kinds[verdict.verdict] += 1
        if self.kinds[verdict.verdict] <= MOST_VERDICTS:
            self.shown.append(verdict)
        else:
            self.left_out += 1

    def refuse(self, refused: RefusedLine) -> None:
        self.skipped += refused.skipped
        self.refused += not refused.skipped
        for column, value, reason in refused.problems:
            self.add(
                Verdict(
                    line=refused.number,
                    item=refused.name or None,
                    verdict="skipped" if refused.skipped else "refused",
                    column=column or None,
                    value=value or None,
                    note=reason,
                )
            )
