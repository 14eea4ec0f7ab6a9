"""Who wrote, who signed in and who was refused: one line each, whatever the names in it contain."""

import json
import logging

logger = logging.getLogger("gearshed.audit")


def note(event: str, **about: object) -> None:
    """Log *event* and what it is about. As JSON, no name can end the line or look like another field."""
    logger.info("%s %s", event, " ".join(f"{name}={json.dumps(value)}" for name, value in about.items()))
