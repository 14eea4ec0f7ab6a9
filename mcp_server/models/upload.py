"""Links through which a person uploads one list or image."""

from mcp_server.models.fields import Moment, Row


class UploadLink(Row):
    """A link for one upload. What was uploaded is a change: see list_changes."""

    url: str
    expires_at: Moment


class Upload(Row):
    """What a link is for: a list, perhaps for a setup, or an image of an item or a candidate."""

    expires_at: Moment
    client: str | None = None
    setup_name: str | None = None
    item_id: int | None = None
    candidate_id: int | None = None

    @property
    def is_image(self) -> bool:
        return self.item_id is not None or self.candidate_id is not None
