"""What is in the file of one user."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from mcp_server.models.fields import Row

Count = Annotated[int, Field(ge=0)]


class Part(Row):
    """The rows of a table as they are in the file."""

    rows: Count
    bytes: Count
    sha256: str


class Manifest(Row):
    """The contents of the file. *secrets* says whether the hashes of the password and of keys are in it."""

    format: Literal["gearshed-user"] = "gearshed-user"
    version: Literal[1] = 1
    release: str
    revision: str
    username: str
    secrets: bool
    tables: Mapping[str, Part]
