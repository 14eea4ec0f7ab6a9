"""Fetching a URL: only public addresses, limits on time and size, and no information leak."""

import asyncio
import socket
import ssl
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from gzip import compress
from ipaddress import ip_address
from typing import Any

import anyio
import httpx2
import pytest
import trustme

from mcp_server.errors import AppError, Busy, Forbidden, InvalidInput, TimedOut, Unavailable
from mcp_server.turns import Turns
from mcp_server.untrusted import fetch as fetching
from mcp_server.untrusted.fetch import LARGEST, Address, Rules, fetch, is_public
from tests.listener import Listener, listening, ok, redirect_to

SECRET = "Zsecretz"
LOOPBACK = ip_address("127.0.0.1")

# None may be connected to, whether from a URL, a name that resolves to it, or a redirect.
SPECIAL = """
    0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.100.100.200 100.127.255.255 127.0.0.1
    127.255.255.254 168.63.129.16 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170
    192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1
    239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
    64:ff9b::808:808 64:ff9b:1::7f00:1 100::1 2001::1 2001:0:7f00:1:: 2001:2::1 2001:10::1 2001:20::1
    2001:db8::1 2002:7f00:1:: 2002:808:808::1 3fff::1 4000::1 5f00::1 8000::1 fc00::1 fd00:ec2::254 fe80::1
    fe80::1%lo fec0::1 ff02::1 ff0e::1
"""
PUBLIC = """
    1.1.1.1 8.8.8.8 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.0.1.1 198.17.0.1 223.255.255.255
    2001:4860:4860::8888 2606:4700:4700::1111 2a00:1450:4001::1
"""
# Spellings of a host that lead, or may lead, to this machine or to an unexpected one.
DISGUISED = """
    127.1 127.0.1 2130706433 017700000001 0177.0.0.1 0177.1 0x7f.0.0.1 0x7f000001 0X7F.1 0 00 0x0 127.0.0.1.
    134744072 8.8.2056 0x8.0x8.0x8.0x8 010.010.010.010 1.2.3 1.2.3.4.5 256.1.1.1 example.0x7f example.1
    localhost LOCALHOST %31%32%37.0.0.1 ①②⑦.⓪.⓪.① １２７.０.０.１ 127。0。0。1
    [::ffff:7f00:1] [0:0:0:0:0:0:0:1] [::1%25lo] [::1 [127.0.0.1] [v1.a]
    user@127.0.0.1 user:word@pictures.test @127.0.0.1 pictures.test@127.0.0.1 127.0.0.1\\@pictures.test
    127.0.0.1\\.pictures.test 127.0.0.1%00.pictures.test 127.0.0.1%2f@pictures.test 127.0.0.1%23@pictures.test
"""


def names(**hosts: str) -> Callable[[str, int], Awaitable[list[Address]]]:
    """A resolver: `pictures="127.0.0.1 ::1"` is what pictures.test has. It asks the system for others."""

    async def resolve(host: str, port: int) -> list[Address]:
        name = host.removesuffix(".test")
        return (
            list(map(ip_address, hosts[name].split()))
            if name in hosts
            else await fetching.resolve(host, port)
        )

    return resolve


def friendly(listener: Listener, **options: Any) -> Rules:
    """Rules that allow only the listener on 127.0.0.1."""
    hosts = names(pictures="127.0.0.1", other="127.0.0.1", inside="127.0.0.2")
    return replace(Rules((listener.port,), LOOPBACK.__eq__, hosts), **options)


async def get(listener: Listener, path: str = "/", **options: Any) -> bytes:
    return await fetch(f"http://pictures.test:{listener.port}{path}", friendly(listener), **options)


async def refusal(url: str, rules: Rules, kind: type[AppError] = AppError, **options: Any) -> str:
    with pytest.raises(kind) as refused:
        await fetch(url, rules, **options)
    return str(refused.value)


@pytest.mark.parametrize("address", SPECIAL.split())
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC.split())
def test_an_ordinary_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))


async def test_without_the_guard_a_listener_is_reached_by_many_of_the_disguises() -> None:
    """Control for the tests below: without the guard, these hosts do reach the listener."""
    async with listening(ok(b"secret")) as listener:
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"http://127.0.0.1:{listener.port}/")).content == b"secret"
        assert listener.connections == 1
        for host in DISGUISED.split():
            try:
                _, writer = await asyncio.open_connection(host.strip("[]"), listener.port)
                writer.close()
            except (OSError, UnicodeError):
                continue
    assert listener.connections >= 10


