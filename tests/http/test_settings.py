"""What a listening server is told, and what it does not take."""

import pytest

from mcp_server import cli
from mcp_server.settings import SettingsError, load


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("allowed_host", "*"),
        ("allowed_host", "https://gear.example"),
        ("allowed_host", "gear.example, *.example"),
        ("allowed_host", " "),
        ("public_url", "gear.example"),
        ("public_url", "https://gear.example/mcp"),
        ("public_url", "https://user@gear.example"),
        ("public_url", "javascript://gear.example"),
        ("trusted_proxy", "*"),
        ("trusted_proxy", "proxy.example"),
        ("metrics_from", "10.0.0.1/8"),
        ("port", "65536"),
        ("host", ""),
    ],
)
def test_what_would_let_anybody_in_or_means_nothing_stops_the_start(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^GEARSHED_{name.upper()}: "):
        load({"http": True, name: value})


def test_over_http_nobody_is_served_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["serve", "--http", "--user", "ada"]) == 1
    assert "keys say whose collection is served" in str(capsys.readouterr().err)
