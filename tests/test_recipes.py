"""The recipes of CONTRIBUTING.md, followed in a copy of the tree: the files that they name are enough."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from db import migrations
from tests.conftest import ROOT, empty_database

TREE = (
    *("alembic", "db", "gearshed", "mcp_server", "scripts", "tests", "docs"),
    *("pyproject.toml", "README.md", "LICENSE"),
)
CATALOGUE = (
    "tests/test_catalogue.py::test_every_schema_is_as_reviewed",
    "tests/test_catalogue.py::test_all_descriptions_and_schemas_stay_within_their_budget",
)
LINE = "mcp_server/formats/line.py"
# Whether staging, export and the format take the columns of our own CSV from `Line`.
CSV_FROM_ONE_PLACE = "ITEM_COLUMNS" in (ROOT / LINE).read_text(encoding="utf-8")
# What fails first where a step of the recipes for the schema is missing.
SCHEMA = (
    "test_migrations_build_exactly_the_described_schema",
    "test_each_table_has_the_triggers_policies_and_grants_that_its_list_asks_for",
    "test_every_table_with_rows_of_one_user_is_in_the_list_of_protected_ones",
    "test_each_table_of_the_collection_stands_after_those_that_its_rows_belong_to",
    "test_every_revision_goes_up_down_and_up_again",
    "test_every_key_between_rows_of_the_collection_holds_the_user",
    "test_a_migration_from_sqlite_sees_every_table_that_it_would_empty",
)


class Copy:
    """A copy of the tree, and the files in it that a recipe has changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.changed: set[str] = set()
        for name in TREE:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)

    def edit(self, file: str, after: str, text: str) -> None:
        """Insert *text* after the only place in *file* that reads *after*."""
        path = self.folder / file
        before = path.read_text(encoding="utf-8")
        assert before.count(after) == 1, (file, after)
        path.write_text(before.replace(after, after + text), encoding="utf-8")
        self.changed.add(file)

    def append(self, file: str, text: str) -> None:
        path = self.folder / file
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
        self.changed.add(file)

    def add(self, file: str, text: str) -> None:
        path = self.folder / file
        assert not path.exists()
        path.write_text(text, encoding="utf-8")
        self.changed.add(file)

    def run(self, *module: str, **environment: str) -> None:
        """Run a module of Python in the copy; it has to succeed."""
        done = subprocess.run(
            [sys.executable, "-m", *module],
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    def test(self, server: str, *tests: str) -> None:
        """Run tests of the copy on the same server, with the snapshots of what the recipe has changed."""
        options = ("--quiet", "-p", "no:cacheprovider", "-p", "no:xdist", f"--postgres={server}")
        self.run("pytest", *options, *tests, UPDATE_SNAPSHOTS="1")

    def generate_revision(self, server: str) -> Path:
        """Have Alembic write the revision, as the recipes say, and return its path."""
        with empty_database(server) as url:
            migrations.upgrade(url)
            options = ("--autogenerate", "-m", "recipe", "--rev-id", "recipe")
            self.run("alembic", "revision", *options, DATABASE_URL=url)
        (path,) = (self.folder / "alembic" / "versions").glob("recipe_*.py")
        return path


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def named(recipe: str, **placeholders: str) -> set[str]:
    """Return the files that a recipe of CONTRIBUTING.md names, in which *placeholders* stand in brackets."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (paragraph,) = [part for part in text.split("\n\n") if part.startswith(f"**To add {recipe}**")]
    for name, value in placeholders.items():
        paragraph = paragraph.replace(f"<{name}>", value)
    return set(re.findall(r"`([\w/.]+\.(?:py|csv))`", paragraph))


def checks(*tests: str) -> list[str]:
    return [f"tests/test_schema.py::{test}" for test in (*SCHEMA, *tests)]


def test_a_field_of_items(copy: Copy, server: str) -> None:
    check = "brand <> '' AND length(brand) <= 200"
    copy.edit(
        "db/schema.py",
        '    Column("external_id", Text),\n',
        f'    Column("brand", Text),\n    CheckConstraint("{check}", name="brand"),\n',
    )
    revision = copy.generate_revision(server)
    added = 'op.add_column("items", sa.Column("brand", sa.Text(), nullable=True))\n'
    assert added in revision.read_text()
    by_hand = f'    op.create_check_constraint(op.f("ck_items_brand"), "items", "{check}")\n'
    revision.write_text(revision.read_text().replace(added, added + by_hand))
    model = "mcp_server/models/item.py"
    copy.edit(
        model,
        "    image_id: int | None = None\n    updated_at: Moment\n",
        "    brand: str | None = None\n",
    )
    copy.edit(model, "    product_url: Url\n", "    brand: Text\n")
    tests = checks("test_every_field_of_a_row_is_a_column")
    if CSV_FROM_ONE_PLACE:
        copy.edit(LINE, "    external_id: str | None = None\n", "    brand: str | None = None\n")
        copy.edit(
            "mcp_server/formats/gearshed.py", "    external_id: Short = None\n", "    brand: Short = None\n"
        )
        export = "tests/services/test_export.py"
        tests.append(f"{export}::test_every_field_of_an_item_comes_back_from_our_own_format")
    assert copy.changed <= named("a field to items")
    copy.add("tests/test_brand.py", TEST_OF_BRAND)
    copy.test(server, "tests/test_brand.py", *CATALOGUE, *tests)


TEST_OF_BRAND = """
from mcp import Client
from tests.calls import call

async def test_a_brand_is_kept(client: Client) -> None:
    made = await call(client, "create_item", name="Tent", brand="Acme")
    assert made["brand"] == "Acme"
    changed = await call(client, "update_item", item_id=made["id"], changes={"brand": ""})
    assert "brand" not in changed
    await call(client, "undo_change", change_id=changed["change_id"])
    assert (await call(client, "get_item", item_id=made["id"]))["brand"] == "Acme"
"""
BAGS = """
bags = Table(
    "bags",
    metadata,
    key(),
    owner(),
    Column("name", Text, nullable=False),
    Column("item_id", BigInteger),
    moment("updated_at"),
    UniqueConstraint("user_id", "id"),
    belongs_to("item_id", "items"),
    named(),
    Index("ix_bags_user_id_item_id", "user_id", "item_id"),
)
"""
TEST_OF_BAGS = """
from psycopg import AsyncConnection
from db.pool import Pool, transaction
from mcp_server.models.change import Author
from mcp_server.services import change, summary, undo
from tests.factories import make_item

async def test_a_bag_comes_back(pool: Pool, user_id: int) -> None:
    async with transaction(pool, user_id, logged=True) as conn:
        made = await change.current(conn)
        item_id = await make_item(conn)
        await conn.execute("INSERT INTO bags (name, item_id) VALUES ('Blue', %(id)s)", {"id": item_id})
        await record(conn, made)
    async with transaction(pool, user_id, logged=True) as conn:
        assert (await undo.undo(conn, made)).rows == 2
        undone = await change.current(conn)
        await record(conn, undone)
    async with transaction(pool, user_id, logged=True) as conn:
        assert await (await conn.execute("SELECT name FROM bags")).fetchall() == []
        assert (await undo.undo(conn, undone)).rows == 2
        assert await (await conn.execute("SELECT name FROM bags")).fetchall() == [("Blue",)]
        await record(conn, await change.current(conn))

async def record(conn: AsyncConnection, change_id: int) -> None:
    sentence = summary.summarize(await summary.effects(conn, change_id))
    assert "bag" in sentence
    await change.record(
        conn, change_id, tool="t", author=Author(), summary=sentence, key=None, digest=b"", result=None
    )
"""


def test_a_table_of_the_collection(copy: Copy, server: str) -> None:
    copy.edit("db/schema.py", '    Index("ix_setup_items_user_id_item_id", "user_id", "item_id"),\n)\n', BAGS)
    copy.edit("db/collection.py", '        "items": "item",\n', '        "bags": "bag",\n')
    revision = copy.generate_revision(server)
    created = revision.read_text().replace("op.create_table(", "create_collection_table(")
    revision.write_text(
        created.replace("import op\n", "import op\nfrom db.revision import create_collection_table\n")
    )
    assert copy.changed <= named("a table to the collection")
    copy.add("tests/test_bags.py", TEST_OF_BAGS)
    logged = "tests/test_undo.py::test_every_table_of_a_collection_is_logged"
    copy.test(server, "tests/test_bags.py", logged, *checks())


def test_a_tool(copy: Copy, server: str) -> None:
    service, tool = "mcp_server/services/item.py", "mcp_server/tools/item.py"
    copy.append(service, SERVICE)
    copy.append(tool, TOOL)
    entry = '    ToolEntry(item.get_item, "Get item", READS),\n'
    copy.edit(
        "mcp_server/server.py", entry, '    ToolEntry(item.get_oldest_item, "Get oldest item", READS),\n'
    )
    cases = "WITHOUT_IDS: dict[str, dict[str, Any]] = {\n"
    copy.edit("tests/tools/test_isolation.py", cases, '    "get_oldest_item": {},\n')
    copy.edit("scripts/examples.py", '    ("list_categories", {}),\n', '    ("get_oldest_item", {}),\n')
    assert copy.changed <= named("a tool", noun="item")
    its_tests = ("-k", "get_oldest_item or case or catalogue")
    copy.test(server, "tests/tools/test_isolation.py", "tests/test_catalogue.py", *its_tests)


SERVICE = """

async def oldest(conn: AsyncConnection) -> ItemShown:
    \"\"\"Return the item that was created first.\"\"\"
    query = SQL("SELECT {shown} FROM items ORDER BY created_at, id LIMIT 1").format(shown=SHOWN)
    found = await fetch_one(conn, ItemShown, query)
    if found is None:
        raise NotFound("There are no items. Call create_item to add one.")
    return found
"""
TOOL = """

async def get_oldest_item(ctx: Context[App]) -> ItemShown:
    \"\"\"Show the item that was created first.\"\"\"
    return await read(ctx).do(item.oldest)
"""
FORMAT = """\"\"\"Shelves: a program that lists things and where they lie.\"\"\"

from typing import Annotated, ClassVar

from pydantic import Field

from mcp_server.formats.line import FormatLine, Line
from mcp_server.models.fields import Name


class ShelvesLine(FormatLine):
    NEEDED: ClassVar[frozenset[str]] = frozenset({"thing"})
    OWN: ClassVar[frozenset[str]] = frozenset({"thing", "shelf"})

    name: Annotated[Name, Field(alias="thing")]
    category: Annotated[str, Field(alias="shelf")] = ""

    def to_line(self, number: int) -> Line:
        return Line(number, self.name, self.category or None)
"""


def test_a_format(copy: Copy, server: str) -> None:
    copy.add("mcp_server/formats/shelves.py", FORMAT)
    header = "mcp_server/formats/header.py"
    copy.edit(
        header, "trail_sense import TrailSenseLine\n", "from mcp_server.formats.shelves import ShelvesLine\n"
    )
    copy.edit(header, '    ("homebox", HomeboxLine),\n', '    ("shelves", ShelvesLine),\n')
    copy.edit("mcp_server/models/csv.py", '    "packstack_pack",\n', '    "shelves",\n')
    copy.add("tests/data/csv/shelves.csv", "thing,shelf\nTent,Cellar\n,Attic\n")
    assert copy.changed <= named("a format", program="shelves")
    verdict = "tests/formats/test_samples.py::test_every_line_of_a_sample_has_its_verdict"
    copy.test(server, verdict, *CATALOGUE)
    verdicts = (copy.folder / "tests" / "data" / "csv" / "shelves.csv.json").read_text(encoding="utf-8")
    assert '"category": "Cellar"' in verdicts
    assert '"refused"' in verdicts
