"""Restricted processes that read untrusted bytes: started without secrets, and ended in time."""

import os
import subprocess
import sys
from pathlib import Path

# Only what Python may need to start. The rest of the environment may contain secrets.
ENVIRONMENT = {
    name: os.environ[name] for name in os.environ.keys() & {"PATH", "LD_LIBRARY_PATH", "SYSTEMROOT"}
}
# The exit status after the limit on processor time.
TOOK_TOO_LONG = -24


def start(program: Path, *arguments: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (every word of it is ours)
        [sys.executable, "-I", str(program), *map(str, arguments)],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def converse(process: subprocess.Popen[bytes], data: bytes, seconds: float) -> bytes:
    """Return what a process answers to *data*. Raise TimeoutError if that takes too long."""
    with process:
        try:
            answer = process.communicate(data, seconds)[0]
        except subprocess.TimeoutExpired:
            raise TimeoutError from None
        finally:
            process.kill()
    if process.returncode == TOOK_TOO_LONG:
        raise TimeoutError
    return answer
