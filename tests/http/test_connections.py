"""The table of open connections."""

from mcp_server.http.connections import Connections


def test_an_address_without_connections_is_forgotten() -> None:
    connections = Connections(100, 2)
    for number in range(50):
        address = f"192.0.2.{number}"
        assert [connections.admit(address) for _ in range(3)] == [True, True, False]
        connections.leave(address)
        assert connections.admit(address)
        connections.leave(address)
        connections.leave(address)
    assert not connections._open  # pyright: ignore[reportPrivateUsage]


def test_as_many_connections_are_admitted_as_are_set() -> None:
    connections = Connections(3, 10)
    assert [connections.admit(f"192.0.2.{number}") for number in range(4)] == [True, True, True, False]
    connections.leave("192.0.2.1")
    assert [connections.admit("192.0.2.9") for _ in range(2)] == [True, False]
