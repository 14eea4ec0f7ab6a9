"""A copy of the tree, in which one mutation at a time is tried by a process of its own."""

import compileall
import importlib
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from py_compile import PycInvalidationMode
from time import monotonic
from typing import Literal, NamedTuple, TypeAlias
from venv import EnvBuilder

from scripts.mutate.mutation import ROOT, Mutation, apply

# Packages of the tree. The tests have to import them from the copy.
PACKAGES = ("db", "mcp_server", "scripts", "tests")
# Seconds. With a mutation that makes tests wait indefinitely, this is how it is noticed.
LONGEST = 120
# Exit codes of pytest, and one of ours: modules were imported from elsewhere.
PASSED, FAILED, ELSEWHERE = 0, 1, 99

Verdict: TypeAlias = Literal["killed", "survived", "broken"]


class Tried(NamedTuple):
    """What a run of tests has shown, how many seconds it took, and what it printed."""

    mutation: Mutation | None
    tests: tuple[str, ...]
    verdict: Verdict
    seconds: float
    output: str


class Lane:
    """One copy. `start` forks a process, and `finish` reads what it found."""

    def __init__(self, root: Path, options: Sequence[str]) -> None:
        self.root = root
        self._options = options
        self._log = root.with_suffix(".log")
        copy_tree(root)
        make_python(root)

    def start(self, mutation: Mutation | None, tests: tuple[str, ...]) -> int:
        """Return the number of the process that runs *tests*."""
        self._mutation, self._tests, self._started = mutation, tests, monotonic()
        if mutation:
            apply(mutation, self.root)
        process = os.fork()
        if process == 0:
            self._run()
        return process

    def _run(self) -> None:
        """Run pytest in this process, a copy of the runner that has loaded most packages, and end it."""
        os.setsid()
        # Its default is to end the process.
        signal.alarm(LONGEST)
        with self._log.open("wb") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
        code = ELSEWHERE
        try:
            code = run_tests(self.root, [*self._options, *self._tests])
        finally:
            sys.stdout.flush()
            os._exit(code)

    def finish(self, status: int) -> Tried:
        if self._mutation:
            shutil.copyfile(ROOT / self._mutation.file, self.root / self._mutation.file)
        code = os.waitstatus_to_exitcode(status)
        verdict: Verdict = "broken"
        if code == PASSED:
            verdict = "survived"
        elif code in (FAILED, -signal.SIGALRM):
            verdict = "killed"
        output = self._log.read_text(errors="replace")
        return Tried(self._mutation, self._tests, verdict, monotonic() - self._started, output)


def copy_tree(root: Path) -> None:
    """Copy the files that git tracks or would track."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    for package in PACKAGES:
        # Compiled files that hold a hash of their source: times do not show two changes in one second.
        mode = PycInvalidationMode.CHECKED_HASH
        assert compileall.compile_dir(root / package, quiet=1, invalidation_mode=mode)


def make_python(root: Path) -> None:
    """Make a virtual environment for the processes that tests start: ours, with the modules of the copy."""
    EnvBuilder(symlinks=os.name != "nt").create(root / ".venv")
    (site,) = (root / ".venv").rglob("site-packages")
    # In a .pth file, the paths of an editable install in our environment are not followed.
    (site / "copy.pth").write_text(f"{root}\n{sysconfig.get_path('purelib')}\n")


def run_tests(root: Path, arguments: Sequence[str]) -> int:
    """Run pytest on the copy, and return its exit code if all modules were those of the copy."""
    for name in [name for name in sys.modules if name.partition(".")[0] in PACKAGES]:
        del sys.modules[name]
    importlib.invalidate_caches()
    os.chdir(root)
    sys.path[:] = [str(root), *(path for path in sys.path if path and Path(path).resolve() != ROOT)]
    sys.executable = str(root / ".venv" / "bin" / "python")
    os.environ.pop("PYTHONPATH", None)
    import pytest

    code = int(pytest.main(list(arguments)))
    modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in PACKAGES}
    elsewhere = [
        name
        for name, module in modules.items()
        if (file := getattr(module, "__file__", None)) and not Path(file).is_relative_to(root)
    ]
    if elsewhere or "mcp_server" not in modules or "db" not in modules:
        print(f"Not imported from the copy: {elsewhere or 'mcp_server and db'}")
        return ELSEWHERE
    return code


def preload() -> None:
    """Import what the tests need of other packages, so that forked processes need not."""
    code = (
        "import mcp_server.http.serve, mcp_server.sqlite_migration.run, tests.conftest, sys;"
        "print(*(name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True)
    # Pytest has to import its own plugins.
    left_out = {*PACKAGES, "__main__", "alembic", "pytest", "_pytest", "pytest_docker", "hypothesis", "anyio"}
    for name in done.stdout.split():
        if name.partition(".")[0] not in left_out:
            importlib.import_module(name)
