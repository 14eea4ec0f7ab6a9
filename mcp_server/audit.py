"""The audit log: writes, sign-ins and refusals, one line each."""

import json
import logging
from collections.abc import Mapping

logger = logging.getLogger("gearshed.audit")


def note(event: str, **about: object) -> None:
    """Log *event* and its details."""
    logger.info(line(event, about))


def warn(event: str, **about: object) -> None:
    """Log an *event* that needs attention."""
    logger.warning(line(event, about))


def line(event: str, about: Mapping[str, object]) -> str:
    """Format an event. Values are JSON, so they cannot contain a line break or imitate another field."""
    return f"{event} {' '.join(f'{name}={json.dumps(value)}' for name, value in about.items())}"
