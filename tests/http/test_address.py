"""Failed attempts per address: for how long they count, and how many addresses are remembered."""

import pytest

from mcp_server.http import address
from mcp_server.http.address import MOST_FAILURES, WITHIN, Failures


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(address, "monotonic", clock)
    return clock


def test_failures_are_forgotten_after_a_minute(clock: Clock) -> None:
    failures = Failures()
    for _ in range(MOST_FAILURES):
        assert not failures.too_many("192.0.2.1")
        failures.note("192.0.2.1")
    assert failures.too_many("192.0.2.1")
    clock.now += WITHIN - 1
    assert failures.too_many("192.0.2.1")
    clock.now += 1
    assert not failures.too_many("192.0.2.1")
    for _ in range(MOST_FAILURES):
        assert not failures.too_many("192.0.2.1")
        failures.note("192.0.2.1")
    assert failures.too_many("192.0.2.1"), "a new minute has begun"


def test_failures_of_a_whole_day_do_not_add_up(clock: Clock) -> None:
    failures = Failures()
    for _ in range(10 * MOST_FAILURES):
        failures.note("192.0.2.1")
        assert not failures.too_many("192.0.2.1")
        clock.now += WITHIN


def test_the_table_of_addresses_is_bounded_and_forgets_the_oldest(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "MOST_ADDRESSES", 3)
    failures = Failures()
    for number in range(4):
        for _ in range(MOST_FAILURES):
            failures.note(f"192.0.2.{number}")
    assert [failures.too_many(f"192.0.2.{number}") for number in range(4)] == [False, True, True, True]


async def test_the_table_of_known_keys_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "MOST_KNOWN", 3)
    failures = Failures()
    for number in range(4):
        failures.know(f"key {number}")
    assert len(failures._known) == 3  # pyright: ignore[reportPrivateUsage]