async def test_no_way_to_write_a_host_leads_to_a_special_address() -> None:
    addresses = [f"[{host}]" if ":" in host else host for host in SPECIAL.split()]
    async with listening(ok(b"secret")) as listener:
        rules = Rules(ports=(listener.port,), resolve=names(pictures="127.0.0.1"))
        for host in [*addresses, *DISGUISED.split()]:
            text = await refusal(f"http://{host.replace('%lo', '%25lo')}:{listener.port}/x.png", rules)
            assert text.startswith(("[forbidden] url: ", "[invalid_input] url: ")), (host, text)
    assert listener.connections == 0


@pytest.mark.parametrize("address", SPECIAL.split())
@pytest.mark.parametrize("answers", ["{}", "93.184.216.34 {}", "{} 93.184.216.34", "2606:4700::1 {} 8.8.8.8"])
async def test_a_name_is_refused_if_any_of_its_addresses_is_special(address: str, answers: str) -> None:
    async with listening(ok(b"secret")) as listener:
        rules = Rules(ports=(listener.port,), resolve=names(pictures=answers.format(address)))
        text = await refusal(f"http://pictures.test:{listener.port}/", rules, Forbidden)
    assert listener.connections == 0
    assert address not in text.split()


async def test_a_name_is_resolved_once_and_connected_to_by_that_answer() -> None:
    """DNS rebinding: a name is not resolved a second time."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[Address]:
        asked.append(host)
        return [LOOPBACK] if len(asked) == 1 else [ip_address("127.0.0.2")]

    async with listening(ok(b"picture")) as listener:
        rules = friendly(listener, resolve=rebinding)
        assert await fetch(f"http://pictures.test:{listener.port}/", rules) == b"picture"
    assert (asked, listener.connections) == (["pictures.test"], 1)
    assert f"Host: pictures.test:{listener.port}\r\n".encode() in listener.requests[0]


@pytest.mark.parametrize("port", [1, 22, 25, 5432, 6379, 8000, 8080, 65535])
async def test_only_the_two_ports_of_the_web_are_fetched(port: int) -> None:
    rules = Rules(resolve=names(pictures="93.184.216.34"))
    for scheme in ("http", "https"):
        text = await refusal(f"{scheme}://pictures.test:{port}/", rules, Forbidden)
        assert "only ports 80 and 443" in text


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://pictures.test/x", "gopher://127.0.0.1/", "http:///x", "http://", "x"]
)
async def test_only_http_is_fetched(url: str) -> None:
    assert "http or https" in await refusal(url, Rules(resolve=names()), InvalidInput)


@pytest.mark.parametrize("credentials", ["ada", "ada:secret", ":secret", "ada%40example.com:"])
async def test_a_url_with_credentials_is_refused(credentials: str) -> None:
    async with listening(ok(b"picture")) as listener:
        url = f"http://{credentials}@pictures.test:{listener.port}/"
        text = await refusal(url, friendly(listener), InvalidInput)
    assert "must not contain a user name or password" in text
    assert "secret" not in text
    assert listener.connections == 0


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a 127.0.0.2")
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:{port}/",
        "//127.0.0.2:{port}/",
        "http://inside.test:{port}/",
        "http://2130706434:{port}/",
        "http://0x7f.2:{port}/",
        "http://[::ffff:127.0.0.2]:{port}/",
        "http://pictures.test@127.0.0.2:{port}/",
        "HTTP://127.0.0.2:{port}/",
        "http://127.0.0.2:22/",
        "file:///etc/passwd",
        "http://[",
        "javascript:alert(1)",
    ],
)
async def test_a_redirect_is_checked_like_a_url(location: str, status: int) -> None:
    async with (
        listening() as friend,
        listening(ok(b"secret"), host="127.0.0.2", port=friend.port) as victim,
    ):
        friend.answers = [redirect_to(location.format(port=friend.port), status)]
        text = await refusal(f"http://pictures.test:{friend.port}/", friendly(friend))
        assert (friend.connections, victim.connections) == (1, 0)
        assert "127.0.0.2" not in text
        # Control: without the guard, the listener does answer.
        assert await fetch(f"http://127.0.0.2:{friend.port}/", friendly(victim, allows=bool)) == b"secret"


async def test_three_redirects_are_followed_and_no_fourth() -> None:
    async with listening() as listener:
        there = f"http://other.test:{listener.port}/there"
        listener.answers = [redirect_to("/next?a=b"), redirect_to("next"), redirect_to(there), ok(b"picture")]
        assert await get(listener) == b"picture"
        paths = [request.split()[1] for request in listener.requests]
        assert paths == [b"/", b"/next?a=b", b"/next", b"/there"]
        assert b"Host: other.test" in listener.requests[3]
    async with listening(redirect_to("/again")) as listener:
        assert "more than 3 times" in await refusal(f"http://127.0.0.1:{listener.port}/", friendly(listener))
        assert len(listener.requests) == 4


async def test_the_environment_names_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(ok(b"stolen")) as proxy, listening(ok(b"picture")) as listener:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        assert await get(listener) == b"picture"
        assert proxy.connections == 0
        async with httpx2.AsyncClient() as client:
            assert (await client.get("http://pictures.test/")).content == b"stolen"


async def test_a_request_sends_only_necessary_headers() -> None:
    async with listening(ok(b"picture", f"Set-Cookie: a={SECRET}")) as listener:
        await get(listener)
        await get(listener, "/2")
    first, *headers = listener.requests[1].decode().lower().splitlines()
    assert first == "get /2 http/1.1"
    assert {line.partition(":")[0] for line in headers if line} == {
        "host",
        "user-agent",
        "accept",
        "accept-encoding",
    }
    assert "accept-encoding: identity" in headers


async def test_the_certificate_has_to_be_for_the_name_in_the_url() -> None:
    authority = trustme.CA()
    ours, theirs = ssl.create_default_context(), ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.configure_trust(ours)  # pyright: ignore[reportUnknownMemberType]
    authority.issue_cert("pictures.test").configure_cert(theirs)  # pyright: ignore[reportUnknownMemberType]
    asked: list[str | None] = []
    theirs.sni_callback = lambda _socket, name, _context: asked.append(name)
    async with listening(ok(b"picture"), tls=theirs) as listener:
        rules = friendly(listener, tls=ours)
        assert await fetch(f"https://pictures.test:{listener.port}/", rules) == b"picture"
        for url in (f"https://other.test:{listener.port}/", f"https://127.0.0.1:{listener.port}/"):
            await refusal(url, rules, Unavailable)
        await refusal(f"https://pictures.test:{listener.port}/", friendly(listener), Unavailable)
    assert asked == ["pictures.test", "other.test", None, "pictures.test"]
    assert len(listener.requests) == 1


async def endless(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + bytes(0x10000) + b"\r\n")
        await writer.drain()


@pytest.mark.parametrize(
    "answer",
    [
        endless,
        ok(bytes(LARGEST + 1)),
        b"HTTP/1.1 200 OK\r\n\r\n" + bytes(LARGEST + 1),
        b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n" + bytes(LARGEST + 1),
    ],
    ids=["endless", "one byte too many", "without a length", "with a false length"],
)
async def test_more_than_ten_megabytes_are_refused_when_they_have_come(answer: Any) -> None:
    async with listening(answer) as listener:
        text = await refusal(f"http://127.0.0.1:{listener.port}/", friendly(listener), InvalidInput)
    assert "exceeds 10 MB" in text


async def test_ten_megabytes_are_fetched() -> None:
    async with listening(ok(bytes(LARGEST))) as listener:
        assert await get(listener) == bytes(LARGEST)


async def test_compressed_content_is_not_decompressed() -> None:
    packed = compress(bytes(50 * LARGEST))
    assert len(packed) < LARGEST
    async with listening(ok(packed, "Content-Encoding: gzip")) as listener:
        assert await get(listener) == packed


async def drip_headers(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n")
    await drip(writer)


async def drip_body(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n")
    await drip(writer)


async def drip(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def silence(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


async def slow_redirects(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(0.2)
    writer.write(redirect_to("/again"))


@pytest.mark.parametrize("answer", [silence, drip_headers, drip_body, slow_redirects])
async def test_the_time_limit_covers_the_whole_fetch(answer: Any) -> None:
    async with listening(answer) as listener:
        began = time.monotonic()
        url = f"http://127.0.0.1:{listener.port}/"
        assert "longer than 0.5 seconds" in await refusal(url, friendly(listener), TimedOut, seconds=0.5)
        assert 0.4 < time.monotonic() - began < 1.5
        assert listener.connections >= 1


async def test_a_name_that_does_not_resolve_does_not_block(monkeypatch: pytest.MonkeyPatch) -> None:
    late = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        late.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    began = time.monotonic()
    try:
        await refusal("http://pictures.test/", Rules(), TimedOut, seconds=0.2)
        assert time.monotonic() - began < 1
        waiting = [thread for thread in threading.enumerate() if "ask" in thread.name]
        assert [thread.daemon for thread in waiting] == [True]
    finally:
        late.set()


@pytest.fixture
def slow_names(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Look-ups that take until the end of the test."""
    late = threading.Event()

    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        late.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    yield
    late.set()


