"""OAuth codes and tokens. All tokens that derive from one consent form a family."""

import base64
import hashlib
import hmac
import re
import secrets
from uuid import UUID

from psycopg import AsyncConnection

from db.query import fetch_all, fetch_one, fetch_value
from mcp_server.accounts import client, turn
from mcp_server.accounts.key import digest
from mcp_server.models.auth import Principal
from mcp_server.models.oauth import SCOPES, Asked, Code, Grant, OAuthError, Pair, Replayed, TokenOwner, Tokens

ACCESS_SECONDS = 3600
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


async def allow(conn: AsyncConnection, user_id: int, asked: Asked) -> str:
    """Store what the user allowed and return an authorization code. It is valid once, for 60 seconds.

    The caller has to check the session after *turn.issuing*, in the same transaction.
    """
    code = secrets.token_urlsafe(32)
    # Used codes are kept for a day to detect reuse.
    await conn.execute("DELETE FROM oauth_codes WHERE expires_at < now() - interval '1 day'")
    await client.keep(conn, asked.client_id)
    await conn.execute(
        """
        INSERT INTO oauth_codes (
            user_id, client_id, code, code_challenge, code_challenge_method, redirect_uri, scopes, resource,
            expires_at
        )
        VALUES (
            %(user_id)s, %(client_id)s, %(code)s, %(code_challenge)s, 'S256', %(redirect_uri)s, %(scopes)s,
            %(resource)s, now() + interval '60 seconds'
        )
        """,
        {**asked.model_dump(), "user_id": user_id, "code": digest(code)},
    )
    return code


async def redeem(
    conn: AsyncConnection, code: str, client_id: str, redirect_uri: str, verifier: str, resource: str
) -> Tokens:
    """Exchange a code for the first tokens of a family. Raise Replayed if the code was used before."""
    hashed = {"code": digest(code)}
    # Before the row is locked: a new password deletes the row while it holds the user's lock.
    owner = await fetch_value(conn, "SELECT user_id FROM oauth_codes WHERE code = %(code)s", hashed)
    if owner is not None:
        await turn.issuing(conn, owner)
    given = await fetch_one(
        conn,
        Code,
        """
        SELECT id, user_id, client_id, redirect_uri, code_challenge, code_challenge_method, scopes, resource,
            family, used, expires_at <= now() AS expired
        FROM oauth_codes
        WHERE code = %(code)s
        FOR UPDATE
        """,
        hashed,
    )
    if given and given.used:
        raise Replayed(given.family)
    if given is None or given.expired or given.client_id != client_id:
        raise OAuthError("invalid_grant", "The code is unknown, expired, or belongs to another client.")
    if given.redirect_uri != redirect_uri:
        raise OAuthError("invalid_grant", "redirect_uri differs from the authorization request.")
    if given.code_challenge_method != "S256" or not proves(verifier, given.code_challenge):
        raise OAuthError("invalid_grant", "code_verifier does not match the code_challenge.")
    bound = narrowed(given.resource, resource)
    await conn.execute("UPDATE oauth_codes SET used = true WHERE id = %(id)s", {"id": given.id})
    return await issue(conn, given.model_copy(update={"resource": bound}))


def proves(verifier: str, challenge: str) -> bool:
    """Return whether the S256 *challenge* was derived from *verifier*."""
    if not VERIFIER.fullmatch(verifier):
        return False
    made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
    return hmac.compare_digest(made, challenge.encode())


def narrowed(granted: str | None, asked: str) -> str | None:
    """Return the resource of new tokens: the one that was allowed, or *asked*, which may be a part of it.

    Some clients name it only here, so the whole server was allowed. *asked* is a resource of this server.
    """
    if not asked or granted is None:
        return asked or granted
    if asked != granted and not asked.startswith(f"{granted}/"):
        raise OAuthError("invalid_target", "resource differs from the one that was allowed.")
    return asked


async def refresh(
    conn: AsyncConnection, token: str, client_id: str, scopes: list[str], resource: str
) -> Tokens:
    """Return new tokens of the same family. Raise Replayed if the token was replaced earlier.

    A replaced token is accepted for another 60 seconds: a response can get lost, and a client may refresh
    twice concurrently. The client then uses one of the successors, so use of another is a replay.
    """
    hashed = {"hash": digest(token)}
    await lock(
        conn,
        await fetch_value(
            conn, "SELECT family FROM oauth_tokens WHERE refresh_token_hash = %(hash)s", hashed
        ),
    )
    pair = await fetch_one(
        conn,
        Pair,
        """
        SELECT id, user_id, client_id, scopes, resource, family, consented_at,
            coalesce(refresh_expires_at <= now(), false) AS expired,
            coalesce(rotated_at < now() - interval '60 seconds', false) OR EXISTS (
                SELECT FROM oauth_tokens AS sibling
                WHERE sibling.family = oauth_tokens.family AND sibling.parent_id = oauth_tokens.parent_id
                AND sibling.id <> oauth_tokens.id AND sibling.rotated_at IS NOT NULL
            ) AS replayed
        FROM oauth_tokens
        WHERE refresh_token_hash = %(hash)s
        """,
        hashed,
    )
    if pair is None or pair.expired or pair.client_id != client_id:
        raise OAuthError(
            "invalid_grant", "The refresh token is unknown, expired, or belongs to another client."
        )
    if pair.replayed:
        raise Replayed(pair.family)
    bound = narrowed(pair.resource, resource)
    if not set(scopes) & set(SCOPES) <= set(pair.scopes):
        raise OAuthError("invalid_scope", "scope exceeds what was allowed.")
    await conn.execute(
        "UPDATE oauth_tokens SET rotated_at = coalesce(rotated_at, now()) WHERE id = %(id)s", {"id": pair.id}
    )
    return await issue(conn, pair.model_copy(update={"resource": bound}), pair)


