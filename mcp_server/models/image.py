"""Images: what an item or a candidate looks like."""

from typing import Annotated

from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from mcp_server.models.fields import Row


class Image(Row):
    """One image: its type, its size in pixels, and where it came from."""

    id: int
    mime_type: str
    width: int
    height: int
    filename: str | None = None
    source_url: str | None = None


class ImageShown(Image):
    """An image with its bytes, which go beside the result; a thumbnail is smaller than what is stored."""

    thumbnail: bool = False
    data: Annotated[SkipJsonSchema[bytes], Field(exclude=True, repr=False)]


class ImageRemoved(Row):
    """The image that was taken off, and whether it was deleted: it is kept while something else shows it."""

    image_id: int
    deleted: bool
