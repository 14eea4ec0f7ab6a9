"""The storage that a user takes."""

from psycopg import AsyncConnection

from db.query import fetch_only
from mcp_server.models.fields import Row

MEGABYTE = 1_000_000


class Usage(Row):
    """Bytes as they are stored, compressed and without indexes."""

    collection: int
    images: int
    log: int

    @property
    def total(self) -> int:
        return self.collection + self.images + self.log


async def measure(conn: AsyncConnection) -> Usage:
    """Return the storage of the user's rows. It reads every row, but no long value."""
    return await fetch_only(
        conn,
        Usage,
        """
        SELECT
            (
                SELECT coalesce(sum(100 + length(name) + coalesce(pg_column_size(notes), 0)
                    + coalesce(pg_column_size(product_url), 0)), 0)
                FROM items
            ) + (
                SELECT coalesce(sum(100 + length(name) + coalesce(pg_column_size(notes), 0)
                    + coalesce(pg_column_size(pros), 0) + coalesce(pg_column_size(cons), 0)
                    + coalesce(pg_column_size(product_url), 0)), 0)
                FROM candidates
            ) + (SELECT coalesce(sum(100 + length(name)), 0) FROM threads)
            + (SELECT coalesce(sum(100 + length(name)), 0) FROM setups)
            + (SELECT coalesce(sum(100 + length(name)), 0) FROM categories)
            + (SELECT 100 * count(*) FROM setup_items)
            + (SELECT 100 * count(*) FROM shares) AS collection,
            (SELECT coalesce(sum(100 + octet_length(data)), 0) FROM images) AS images,
            (
                SELECT coalesce(sum(100 + coalesce(pg_column_size(before), 0)
                    + coalesce(pg_column_size(after), 0)), 0)
                FROM row_changes
            ) + (SELECT coalesce(sum(100 + coalesce(pg_column_size(result), 0)), 0) FROM changes) AS log
        """,
    )
