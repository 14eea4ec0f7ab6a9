"""Put plausible mistakes into copies of the code, one at a time, and check that tests notice each.

    python -m scripts.mutate [WORD ...] [--jobs N] [--no-baseline]

With words, only mutations with one of them in their file, mistake or tests. First, all named tests have to
pass without a mutation. The exit code is 1 if fewer than 95 % are noticed, if one that is not noticed has no
reason in its list, or if one could not be tried.
"""

import os
import sys
import tempfile
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from time import monotonic

from db import migrations
from db.embedded import Embedded
from scripts.databases import empty_database, run_sql
from scripts.mutate.lane import Lane, Tried, preload
from scripts.mutate.mutation import Mutation, problems, read_all, select

# Of all mutations, how many tests have to notice.
LEAST = 0.95
TEMPLATE = "gearshed_mutate_template"


def main() -> None:
    parser = ArgumentParser(prog="scripts.mutate", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-baseline", action="store_true", help="do not run the tests without mutations")
    asked = parser.parse_args()
    mutations = select(read_all(), asked.words)
    if found := [problem for mutation in mutations for problem in problems(mutation)]:
        sys.exit("\n".join(found))
    sys.exit(try_all(mutations, jobs=asked.jobs, baseline=not asked.no_baseline))


def try_all(mutations: Sequence[Mutation], *, jobs: int, baseline: bool) -> int:
    started = monotonic()
    preload()
    with tempfile.TemporaryDirectory(prefix="gearshed-mutate-") as name:
        folder = Path(name)
        # As root, PostgreSQL and some tests run as another user.
        folder.chmod(0o755)
        with Embedded(folder / "data") as server:
            run_sql(server.url, "ALTER SYSTEM SET fsync = off")
            run_sql(server.url, "SELECT pg_reload_conf()")
            with empty_database(server.url, TEMPLATE) as template:
                migrations.upgrade(template)
                options = [f"--postgres={server.url}", f"--template={TEMPLATE}", *["-x", "-q", "--tb=short"]]
                options += ["-p", "no:randomly", "-p", "no:cacheprovider", "--hypothesis-profile=ci"]
                options += ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
                lanes = [Lane(folder / f"copy{number}", options) for number in range(jobs)]
                if baseline:
                    for tried in run(lanes, ((None, tests) for tests in by_file(mutations))):
                        if tried.verdict != "survived":
                            print(tried.output)
                            print(f"Without a mutation, {' '.join(tried.tests)} must pass.")
                            return 1
                results = list(reported(run(lanes, ((each, each.tests) for each in mutations))))
    return judged(results, (monotonic() - started) / 60)


def by_file(mutations: Iterable[Mutation]) -> list[tuple[str, ...]]:
    """Return all tests, those of one file together."""
    tests = sorted({test for each in mutations for test in each.tests})
    return [tuple(group) for _, group in groupby(tests, key=lambda test: test.partition("::")[0])]


def run(lanes: Sequence[Lane], work: Iterable[tuple[Mutation | None, tuple[str, ...]]]) -> Iterator[Tried]:
    """Run the tests of each mutation, as many at once as there are lanes."""
    free, running = list(lanes), dict[int, Lane]()
    todo = iter(work)
    while True:
        while free and (next_one := next(todo, None)):
            lane = free.pop()
            running[lane.start(*next_one)] = lane
        if not running:
            return
        process, status = os.wait()
        if lane := running.pop(process, None):
            yield lane.finish(status)
            free.append(lane)


def reported(results: Iterable[Tried]) -> Iterator[Tried]:
    for tried in results:
        if tried.mutation:
            print(f"{tried.verdict:8} {tried.seconds:5.1f} s  {tried.mutation.name}", flush=True)
            if tried.verdict == "broken":
                print(tried.output)
        yield tried


def judged(results: Sequence[Tried], minutes: float) -> int:
    """Print the figures, and return the exit code."""
    survived = [each.mutation for each in results if each.mutation and each.verdict == "survived"]
    broken = [each for each in results if each.verdict == "broken"]
    killed = len(results) - len(survived) - len(broken)
    share = killed / (len(results) or 1)
    print(f"\n{killed} of {len(results)} mutations killed ({share:.1%}), in {minutes:.1f} minutes")
    for mutation in survived:
        print(f"survived {mutation.name}\n         {mutation.survives or 'NOT EXPLAINED: write a test'}")
    is_explained = all(mutation.survives for mutation in survived)
    for tried in results:
        if tried.mutation and tried.mutation.survives and tried.verdict == "killed":
            print(f"killed although the list explains its survival: {tried.mutation.name}")
            is_explained = False
    return 0 if share >= LEAST and is_explained and not broken else 1


if __name__ == "__main__":
    main()
