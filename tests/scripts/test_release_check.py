"""A release has one version, and a date."""

import re
from pathlib import Path

import pytest

from scripts.release_check import CHANGELOG, MANIFESTS, ROOT, problems


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """A copy of the files, with the version 1.2.3 in all of them and a date."""
    for name in ("pyproject.toml", *MANIFESTS):
        file = tmp_path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / name).read_text(encoding="utf-8")
        file.write_text(re.sub(r'^( *"?version"?\s*[=:] )"[^"]+"', r'\1"1.2.3"', text, flags=re.MULTILINE))
    (tmp_path / CHANGELOG).write_text("# Changelog\n\n## 1.2.3 (2026-12-01)\n\n## 1.2.2 (unreleased)\n")
    return tmp_path


def test_a_release_whose_files_agree_has_no_problem(release: Path) -> None:
    assert problems(release) == []


@pytest.mark.parametrize("name", MANIFESTS)
def test_each_manifest_must_have_the_version_of_the_project(release: Path, name: str) -> None:
    file = release / name
    file.write_text(file.read_text().replace("1.2.3", "1.2.2", 1))
    assert problems(release) == [f"{name} has version 1.2.2, pyproject.toml 1.2.3."]


def test_the_package_that_is_listed_must_have_it_too(release: Path) -> None:
    file = release / "server.json"
    before, _, after = file.read_text().rpartition("1.2.3")
    file.write_text(f"{before}1.2.2{after}")
    assert problems(release) == ["server.json has version 1.2.2, pyproject.toml 1.2.3."]


@pytest.mark.parametrize(
    ("heading", "problem"),
    [
        ("## 1.2.3 (unreleased)", "1.2.3 has no date, but (unreleased)."),
        ("## 1.2.3 (2026-13-01)", "1.2.3 has no date, but (2026-13-01)."),
        ("## 1.2.2 (2026-12-01)", "the first section is not 1.2.3."),
        ("## Unreleased", "the first section is not 1.2.3."),
    ],
)
def test_the_newest_section_of_the_changelog_must_be_dated(release: Path, heading: str, problem: str) -> None:
    (release / CHANGELOG).write_text(f"# Changelog\n\n{heading}\n")
    assert problems(release) == [f"CHANGELOG.md: {problem}"]


def test_the_manifests_of_this_checkout_agree() -> None:
    assert [problem for problem in problems(ROOT) if not problem.startswith(CHANGELOG)] == []