def lookups() -> int:
    return sum("ask" in thread.name for thread in threading.enumerate())


async def fetch_slowly(user_id: int, refused: list[type[AppError]] | None = None) -> None:
    with pytest.raises(AppError) as error:
        await fetch(f"http://pictures-{user_id}.test/", seconds=0.2, user_id=user_id)
    if refused is not None:
        refused.append(type(error.value))


@pytest.mark.usefixtures("slow_names")
async def test_without_turns_every_slow_name_has_a_thread() -> None:
    """Control for the tests below."""
    waiting = [asyncio.ensure_future(fetching.resolve(f"{n}.test", 80)) for n in range(100)]
    await anyio.wait_all_tasks_blocked()
    assert lookups() == 100
    for lookup in waiting:
        lookup.cancel()


@pytest.mark.usefixtures("slow_names")
@pytest.mark.parametrize(("users", "threads"), [(1, 2), (3, 6), (100, 8)])
async def test_a_thousand_slow_names_have_eight_threads_and_two_per_user(
    monkeypatch: pytest.MonkeyPatch, users: int, threads: int
) -> None:
    """The fetches time out long before the look-ups end, but do not make room for more of them."""
    monkeypatch.setattr(fetching, "FETCHES", Turns(2, 8, "fetches", patience=1))
    refused: list[type[AppError]] = []
    most = 0
    async with anyio.create_task_group() as group:
        for n in range(1000):
            group.start_soon(fetch_slowly, n % users, refused)
        while len(refused) < 1000:
            most = max(most, lookups())
            await anyio.sleep(0.02)
    assert most == lookups() == threads
    assert (refused.count(TimedOut), refused.count(Busy)) == (threads, 1000 - threads)


