"""Find words and phrases that plain technical English does without.

    python -m scripts.words [FILE ...]

Checks the given files, or all tracked ones. Names in code count too: an underscore separates words. The exit
code is 1 if anything is found.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
# Texts of other authors, data, and this list with its test.
EXCLUDED = re.compile(
    r"LICENSE|constraints\.txt|\.ci/.*|.*words\.py|(tests|mcp_server)/data/.*|.*\.(json|png|csv|tsv|gz|dump)"
)
SUGGESTIONS = {
    "whoever": "the user who, anyone who",
    "whomever": "anyone",
    # Not the Unix user, which is quoted, or named as one.
    r"(?<![\"'`])(?<!as[_ ])nobody(?![\"'`])": "no one, no user, or an active sentence",
    "somebody": "someone, a user, another user",
    "anew": "again",
    "plainly": "clearly, or leave it out",
    "of which": "split the sentence",
    "of whom": "split the sentence",
    "told": "reported, shown, listed, notified",
    "said": "reported, specified, given",
    r"(?<!there )(?:is|are) no(?! longer| more than| better| worse)(?= [a-z])": "is not a, are not",
    "what is no": "anything that is not a",
    r"any ?more(?=[.,;:)])": "any longer, or no longer",
    "comes? to nothing": "fails, has no effect",
    "all the same": "anyway, even so",
    "without further ado": "by default",
    "(?:is|are) to be had": "is available",
    "(?:is|are|be) of (?:no )?use": "is useful, is useless",
    "for ever": "forever, indefinitely",
    "opens? nothing": "is revoked, is refused",
    "in words of (?:its|their) own": "independently",
}


class Finding(NamedTuple):
    file: str
    line: int
    words: str
    suggestion: str


def pattern(words: str) -> re.Pattern[str]:
    """Match *words* in any case, between spaces or underscores, also across a line break."""
    spaced = re.sub(r"(?<!\?) (?=[a-z(])", r"(?:\\s+|_)", words)
    return re.compile(f"(?<![a-z])(?:{spaced})(?![a-z])", re.IGNORECASE)


PATTERNS = [(pattern(words), suggestion) for words, suggestion in SUGGESTIONS.items()]


def findings(file: str, text: str) -> Iterator[Finding]:
    if file.endswith(".sql"):
        # Only comments: the text of a function changes with a revision, not with its wording.
        text = re.sub(r"^(?!--).*$", "", text, flags=re.MULTILINE)
    for pattern, suggestion in PATTERNS:
        for match in pattern.finditer(text):
            yield Finding(file, text.count("\n", 0, match.start()) + 1, match[0], suggestion)


def tracked() -> list[str]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def main() -> int:
    files = [name for name in sys.argv[1:] or tracked() if not EXCLUDED.fullmatch(name)]
    found = [each for name in files for each in findings(name, (ROOT / name).read_text(encoding="utf-8"))]
    for each in sorted(found):
        words = " ".join(each.words.split())
        print(f"{each.file}:{each.line}: {words!r}: write {each.suggestion}", file=sys.stderr)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
