"""The types of values in rows, arguments and results, and their validation."""

import base64
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Self, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

# In bytes.
MOST_NOTES = 65536
WHOLE = re.compile(r"-?\d{1,1000}", re.ASCII)


class Row(BaseModel):
    """A row from the database, or a part of a result: frozen, without extra fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_store(self) -> Self:
        """Return what is stored for retries: the result, without what is shown only once."""
        return self


def nothing() -> Any:
    """Return None where the type has none."""


# The id of a row that the call creates. The result of a dry run is a copy without it.
NOT_IN_A_DRY_RUN: Any = Field(default_factory=nothing)
# A field that only some calls of a tool return.
NOT_GIVEN: Any = Field(default_factory=nothing)


def nfc(text: str) -> str:
    """Return *text* in Unicode's form NFC. macOS writes file names in NFD, in which `ä` is two characters."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def all_nfc(value: Any) -> Any:
    """Return a JSON value with all of its texts in NFC."""
    if isinstance(value, str):
        return nfc(value)
    if isinstance(value, list):
        return [all_nfc(inner) for inner in cast(list[Any], value)]
    if isinstance(value, dict):
        return {key: all_nfc(inner) for key, inner in cast(dict[str, Any], value).items()}
    return value


def to_whole(value: Any) -> Any:
    """Accept a whole number as a JSON number or as text. Refuse true, 1.5 and "1_000"."""
    if isinstance(value, str) and WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise ValueError("must be a whole number")


def to_id(value: Any) -> int:
    """Accept any whole number. One outside the range of bigint becomes an id that no row has."""
    return max(-(2**63), min(to_whole(value), 2**63 - 1))


def whole_between(low: int, high: int) -> Callable[[Any], int | None]:
    def check(value: Any) -> int | None:
        if value is None or value == "":
            return None
        number = to_whole(value)
        if not low <= number <= high:
            raise ValueError(f"must be from {low} to {high}")
        return number

    return check


def to_quantity(value: Any) -> Decimal | None:
    """Accept the quantity of a line, as a JSON number or as text. It can be a fraction (half a roll)."""
    if value is None or value == "" or isinstance(value, Decimal):
        return None if value == "" else value
    if isinstance(value, int | float) and not isinstance(value, bool):
        # Rounding mends sums in floating point, such as 0.30000000000000004.
        value = f"{round(Decimal(repr(value)), 9):f}" if abs(value) < 1e9 else ""
    if isinstance(value, str) and re.fullmatch(r"\d{1,9}(\.\d{1,9})?|\.\d{1,9}", value.strip(), re.ASCII):
        return Decimal(value.strip())
    raise ValueError("must be a number from 0 to 999999999 with at most 9 decimals, such as 1 or 0.5")


def to_flag(value: Any) -> bool:
    """Accept true or false, as JSON or as text. Refuse 1 and "yes"."""
    if isinstance(value, str) and value.strip().lower() in ("true", "false"):
        return value.strip().lower() == "true"
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


def to_reference(value: Any) -> str | int:
    """Accept a name or an id. A number is an id; text can be either."""
    if isinstance(value, int | float) and not isinstance(value, bool) and value == value // 1:
        return to_id(value)
    if isinstance(value, str) and value.strip() and len(value) <= 200:
        return nfc(value)
    raise ValueError("must be an id, or a name of at most 200 characters")


def none_if_blank(value: Any) -> Any:
    """Replace empty text by None: some clients cannot send null."""
    return None if isinstance(value, str) and not value.strip() else value


def one_line(text: str) -> str:
    if len(text.splitlines()) > 1:
        raise ValueError("must be one line")
    return text


def within_64_kb(text: str | None) -> str | None:
    if text and len(text.encode()) > MOST_NOTES:
        raise ValueError("must be at most 64 KB")
    return text


def http_only(url: str) -> str:
    if not re.fullmatch(r"https?://\S+", url, re.IGNORECASE):
        raise ValueError("must start with http:// or https:// and have no spaces or line breaks")
    return url


