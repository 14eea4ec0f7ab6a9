"""Passwords: argon2id, off the event loop, because it is slow on purpose."""

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mcp_server.errors import InvalidInput

SHORTEST, LONGEST = 10, 1000
# Compared where nobody has a password, because that has to cost the same. Of a random text that nobody knows.
NOBODYS = "$argon2id$v=19$m=65536,t=3,p=4$DJKPL4Z3VuqsDNkNy0JW6Q$JZ8wkXiaD0zCoRyFZvnfDEzldRwsqbsotC2rREEJHQ0"
# Seconds that each comparison takes at least: hashes of the old application are made faster than ours.
PAUSE = 0.3
# Each takes 64 MB and a core: more at once would only make all of them slower, and the server with them.
AT_ONCE = anyio.CapacityLimiter(2)
HASHER = PasswordHasher()


def check(password: str) -> None:
    """Refuse a password that is too easy to guess, or too long to be one."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"password: must have {SHORTEST} to {LONGEST} characters.")
    if len(set(password)) < 5:
        raise InvalidInput("password: must have at least 5 different characters.")


async def hashed(password: str) -> str:
    """Return how a password is stored."""
    return await anyio.to_thread.run_sync(HASHER.hash, password, limiter=AT_ONCE)


async def matches(stored: str | None, password: str) -> bool:
    """Whether *password* is the one that is stored; that takes as long when there is none."""
    started = anyio.current_time()
    result = await anyio.to_thread.run_sync(verified, stored or NOBODYS, password, limiter=AT_ONCE)
    await anyio.sleep_until(started + PAUSE)
    return result and stored is not None


def verified(stored: str, password: str) -> bool:
    try:
        return len(password) <= LONGEST and HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
