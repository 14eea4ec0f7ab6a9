"""Searches: the words and the text that a query looks for, and the SQL that compares them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from psycopg.sql import SQL, Composed

from db.sql import rendered
from mcp_server.errors import InvalidInput

AROUND_WORDS = "\"'(),.;:!?“”„‘’"
# Text after ASCII punctuation, up to the next punctuation.
BEHIND_PUNCTUATION = re.compile(r"(?<=[!-/:-@\[-`{-~])[^!-/:-@\[-`{-~]+")
HYPHENS = re.compile("[-‐‑–]")
# Single letters or digits that are prefixes. If there are more, each must be a whole word.
MOST_LETTERS = 2
# Words of a query: each has a bit of a number.
MOST_WORDS = 60
# A word with this many letters may be a plural.
LEAST_PLURAL = 5


class Lookup(NamedTuple):
    """A word that satisfies the words of a query with these bits: as a prefix, or only as a *whole* word."""

    bits: int
    word: str
    whole: bool = False


class Search(NamedTuple):
    """What a query looks for. Each of its words has a bit.

    A row matches if it has a word for each bit, and all texts: each of *parts* (or one of its lines) occurs
    literally, and each of *close* occurs when spaces and hyphens are ignored.
    """

    words: Mapping[str, int]
    lookups: tuple[Lookup, ...]
    parts: tuple[str, ...]
    close: tuple[str, ...]

    @property
    def bits(self) -> int:
        return (1 << len(self.words)) - 1

    def params(self) -> dict[str, Any]:
        return {
            "bits": self.bits,
            "lookup_bits": [each.bits for each in self.lookups],
            "lookup_words": [each.word for each in self.lookups],
            "lookup_whole": [each.whole for each in self.lookups],
            "parts": list(self.parts),
            "close": list(self.close),
        }


def read_query(query: str) -> Search:
    """Read a query: its words, `x-mid` for xmid and x mid, `a|b` for either, and other text literally."""
    words: dict[str, int] = {}
    lookups: list[Lookup] = []
    parts: list[str] = []
    close: list[str] = []
    sequence: list[str] = []
    for term in query.split():
        either = alternatives(term)
        runs = [split(each) for each in either]
        if len(either) > 1 and all(runs):
            bit = number(words, "|".join(either))
            lookups += [found for each in runs for found in forms(bit, "".join(each))]
        elif not all(runs):
            parts.append("\n".join(either))
            # The index finds the word cotton of 100%cotton. Single letters hardly help.
            behind = BEHIND_PUNCTUATION.findall(either[0]) if len(either) == 1 else ()
            for run in (run for run in behind if is_plain(run) and len(run) > 1):
                lookups.append(Lookup(number(words, run), run))
        else:
            sequence += runs[0]
            close += ["".join(runs[0])] if len(runs[0]) > 1 else []
            lookups += in_order(words, runs[0])
    lookups += together(words, sequence)
    return Search(
        words=words,
        lookups=tuple(dict.fromkeys(lookups_of_letters(lookups))),
        parts=tuple(dict.fromkeys(parts)),
        close=tuple(dict.fromkeys(close)),
    )


def alternatives(term: str) -> list[str]:
    """Split `a|b`. Punctuation around a word is ignored. Punctuation alone is searched for."""
    found = [word for each in term.split("|") if (word := each.strip(AROUND_WORDS) or each)]
    return list(dict.fromkeys(found)) or [term]


def split(word: str) -> list[str]:
    """Return a word, or those between its hyphens. Return nothing if the text must occur literally."""
    runs = HYPHENS.split(word)
    return runs if all(run and is_plain(run) for run in runs) else []


def is_plain(word: str) -> bool:
    """Whether the database too sees *word* as a single word. CJK and later scripts do not separate words."""
    return max(word) < "\u2e80" and all(letter.isalpha() or letter.isdecimal() for letter in word)


def number(words: dict[str, int], word: str) -> int:
    """Return the bit of a word, a new one if it is a new word."""
    if word not in words and len(words) == MOST_WORDS:
        raise InvalidInput(f"query: has more than {MOST_WORDS} words. Use fewer.")
    return words.setdefault(word, 1 << len(words))


def in_order(words: dict[str, int], runs: Sequence[str]) -> Iterator[Lookup]:
    """Look up each word, and all of them written as one."""
    for run in runs:
        yield from forms(number(words, run), run)
        if len(runs) > 2:
            yield Lookup(words[run], "".join(runs))


def together(words: dict[str, int], sequence: Sequence[str]) -> Iterator[Lookup]:
    """Look up neighbours as one word: `x mid` finds xmid."""
    for first, second in pairwise(sequence):
        yield Lookup(words[first] | words[second], first + second)


def forms(bit: int, word: str) -> Iterator[Lookup]:
    """Look up a word as a prefix, and the singular that it may be the plural of."""
    yield Lookup(bit, word)
    lower = word.lower()
    if len(word) >= LEAST_PLURAL and lower.endswith("s") and not lower.endswith("ss"):
        yield Lookup(bit, word[:-1], whole=True)
        if lower.endswith("es"):
            yield Lookup(bit, word[:-2], whole=True)


def lookups_of_letters(lookups: Sequence[Lookup]) -> list[Lookup]:
    """Look up single letters as whole words if there are more than a few: many words start with each."""
    letters = {each.word for each in lookups if len(each.word) == 1}
    if len(letters) <= MOST_LETTERS:
        return list(lookups)
    # Two letters written as one word have two bits.
    return [
        each._replace(whole=True)
        if each.word in letters or (len(each.word) == 2 and each.bits & (each.bits - 1))
        else each
        for each in lookups
    ]


# The ranges of words that match. In the collation "C", words with a prefix sort between the prefix and the
# prefix followed by the last code point; no word has a control character.
WANTED = SQL("""
    SELECT lookup.bits, folded.low, lookup.whole,
        folded.low || CASE WHEN lookup.whole THEN U&'\\0001' ELSE U&'\\+10FFFF' END AS high
    FROM unnest(%(lookup_bits)s::bigint[], %(lookup_words)s::text[], %(lookup_whole)s::boolean[])
        AS lookup (bits, word, whole),
        LATERAL (SELECT folded(lookup.word) OFFSET 0) AS folded (low)
