"""The rate of a user: what a minute allows, after a rest too."""

import pytest

from mcp_server.http import shares
from mcp_server.http.shares import Rate
from tests.http.test_address import Clock


def test_after_a_rest_a_user_may_send_what_a_minute_allows_and_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    monkeypatch.setattr(shares, "monotonic", clock)
    rate = Rate(60)

    def sent() -> int:
        """Return how many requests are allowed now."""
        count = 0
        while not rate.seconds(1) and count < 1000:
            rate.spend(1, 1)
            count += 1
        return count

    assert sent() == 60
    clock.now += 10
    assert sent() == 10
    assert sent() == 0
    clock.now += 3600
    assert sent() == 60
    assert rate.seconds(2) == 0
