"""Fetch untrusted URLs, from public addresses only, to prevent server-side request forgery."""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib.metadata import version
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Thread
from typing import TypeAlias

import httpcore2
import httpx2
from httpcore2 import SOCKET_OPTION

from mcp_server.errors import Forbidden, InvalidInput, TimedOut, Unavailable
from mcp_server.turns import Turn, Turns

Address: TypeAlias = IPv4Address | IPv6Address

LARGEST = 10 * 1024 * 1024
REDIRECTS, MOST_REDIRECTS = (301, 302, 303, 307, 308), 3
# Timeouts for the whole fetch, and for connecting to each address.
SECONDS, SECONDS_TO_CONNECT = 8.0, 3.0
# Fetches, including their name look-ups: per user, and in all.
FETCHES = Turns(2, 8, "fetches")
HEADERS = [
    ("User-Agent", f"gearshed/{version('gearshed')}"),
    # Content is never decompressed, so it cannot exceed the size limit afterwards.
    ("Accept-Encoding", "identity"),
]
HOST = re.compile(rb"[\w.:-]+")
# Numeric host names that resolvers accept as addresses: 2130706433, 0x7f.1, 0177.0.0.1.
NUMERIC = re.compile(r"(^|\.)(\d+|0x[\da-f]*)\.?$", re.IGNORECASE | re.ASCII)
# Listed explicitly, because ipaddress considers some of them global, depending on the release of Python.
# Public IPv6 addresses are in 2000::/3. Addresses that embed IPv4 are outside it, except Teredo and 6to4.
REFUSED_4 = """
    0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
    192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/3
"""
REFUSED_6 = "::/3 4000::/2 8000::/1 2001::/23 2001:db8::/32 2002::/16 3fff::/20"
# The host of an Azure virtual machine.
AZURE = "168.63.129.16/32"
REFUSED = tuple(map(ip_network, f"{REFUSED_4} {REFUSED_6} {AZURE}".split()))
INSTEAD = "Check the URL, or send the content itself."


def is_public(address: Address) -> bool:
    """Return whether *address* is a unicast address on the public internet."""
    return address.is_global and not any(address in network for network in REFUSED)


async def resolve(host: str, port: int) -> list[Address]:
    """Return the addresses of *host*; an empty list if it does not resolve.

    The resolver runs in a daemon thread, so that neither a cancelled call nor a shutdown waits for it. It
    cannot be stopped, and may take longer than the fetch, whose turn therefore lasts until it ends.
    """
    answer: Future[list[Address]] = Future()

    def ask() -> None:
        answer.set_running_or_notify_cancel()
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answer.set_result([ip_address(address[0]) for *_, address in found])

    Thread(target=ask, daemon=True).start()
    return await asyncio.wrap_future(answer)


@dataclass(frozen=True)
class Rules:
    """The restrictions on URLs. Only tests change them."""

    ports: Collection[int] = (80, 443)
    allows: Callable[[Address], bool] = is_public
    resolve: Callable[[str, int], Awaitable[list[Address]]] = resolve
    tls: ssl.SSLContext | None = None


class Guard(httpcore2.AsyncNetworkBackend):
    """Connects only to addresses that passed the check. A name is resolved once, before the check."""

    def __init__(self, rules: Rules, turn: Turn) -> None:
        self.rules = rules
        self.turn = turn
        # It is a subclass, but httpcore2 defines a placeholder of the same name for when anyio is missing.
        self.backend: httpcore2.AsyncNetworkBackend = httpcore2.AnyIOBackend()  # pyright: ignore[reportAttributeAccessIssue]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        if port not in self.rules.ports:
            raise Forbidden(f"url: only ports 80 and 443 are allowed. {INSTEAD}")
        addresses = await self._addresses(host, port)
        if not all(map(self.rules.allows, addresses)):
            raise Forbidden(f"url: the host is not on the public internet. {INSTEAD}")
        for address in addresses:
            try:
                return await self.backend.connect_tcp(
                    str(address), port, SECONDS_TO_CONNECT, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        raise httpcore2.ConnectError

    async def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            if NUMERIC.search(host):
                raise Forbidden(f"url: the host must be a name or a plain IP address. {INSTEAD}") from None
        lookup = asyncio.ensure_future(self.rules.resolve(host, port))
        self.turn.extend(lookup)
        return await asyncio.shield(lookup)


async def fetch(
    url: str,
    rules: Rules = Rules(),
    seconds: float = SECONDS,
    *,
    accept: str = "image/*",
    user_id: int | None = None,
    largest: int = LARGEST,
    redirects: int = MOST_REDIRECTS,
) -> bytes:
    """Return the content of *url*: at most *largest* bytes, after at most *redirects* redirects.

    It waits for a turn of the user first, or raises Busy. The *seconds* do not include the wait.
    """
    at = checked(httpx2.URL, url)
    async with FETCHES.take(user_id) as turn:
        return await follow(at, Guard(rules, turn), seconds, accept, largest, redirects)


async def follow(
    at: httpx2.URL, guard: Guard, seconds: float, accept: str, largest: int, redirects: int
) -> bytes:
    try:
        async with (
            asyncio.timeout(seconds),
            httpcore2.AsyncConnectionPool(ssl_context=guard.rules.tls, network_backend=guard) as pool,
        ):
            for _ in range(1 + redirects):
                target = httpcore2.URL(
                    scheme=at.raw_scheme, host=at.raw_host, port=at.port, target=at.raw_path
                )
                async with pool.stream("GET", target, headers=[*HEADERS, ("Accept", accept)]) as response:
                    location = redirect(response)
                    if location is None:
                        return await body(response, largest)
                    at = checked(at.join, location)
            raise InvalidInput(f"url: redirects more than {redirects} times. {INSTEAD}")
    except (TimeoutError, httpcore2.TimeoutException):
        raise TimedOut(f"url: the host took longer than {seconds:g} seconds. {INSTEAD}") from None
    except (httpcore2.NetworkError, httpcore2.ProtocolError):
        raise Unavailable(f"url: the host is unreachable or its response is invalid. {INSTEAD}") from None


def checked(read: Callable[[str], httpx2.URL], text: str) -> httpx2.URL:
    """Parse *text* with *read* and return the URL, or raise InvalidInput if it cannot be fetched."""
    try:
        url = read(text)
    except (httpx2.InvalidURL, ValueError):
        url = httpx2.URL()
    if url.scheme not in ("http", "https") or not HOST.fullmatch(url.raw_host):
        raise InvalidInput(f"url: must be an http or https URL. {INSTEAD}")
    if url.userinfo:
        raise InvalidInput("url: must not contain a user name or password. Leave them out.")
    return url


def redirect(response: httpcore2.Response) -> str | None:
    """Return the redirect target of *response*, or None for status 200. Raise InvalidInput otherwise."""
    headers = {name.lower(): value for name, value in response.headers}
    if response.status in REDIRECTS and b"location" in headers:
        return headers[b"location"].decode(errors="replace")
    if response.status != 200:
        raise InvalidInput(f"url: the host returned HTTP status {response.status}. {INSTEAD}")
    return None


async def body(response: httpcore2.Response, largest: int) -> bytes:
    data = bytearray()
    async for chunk in response.aiter_stream():
        data += chunk
        if len(data) > largest:
            raise InvalidInput(f"url: the content exceeds {largest / 2**20:g} MB. Find a smaller copy.")
    return bytes(data)