async def issue(conn: AsyncConnection, given: Code | Pair, parent: Pair | None = None) -> Tokens:
    """Store and return new tokens. *parent*: the tokens that they replace.

    The access token expires after an hour, the refresh token after 30 days, at most 180 days after consent.
    """
    await conn.execute(
        """
        DELETE FROM oauth_tokens
        WHERE user_id = %(user_id)s AND greatest(expires_at, refresh_expires_at) <= now()
        """,
        {"user_id": given.user_id},
    )
    access_token, refresh_token = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    await conn.execute(
        """
        INSERT INTO oauth_tokens (
            user_id, client_id, scopes, resource, family, consented_at, access_token_hash, refresh_token_hash,
            expires_at, refresh_expires_at, parent_id
        )
        VALUES (
            %(user_id)s, %(client_id)s, %(scopes)s, %(resource)s, %(family)s,
            coalesce(%(consented_at)s, now()), %(access)s, %(refresh)s,
            now() + make_interval(secs => %(seconds)s),
            least(now() + interval '30 days', coalesce(%(consented_at)s, now()) + interval '180 days'),
            %(parent_id)s
        )
        """,
        {
            **given.model_dump(include={"user_id", "client_id", "scopes", "resource", "family"}),
            "consented_at": parent and parent.consented_at,
            "parent_id": parent and parent.id,
            "access": digest(access_token),
            "refresh": digest(refresh_token),
            "seconds": ACCESS_SECONDS,
        },
    )
    return Tokens(
        access_token=access_token,
        expires_in=ACCESS_SECONDS,
        refresh_token=refresh_token,
        scope=" ".join(given.scopes),
    )


async def find_token(conn: AsyncConnection, token: str, resource: str) -> Principal | None:
    """Return the caller with an access token for *resource*, or None.

    A token for a URL is also valid for the paths below it. Tokens of the old application have no resource and
    are valid everywhere.
    """
    return await fetch_one(
        conn,
        Principal,
        """
        SELECT oauth_tokens.user_id, oauth_tokens.scopes,
            coalesce(oauth_clients.client_name, oauth_clients.client_id) AS client, true AS by_consent,
            extract(epoch FROM oauth_tokens.expires_at - now())::float AS seconds_left
        FROM oauth_tokens
        JOIN oauth_clients ON oauth_clients.client_id = oauth_tokens.client_id
        WHERE oauth_tokens.access_token_hash = %(hash)s
        AND oauth_tokens.expires_at > now()
        AND (
            oauth_tokens.resource IS NULL
            OR oauth_tokens.resource = %(resource)s
            OR starts_with(%(resource)s, oauth_tokens.resource || '/')
        )
        """,
        {"hash": digest(token), "resource": resource},
    )


async def revoke(conn: AsyncConnection, token: str, client_id: str) -> UUID | None:
    """Revoke the family of an access or refresh token and return it, or None if the token is unknown."""
    pair = await fetch_one(
        conn,
        TokenOwner,
        """
        SELECT client_id, family
        FROM oauth_tokens
        WHERE access_token_hash = %(hash)s OR refresh_token_hash = %(hash)s
        """,
        {"hash": digest(token)},
    )
    if pair is None:
        return None
    if pair.client_id != client_id:
        raise OAuthError("invalid_grant", "The token belongs to another client.")
    await end(conn, pair.family)
    return pair.family


async def end(conn: AsyncConnection, family: UUID, user_id: int | None = None) -> None:
    """Revoke every token of the family; with *user_id*, only if it belongs to that user."""
    await lock(conn, family)
    await conn.execute(
        """
        DELETE FROM oauth_tokens
        WHERE family = %(family)s AND user_id = coalesce(%(user_id)s, user_id)
        """,
        {"family": family, "user_id": user_id},
    )


async def end_all(conn: AsyncConnection, user_id: int) -> None:
    """Revoke everything that the user has allowed, and codes that are not redeemed yet."""
    await conn.execute("DELETE FROM oauth_codes WHERE user_id = %(user_id)s", {"user_id": user_id})
    for grant in await grants(conn, user_id):
        await end(conn, grant.family)


async def lock(conn: AsyncConnection, family: UUID | None) -> None:
    """Lock the family against refreshes and revocation until the end of the transaction.

    Without the lock, a revocation would not see tokens that a concurrent transaction is issuing.
    """
    await conn.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended(%(family)s::text, 0))", {"family": family}
    )


async def grants(conn: AsyncConnection, user_id: int) -> list[Grant]:
    """Return the user's valid grants, the most recently renewed first."""
    return await fetch_all(
        conn,
        Grant,
        """
        SELECT oauth_tokens.family, coalesce(oauth_clients.client_name, oauth_clients.client_id) AS client,
            oauth_clients.redirect_uris, oauth_tokens.scopes, min(oauth_tokens.consented_at) AS since,
            max(oauth_tokens.created_at) AS renewed
        FROM oauth_tokens
        JOIN oauth_clients ON oauth_clients.client_id = oauth_tokens.client_id
        WHERE oauth_tokens.user_id = %(user_id)s
        AND greatest(oauth_tokens.expires_at, oauth_tokens.refresh_expires_at) > now()
        GROUP BY oauth_tokens.family, oauth_clients.id, oauth_tokens.scopes
        ORDER BY renewed DESC, oauth_tokens.family
        """,
        {"user_id": user_id},
    )
