"""Times as a person gives them: a date, a time, a day by its name, or how long ago."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from mcp_server.models.fields import STRING, none_if_blank

AGO = re.compile(r"(\d{1,5}) ?([hd])", re.ASCII)
DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DAYS = {"today": 0, "yesterday": 1}
EXAMPLES = "write a date or time like 2026-07-01 or 2026-07-01T18:30Z, today, yesterday, 2h or 3d (ago)"


def to_period(value: Any) -> tuple[datetime, datetime] | None:
    """Return the first moment of what *value* names and the first one after it, in UTC.

    A date or the name of a day is the whole day, a time is its second, and `2h` is a moment. Without a zone,
    times and days are in UTC.
    """
    if none_if_blank(value) is None:
        return None
    if not isinstance(value, str):
        raise ValueError(EXAMPLES)
    text = value.strip().lower()
    now = datetime.now(UTC)
    try:
        if ago := AGO.fullmatch(text):
            moment = now - int(ago[1]) * timedelta(**{{"h": "hours", "d": "days"}[ago[2]]: 1})
            return moment, moment
        if text in DAYS:
            text = f"{now - timedelta(days=DAYS[text]):%Y-%m-%d}"
        if not DATE.match(text):
            raise ValueError
        moment = datetime.fromisoformat(text.upper())
        start = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        return start, start + (timedelta(days=1) if DATE.fullmatch(text) else timedelta(seconds=1))
    except (ValueError, OverflowError):
        raise ValueError(EXAMPLES) from None


def to_start(value: Any) -> datetime | None:
    period = to_period(value)
    return period and period[0]


def to_end(value: Any) -> datetime | None:
    period = to_period(value)
    return period and period[1]


Since = Annotated[
    datetime | None,
    BeforeValidator(to_start),
    STRING,
    Field(description="ISO date or time (UTC), today, yesterday, or ago: 2h, 3d"),
]
# Exclusive: the first moment after the day or the second.
Until = Annotated[datetime | None, BeforeValidator(to_end), STRING, Field(description="Inclusive")]
