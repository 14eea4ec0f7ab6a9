"""The client's address behind trusted proxies."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware


class TrustedProxies:
    """Middleware that takes the client's address from X-Forwarded-For, if it is an address."""

    def __init__(self, app: Any, networks: Sequence[object]) -> None:
        self._app = app
        self._believing = ProxyHeadersMiddleware(self._check, [str(network) for network in networks])

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        scope["gearshed.peer"] = scope.get("client")
        await self._believing(scope, receive, send)

    async def _check(self, scope: Any, receive: Any, send: Any) -> None:
        """Go back to the proxy's own address if it forwarded anything else, such as `unknown`."""
        peer = scope.pop("gearshed.peer")
        if scope.get("client") and not is_address(scope["client"][0]):
            scope["client"] = peer
        await self._app(scope, receive, send)


def is_address(text: str) -> bool:
    """Return whether *text* is an IP address. A zone (`fe80::1%eth0`) means nothing to another host."""
    try:
        return "%" not in text and bool(ipaddress.ip_address(text))
    except ValueError:
        return False
