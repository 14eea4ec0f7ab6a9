"""The only SQL that is built from models. All other SQL is text in the function that runs it."""

from collections.abc import Iterable
from typing import LiteralString, cast

from psycopg.sql import SQL, Composed, Identifier, Placeholder
from pydantic import BaseModel


def columns(table: str, model: type[BaseModel]) -> SQL:
    """`"items"."id", "items"."name", …`: every field of *model*, as columns of *table*."""
    return rendered(SQL(", ").join(Identifier(table, name) for name in model.model_fields))


def assignments(names: Iterable[str]) -> Composed:
    """`name = %(name)s, …`, each followed by a comma, so that an empty list is valid too."""
    return SQL("").join(SQL("{} = {}, ").format(Identifier(name), Placeholder(name)) for name in names)


def names(keys: Iterable[str]) -> Composed:
    """`name, weight_grams, …`: the columns of an INSERT."""
    return SQL(", ").join(map(Identifier, keys))


def values(keys: Iterable[str]) -> Composed:
    """`%(name)s, %(weight_grams)s, …`: the values of an INSERT, in the order of its columns."""
    return SQL(", ").join(map(Placeholder, keys))


def excerpts(table: str, texts: Iterable[str]) -> SQL:
    """Texts up to their first %(longest)s characters, and as `cut` the names of those that are longer."""
    whole = {name: Identifier(table, name) for name in texts}
    start = {name: SQL("left({}, %(longest)s::int)").format(text) for name, text in whole.items()}
    # Unlike length, octet_length does not have to read the text.
    longer = {
        name: SQL("octet_length({}) > octet_length({})").format(text, start[name])
        for name, text in whole.items()
    }
    columns = [
        SQL("{} || CASE WHEN {} THEN '…' ELSE '' END AS {}").format(
            start[name], longer[name], Identifier(name)
        )
        for name in whole
    ]
    cut = SQL(", ").join(SQL("CASE WHEN {} THEN {} END").format(longer[name], name) for name in whole)
    return rendered(SQL(", ").join([*columns, SQL("array_remove(ARRAY[{}], NULL) AS cut").format(cut)]))


def rendered(composed: Composed) -> SQL:
    """The same SQL, quoted once. Quoting it for each call would take longer than running it."""
    return SQL(cast(LiteralString, composed.as_string(None)))
