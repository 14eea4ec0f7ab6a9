"""Images of items and candidates."""

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from mcp_server.models.fields import Row


class Image(Row):
    """An image: its type, its size in pixels, and its source."""

    id: int
    mime_type: str
    width: int
    height: int
    filename: str | None = None
    source_url: str | None = None


class ImageShown(Image):
    """An image with its bytes, which are sent separately. A thumbnail is smaller than the stored image."""

    thumbnail: bool = False
    data: Annotated[SkipJsonSchema[bytes], Field(exclude=True, repr=False)]


class ImageRemoved(Row):
    """The removed image. It is deleted unless another item or candidate uses it."""

    image_id: int
    deleted: bool
