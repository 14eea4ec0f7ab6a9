"""The audit log: writes, sign-ins and refusals, one line each."""

import json
import logging
from collections.abc import Mapping
from time import monotonic

logger = logging.getLogger("gearshed.audit")

MINUTE, MOST_REMEMBERED = 60.0, 1000
LATELY: dict[str, float] = {}


def note(event: str, **about: object) -> None:
    """Log *event* and its details."""
    logger.info(line(event, about), extra={"event": event, "about": about})


def warn(event: str, **about: object) -> None:
    """Log an *event* that needs attention."""
    logger.warning(line(event, about), extra={"event": event, "about": about})


def line(event: str, about: Mapping[str, object]) -> str:
    """Format an event. Values are JSON, so they cannot contain a line break or imitate another field."""
    return f"{event} {' '.join(f'{name}={json.dumps(value)}' for name, value in about.items())}"


def seldom(event: str, **about: object) -> None:
    """Log *event* unless it was logged with the same details within the last minute."""
    text, now = line(event, about), monotonic()
    if now - LATELY.get(text, -MINUTE) < MINUTE:
        return
    LATELY.pop(text, None)
    LATELY[text] = now
    if len(LATELY) > MOST_REMEMBERED:
        del LATELY[next(iter(LATELY))]
    logger.info(text, extra={"event": event, "about": about})
