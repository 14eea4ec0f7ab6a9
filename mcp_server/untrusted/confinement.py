"""What a process gives up before it reads untrusted bytes: privileges, memory, time, and opening files.

The scripts that run as such processes import nothing else of Gearshed.
"""

import os
import sys
from contextlib import suppress

if sys.platform != "win32":
    import resource
if sys.platform == "linux":
    import ctypes

# A user and group without an account or other processes. PostgreSQL can run as nobody, so it is not that one.
UNPRIVILEGED = 65533
NICENESS = 10
# From linux/prctl.h and linux/capability.h.
SET_DUMPABLE, DROP_BOUNDING, SET_NO_NEW_PRIVILEGES = 4, 24, 38
CAPABILITIES, CAPABILITY_VERSION = 64, 0x20080522


def drop_privileges() -> None:
    """Give up root and all capabilities, for good.

    Each step is attempted on its own. In a user namespace with a single user, the user stays the same.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None)
        libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]
        for capability in range(CAPABILITIES):
            libc.prctl(DROP_BOUNDING, capability, 0, 0, 0)
    if sys.platform != "win32" and os.geteuid() == 0:
        with suppress(OSError):
            os.setgroups([])
        with suppress(OSError):
            os.setgid(UNPRIVILEGED)
        with suppress(OSError):
            os.setuid(UNPRIVILEGED)
    if sys.platform == "linux":
        # Of this thread, the only one: no capability is effective, permitted or inheritable.
        libc.capset((ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)())
        libc.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        libc.prctl(SET_DUMPABLE, 0, 0, 0, 0)


def limit_memory(size: int) -> None:
    """Limit the address space to *size* bytes. Where this is not supported, only pixels are limited."""
    limit("RLIMIT_AS", size, size)


def limit_resources(seconds: int) -> None:
    """Limit the processor time, and forbid new processes and threads, written files and opened files.

    The server, which answers all users, comes first on a processor.
    """
    if sys.platform != "win32":
        os.nice(NICENESS)
    limit("RLIMIT_CPU", seconds, seconds + 1)
    for name in ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_CORE"):
        limit(name, 0, 0)
    # Standard input, output and error are open already.
    limit("RLIMIT_NOFILE", 3, 3)


def limit(name: str, soft: int, hard: int) -> None:
    """Set a limit, if the system supports it."""
    if sys.platform != "win32":
        with suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (soft, hard))
