"""Passwords: argon2id, computed in threads, because it is slow by design."""

import anyio
import anyio.to_thread
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from mcp_server.errors import InvalidInput

SHORTEST, LONGEST = 10, 1000
# The hash of a random text. Compared for users without a password, so that timing does not reveal them.
DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$DJKPL4Z3VuqsDNkNy0JW6Q$JZ8wkXiaD0zCoRyFZvnfDEzldRwsqbsotC2rREEJHQ0"
)
# Minimum duration of a comparison in seconds. Hashes of the old application are cheaper to verify than ours.
PAUSE = 0.3
# Each hash needs 64 MB and a core. More at a time would slow the whole server down.
AT_ONCE = anyio.CapacityLimiter(2)
HASHER = PasswordHasher()


def check(password: str) -> None:
    """Raise InvalidInput for a password that is too easy to guess or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"password: must have {SHORTEST} to {LONGEST} characters.")
    if len(set(password)) < 5:
        raise InvalidInput("password: must have at least 5 different characters.")


async def hashed(password: str) -> str:
    """Return the stored form of a password."""
    return await anyio.to_thread.run_sync(HASHER.hash, password, limiter=AT_ONCE)


async def matches(stored: str | None, password: str) -> bool:
    """Return whether *password* matches the stored hash. This takes the same time if there is no hash."""
    started = anyio.current_time()
    result = await anyio.to_thread.run_sync(verified, stored or DUMMY_HASH, password, limiter=AT_ONCE)
    await anyio.sleep_until(started + PAUSE)
    return result and stored is not None


def verified(stored: str, password: str) -> bool:
    try:
        return len(password) <= LONGEST and HASHER.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False