""")
# The items with the words, by their own words or by those of their category. OFFSET 0 makes each lookup a
# query of its own, by the index: the plan of a join would depend on statistics of all users.
HITS = rendered(
    SQL("""
    SELECT found.item_id, wanted.bits
    FROM ({wanted}) AS wanted, LATERAL (
        SELECT item_id FROM item_words WHERE word >= wanted.low AND word < wanted.high OFFSET 0
    ) AS found
    UNION ALL
    SELECT found.id, wanted.bits
    FROM ({wanted}) AS wanted, LATERAL (
        SELECT category_id FROM category_words WHERE word >= wanted.low AND word < wanted.high OFFSET 0
    ) AS grouped, LATERAL (
        SELECT id FROM items WHERE items.category_id = grouped.category_id OFFSET 0
    ) AS found
""").format(wanted=WANTED)
)
WITH_ONE_WORD = rendered(SQL("SELECT item_id FROM ({hits}) AS hits").format(hits=HITS))
WITH_ALL_WORDS = rendered(
    SQL("""
    SELECT item_id FROM ({hits}) AS hits GROUP BY item_id HAVING bit_or(bits) = %(bits)s::bigint
""").format(hits=HITS)
)
# Whether a text has all of the parts.
LITERALLY = SQL("""
    NOT EXISTS (
        SELECT
        FROM unnest(%(parts)s::text[]) AS part
        WHERE NOT EXISTS (
            SELECT FROM string_to_array(part, E'\\n') AS lines, unnest(lines) AS line
            WHERE strpos(folded({text}), folded(line)) > 0
        )
    )
""")
CLOSELY = SQL("""
    NOT EXISTS (
        SELECT
        FROM unnest(%(close)s::text[]) AS part
        WHERE strpos(translate(folded({text}), ' -', ''), folded(part)) = 0
    )
""")
# All words of a name, with a space before and after each.
NAMED = SQL("(SELECT ' ' || array_to_string(ARRAY(SELECT words_of({name})), ' ') || ' ') AS named (words)")
# Whether a name has all words.
IN_NAME = SQL("""
    (
        SELECT coalesce(bit_or(wanted.bits), 0) = %(bits)s::bigint
        FROM {named}, ({wanted}) AS wanted
        WHERE strpos(named.words, ' ' || wanted.low || CASE WHEN wanted.whole THEN ' ' ELSE '' END) > 0
    )
""")


def in_name(wanted: Search, name: SQL) -> Composed:
    """Return the condition that a *name* has all words and parts of a query."""
    conditions = [SQL("true")]
    if wanted.bits:
        conditions.append(rendered(IN_NAME.format(named=NAMED.format(name=name), wanted=WANTED)))
    if wanted.parts:
        conditions.append(rendered(LITERALLY.format(text=name)))
    if wanted.close:
        conditions.append(rendered(CLOSELY.format(text=name)))
    return SQL(" AND ").join(conditions)


def with_words(search: Search) -> SQL:
    """Return the statement that selects the items with the words of a query."""
    return WITH_ONE_WORD if search.bits == 1 else WITH_ALL_WORDS


# The name, the notes and the category of an item.
ITS_TEXTS = SQL("""
    concat_ws(
        ' ', {item}.name, {item}.notes,
        (SELECT categories.name FROM categories WHERE categories.id = {item}.category_id)
    )
""")


def in_texts(item: SQL) -> Composed:
    """Return the condition that the texts of an *item* have all parts of a query."""
    text = ITS_TEXTS.format(item=item)
    return SQL("{} AND {}").format(LITERALLY.format(text=text), CLOSELY.format(text=text))
