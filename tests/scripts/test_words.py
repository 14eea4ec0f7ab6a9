"""The check of words finds the phrases that it lists, and leaves similar ones alone."""

import pytest

from scripts.words import findings


@pytest.mark.parametrize(
    "text",
    [
        "Whoever reads this",
        "def test_a_client_is_told_why() -> None:",
        "a list, of\nwhich one is new",
        "It is no setting.",
        "These are no UTF-8.",
        "It does not work any more.",
        "Nobody knows.",
        "This comes to nothing.",
        "What is no weight",
        "It works all the same.",
        "NOT_SAID = 1",
    ],
)
def test_a_listed_phrase_is_found(text: str) -> None:
    assert list(findings("a.md", text))


@pytest.mark.parametrize(
    "text",
    [
        "It is no longer there.",
        "It is no more than a name.",
        "None when there is no such row",
        'run(user="nobody")',
        "as `nobody`, who cannot enter /root",
        "any more than two",
        "a soldier, unsaid and retold",
        "the use of usernames",
    ],
)
def test_other_phrases_are_not_found(text: str) -> None:
    assert list(findings("a.md", text)) == []


def test_of_sql_only_comments_are_checked() -> None:
    (found,) = findings("a.sql", "-- Whoever asks.\nSELECT told FROM said;\n")
    assert found.line == 1


def test_a_finding_has_the_line_it_starts_in() -> None:
    (found,) = findings("a.md", "one\ntwo of\nwhich three\n")
    assert (found.line, found.words) == (2, "of\nwhich")
