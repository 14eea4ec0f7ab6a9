"""Who wrote, who signed in and who was refused: one line each, whatever the names in it contain."""

import json
import logging
from collections.abc import Mapping

logger = logging.getLogger("gearshed.audit")


def note(event: str, **about: object) -> None:
    """Log *event* and what it is about."""
    logger.info(line(event, about))


def warn(event: str, **about: object) -> None:
    """Log an *event* that somebody should look into."""
    logger.warning(line(event, about))


def line(event: str, about: Mapping[str, object]) -> str:
    """As JSON, no name can end the line or look like another field."""
    return f"{event} {' '.join(f'{name}={json.dumps(value)}' for name, value in about.items())}"