def from_base64(value: Any) -> bytes:
    """Decode base64, with or without line breaks and the `data:image/…;base64,` of a data URL."""
    if not isinstance(value, str):
        raise ValueError("must be base64 text")
    text = re.sub(r"^data:[^,]{0,200},", "", value.strip(), flags=re.IGNORECASE)
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        raise ValueError("must be base64: encode the bytes of the image file") from None
    if not data:
        raise ValueError("must not be empty")
    return data


def lean_number(value: float | Decimal) -> int | float:
    """Return 476 instead of 476.0."""
    return int(value) if value == int(value) else float(value)


def rounded(value: Decimal, places: int) -> Decimal:
    """Round half up to *places*. A smaller number keeps two significant digits, so that it is not 0."""
    is_smaller = value and value.adjusted() < -places
    exponent = value.adjusted() - 1 if is_smaller else -places
    return value.quantize(Decimal(1).scaleb(exponent), ROUND_HALF_UP)


def shown_grams(grams: float | Decimal) -> int | float:
    """Grams as results show them: rounded to 0.01 g. Stored weights and sums keep all their digits."""
    return lean_number(rounded(Decimal(str(grams)), 2))


STRING = WithJsonSchema({"type": "string"})
INTEGER = WithJsonSchema({"type": "integer"})
NUMBER = WithJsonSchema({"type": "number"})

Id = Annotated[int, BeforeValidator(to_id), INTEGER]
Name = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200),
    AfterValidator(one_line),
    AfterValidator(nfc),
    STRING,
]
Text = Annotated[str | None, BeforeValidator(none_if_blank), AfterValidator(within_64_kb), STRING]
HttpUrl = Annotated[
    str, StringConstraints(strip_whitespace=True, max_length=8192), AfterValidator(http_only), STRING
]
Url = Annotated[HttpUrl | None, BeforeValidator(none_if_blank), STRING]
Base64 = Annotated[bytes, BeforeValidator(from_base64), STRING]
OptionalBase64 = Annotated[Base64 | None, BeforeValidator(none_if_blank), STRING]
OptionalName = Annotated[Name | None, BeforeValidator(none_if_blank), STRING]
OptionalPath = Annotated[
    Annotated[str, StringConstraints(max_length=4096)] | None, BeforeValidator(none_if_blank), STRING
]
# The id of a row, or its name. Some clients refuse a schema with two types, and an id can also be text.
ID_OR_NAME = "Id or name"
REFERENCE = WithJsonSchema({"type": "string", "description": ID_OR_NAME})
Ref = Annotated[str | int, PlainValidator(to_reference), REFERENCE]
OptionalRef = Annotated[Ref | None, BeforeValidator(none_if_blank), REFERENCE]
Cents = Annotated[int | None, BeforeValidator(whole_between(0, 10**15 - 1)), INTEGER]
Count = Annotated[int | None, BeforeValidator(whole_between(0, 2**31 - 1)), INTEGER]
Limit = Annotated[int, BeforeValidator(whole_between(1, 500)), INTEGER]
# The next_cursor of the previous page. Its name says so: many tools have it, and each description costs.
Cursor = Annotated[str, Field(max_length=2000), STRING]
Query = Annotated[str, Field(max_length=200), STRING]
Flag = Annotated[bool, BeforeValidator(to_flag), WithJsonSchema({"type": "boolean"})]
Quantity = Annotated[Decimal | None, BeforeValidator(to_quantity), NUMBER]

# How weights, other numbers and times are serialized. A weight is stored as a float; sums and
# differences of weights are decimals, and are rounded last.
Grams = Annotated[float, PlainSerializer(shown_grams, when_used="json"), NUMBER]
SummedGrams = Annotated[Decimal, PlainSerializer(shown_grams, when_used="json"), NUMBER]
Exact = Annotated[Decimal, PlainSerializer(lean_number, when_used="json"), NUMBER]
Moment = Annotated[
    datetime, PlainSerializer(lambda at: f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}", when_used="json")
]
