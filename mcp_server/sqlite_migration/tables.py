"""The tables of the old file: the kinds of value in their columns, and their names in PostgreSQL."""

import math
import sys
from dataclasses import dataclass
from typing import Literal

from mcp_server.models.fields import MOST_NOTES
from mcp_server.sqlite_migration.values import (
    MAX_ID,
    Addresses,
    Choice,
    Count,
    Flag,
    Icon,
    Moment,
    Prose,
    Real,
    Text,
    Url,
    ValueKind,
    Weight,
    Whole,
)


@dataclass(frozen=True)
class Column:
    """A column of version 10. *default* is the SQL for versions that lack it."""

    name: str
    kind: ValueKind
    required: bool = True
    default: str = "NULL"
    secret: bool = False


@dataclass(frozen=True)
class Reference:
    """A column that refers to a row of another table, and what happens when that row is deleted."""

    column: str
    table: str
    key: str = "id"
    on_delete: Literal["SET NULL", "CASCADE"] = "SET NULL"


@dataclass(frozen=True)
class Table:
    """A table of the old file. *name* is its new name."""

    old: str
    columns: tuple[Column, ...]
    name: str = ""
    key: str = "id"
    references: tuple[Reference, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()

    @property
    def new(self) -> str:
        return self.name or self.old

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


ID = Column("id", Whole(1, MAX_ID))
NAME = Column("name", Prose(characters=200, filled=True))
CREATED, UPDATED = Column("created_at", Moment()), Column("updated_at", Moment())
CATEGORY = Column("category_id", Whole(1, MAX_ID), required=False)
PROSE = Prose(octets=MOST_NOTES)
PRODUCT = (
    Column("weight_grams", Weight(0.0, 1e9), required=False),
    Column("price_cents", Whole(0, 10**15 - 1), required=False),
    CATEGORY,
    Column("notes", PROSE, required=False),
    Column("product_url", Url(), required=False),
    Column("image_filename", Text(filled=True), required=False),
    Column("image_source_url", Url(), required=False),
)


def required(name: str) -> Column:
    return Column(name, Text())


def secret(name: str, *, optional: bool = False) -> Column:
    return Column(name, Text(), required=not optional, secret=True)


def link(name: str) -> Column:
    return Column(name, Whole(1, MAX_ID))


def choice(name: str, *words: str) -> Column:
    return Column(name, Choice(words=words), default=f"'{words[0]}'")


USERS = Table(
    "users",
    (
        ID,
        Column("username", Prose(characters=200, filled=True)),
        secret("password_hash", optional=True),
        CREATED,
    ),
    unique=(("username",),),
)
# Their names are unique too, but PostgreSQL compares them without case: see relations.py.
CATEGORIES = Table("categories", (ID, NAME, Column("icon", Icon(), default="'package'"), CREATED))
ITEMS = Table(
    "items",
    (ID, NAME, *PRODUCT, Column("quantity", Count(0, 2**31 - 1), default="1"), CREATED, UPDATED),
    references=(Reference("category_id", "categories"),),
)
THREADS = Table(
    "threads",
    (
        ID,
        NAME,
        choice("status", "active", "resolved", "archived"),
        Column("resolved_candidate_id", Whole(1, MAX_ID), required=False),
        CATEGORY,
        CREATED,
        UPDATED,
    ),
    references=(
        Reference("category_id", "categories"),
        Reference("resolved_candidate_id", "thread_candidates"),
    ),
)
CANDIDATES = Table(
    "thread_candidates",
    (
        ID,
        link("thread_id"),
        NAME,
        *PRODUCT,
        choice("status", "researching", "ordered", "arrived"),
        Column("pros", PROSE, required=False),
        Column("cons", PROSE, required=False),
        Column("sort_order", Real(-sys.float_info.max, math.inf), default="0.0"),
        CREATED,
        UPDATED,
    ),
    name="candidates",
    references=(
        Reference("thread_id", "threads", on_delete="CASCADE"),
        Reference("category_id", "categories"),
    ),
)
SETUPS = Table("setups", (ID, NAME, CREATED, UPDATED))
LINES = Table(
    "setup_items",
    (ID, link("setup_id"), link("item_id"), choice("classification", "base", "worn", "consumable")),
    references=(
        Reference("setup_id", "setups", on_delete="CASCADE"),
        Reference("item_id", "items", on_delete="CASCADE"),
    ),
    unique=(("setup_id", "item_id"),),
)
SETTINGS = Table(
    "settings",
    (Column("key", Text(characters=200, filled=True)), Column("value", Text())),
    key="key",
    unique=(("key",),),
)
SESSIONS = Table(
    "sessions",
    (secret("id"), link("user_id"), Column("expires_at", Moment())),
    references=(Reference("user_id", "users", on_delete="CASCADE"),),
    unique=(("id",),),
)
API_KEYS = Table(
    "api_keys",
    (ID, Column("name", Prose()), secret("key_hash"), secret("key_prefix"), CREATED),
    unique=(("key_hash",),),
)
OAUTH_CLIENTS = Table(
    "oauth_clients",
    (
        ID,
        required("client_id"),
        Column("client_name", Prose(), required=False),
        Column("redirect_uris", Addresses()),
        CREATED,
    ),
    unique=(("client_id",),),
)
OF_A_CLIENT = (Reference("client_id", "oauth_clients", "client_id", "CASCADE"),)
OAUTH_CODES = Table(
    "oauth_codes",
    (
        ID,
        required("client_id"),
        secret("code"),
        secret("code_challenge"),
        required("code_challenge_method"),
        required("redirect_uri"),
        Column("expires_at", Moment()),
        Column("used", Flag()),
    ),
    references=OF_A_CLIENT,
    unique=(("code",),),
)
OAUTH_TOKENS = Table(
    "oauth_tokens",
    (
        ID,
        required("client_id"),
        secret("access_token_hash"),
        secret("refresh_token_hash", optional=True),
        Column("expires_at", Moment()),
        Column("refresh_expires_at", Moment(), required=False),
        CREATED,
    ),
    references=OF_A_CLIENT,
    unique=(("access_token_hash",), ("refresh_token_hash",)),
)
TABLES = (
    USERS,
    CATEGORIES,
    ITEMS,
    THREADS,
    CANDIDATES,
    SETUPS,
    LINES,
    SETTINGS,
    SESSIONS,
    API_KEYS,
    OAUTH_CLIENTS,
    OAUTH_CODES,
    OAUTH_TOKENS,
)