@pytest.mark.usefixtures("slow_names")
async def test_a_user_whose_names_are_slow_keeps_no_other_user_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "FETCHES", Turns(2, 8, "fetches"))
    async with listening(ok(b"picture")) as listener, anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(fetch_slowly, 1)
        await anyio.wait_all_tasks_blocked()
        assert lookups() == 2
        with anyio.fail_after(2):
            assert await get(listener, user_id=2) == b"picture"
        group.cancel_scope.cancel()


async def test_two_fetches_of_a_user_and_eight_in_all_are_in_progress(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetching, "FETCHES", Turns(2, 8, "fetches"))
    async with listening(silence) as listener, anyio.create_task_group() as group:

        async def ask(user_id: int) -> None:
            await get(listener, user_id=user_id)

        for _ in range(5):
            group.start_soon(ask, 1)
        await until_requests(listener, 2)
        for user_id in range(2, 12):
            group.start_soon(ask, user_id)
        await until_requests(listener, 8)
        group.cancel_scope.cancel()


async def until_requests(listener: Listener, number: int) -> None:
    """Wait for *number* requests, and assert that no more arrive."""
    with anyio.fail_after(5):
        while len(listener.requests) < number:  # noqa: ASYNC110 (a listener announces nothing)
            await anyio.sleep(0.01)
    await anyio.sleep(0.1)
    assert len(listener.requests) == number


@pytest.mark.parametrize("status", [204, 206, 300, 304, 400, 401, 404, 418, 500, 503, 999])
async def test_an_error_status_is_reported_without_the_body(status: int) -> None:
    answer = f"HTTP/1.1 {status} {SECRET}\r\nX-Header: {SECRET}\r\nContent-Length: 8\r\n\r\n{SECRET}"
    async with listening(answer.encode()) as listener:
        text = await refusal(f"http://127.0.0.1:{listener.port}/", friendly(listener), InvalidInput)
    assert f"HTTP status {status}." in text
    assert SECRET not in text


@pytest.mark.parametrize(
    "answer",
    [
        f"SSH-2.0-{SECRET}\r\n\r\n".encode(),
        b"HTTP/1.1 200 OK\r\nContent-Length: nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + bytes(200_000),
        b"\x00\xff" * 500,
    ],
    ids=["another protocol", "no number", "endless headers", "bytes"],
)
async def test_a_response_that_is_not_http_is_unavailable(answer: bytes) -> None:
    async def say(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    async with listening(say) as listener:
        text = await refusal(f"http://127.0.0.1:{listener.port}/", friendly(listener), Unavailable)
    assert SECRET not in text


async def test_an_unreachable_host_is_unavailable() -> None:
    async with listening() as listener:
        rules = friendly(listener, resolve=names(nowhere="", pictures="127.0.0.1"))
    for host in ("nowhere", "pictures"):
        await refusal(f"http://{host}.test:{listener.port}/", rules, Unavailable)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has a 127.0.0.3")
async def test_when_one_address_does_not_answer_the_next_one_is_tried() -> None:
    async with listening(ok(b"picture")) as listener:
        rules = friendly(listener, resolve=names(pictures="127.0.0.3 127.0.0.1"), allows=bool)
        assert await fetch(f"http://pictures.test:{listener.port}/", rules) == b"picture"


async def test_the_system_resolves_names() -> None:
    assert LOOPBACK in await fetching.resolve("localhost", 80)
    assert await fetching.resolve("a" * 64 + ".test", 80) == []
