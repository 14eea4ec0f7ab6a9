"""Known browsers: those from which a person signed in before, recognized by a cookie.

Wrong passwords from other places do not count against them. Nothing is stored: the password's hash signs the
cookie, so a new password ends it.
"""

import hashlib
import hmac
import secrets

from mcp_server.models.auth import Login

# Parts of a User-Agent and what they stand for. The first one that occurs counts, because most browsers also
# name others.
PROGRAMS = {
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "Chrome": "Chrome",
    "CriOS": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS X": "macOS",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}


def introduce(login: Login) -> str:
    """Return the cookie for a browser from which the person has just signed in."""
    number = secrets.token_urlsafe(16)
    return f"{number}.{signature(login, number)}"


def recognize(login: Login, cookie: str) -> str | None:
    """Return the number of a browser that is known to the person, or None."""
    number, _, signed = cookie.partition(".")
    if login.password_hash is None or not hmac.compare_digest(
        signature(login, number).encode(), signed.encode()
    ):
        return None
    return number


def signature(login: Login, number: str) -> str:
    secret, text = login.password_hash or "", f"known browser {number} of user {login.user_id}"
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def describe(user_agent: str) -> str | None:
    """Return a name such as `Firefox on Linux`, or None if the browser is unknown."""
    program = next((name for part, name in PROGRAMS.items() if part in user_agent), None)
    system = next((name for part, name in SYSTEMS.items() if part in user_agent), None)
    return f"{program} on {system}" if program and system else program or system
