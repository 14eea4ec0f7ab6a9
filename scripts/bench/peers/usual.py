"""The usual stack: three of Gearshed's tools with FastMCP and SQLAlchemy's asynchronous ORM.

    python usual.py DATABASE_URL [PORT]

It has no log of changes, search index, row-level security or keys. It runs as `pip install fastmcp` leaves
it, without uvloop and httptools.
"""

# pyright: basic, reportMissingImports=false
# Its packages are installed on demand into a virtual environment of their own: see scripts/bench/peer.py.

import sys

from fastmcp import FastMCP
from pydantic import BaseModel, ConfigDict
from sqlalchemy import ForeignKey, func, select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, mapped_column, relationship

mcp = FastMCP("usual")
sessions = async_sessionmaker(create_async_engine(sys.argv[1], pool_size=8), expire_on_commit=False)


class Base(DeclarativeBase):
    pass


class Category(Base):
    __tablename__ = "categories"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


class Item(Base):
    __tablename__ = "items"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    category_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id"))
    weight_grams: Mapped[float | None]
    price_cents: Mapped[int | None]
    quantity: Mapped[int] = mapped_column(default=1)
    notes: Mapped[str | None]
    category: Mapped[Category | None] = relationship()

    @property
    def category_name(self) -> str | None:
        return self.category and self.category.name


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    name: str
    category_name: str | None
    weight_grams: float | None
    price_cents: int | None
    quantity: int
    notes: str | None


class Page(BaseModel):
    total: int
    items: list[Row]


@mcp.tool
async def get_item(item_id: int) -> Row:
    async with sessions() as session:
        return Row.model_validate(await session.get_one(Item, item_id, options=[joinedload(Item.category)]))


@mcp.tool
async def list_items(limit: int = 20) -> Page:
    async with sessions() as session:
        total = await session.scalar(select(func.count()).select_from(Item))
        rows = await session.scalars(
            select(Item).options(joinedload(Item.category)).order_by(Item.name, Item.id).limit(limit)
        )
        return Page(total=total or 0, items=[Row.model_validate(row) for row in rows])


@mcp.tool
async def create_item(name: str, weight: float | None = None) -> Row:
    async with sessions() as session:
        # Without an explicit None, reading the category of the new row would be another query.
        item = Item(name=name, weight_grams=weight, price_cents=None, notes=None, category=None)
        session.add(item)
        await session.commit()
        return Row.model_validate(item)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        plain = {"loop": "asyncio", "http": "h11", "log_level": "warning"}
        mcp.run("http", port=int(sys.argv[2]), stateless_http=True, show_banner=False, uvicorn_config=plain)
    else:
        mcp.run("stdio", show_banner=False)
