"""The settings of a listening server."""

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
def test_an_unsafe_or_invalid_setting_is_a_startup_error(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^GEARSHED_{name.upper()}: "):
        load({"http": True, name: value})


def test_over_http_the_user_setting_is_a_startup_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["serve", "--http", "--user", "ada"]) == 1
    assert "the key or sign-in selects the user" in str(capsys.readouterr().err)
