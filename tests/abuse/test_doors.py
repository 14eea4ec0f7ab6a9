"""Doors of a served process, tried with real requests."""

from pathlib import Path

import httpx2
import pytest

from mcp_server import cli
from mcp_server.http.proxy import is_address
from mcp_server.settings import Settings
from scripts.served import served

INSPECTOR = "https://inspector.example"


def test_every_setting_that_is_not_a_url_of_a_database_is_an_option_of_serve(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        cli.run(["serve", "--help"])
    shown = str(capsys.readouterr().out)
    names = [name for name, field in Settings.model_fields.items() if not field.validation_alias]
    assert [name for name in names if f"--{name.replace('_', '-')}" not in shown] == []


def test_a_page_of_an_origin_from_the_command_line_may_use_the_server_and_no_other(
    url: str, tmp_path: Path
) -> None:
    with (
        served(url, tmp_path / "log", "--allowed-origin", INSPECTOR) as server,
        httpx2.Client(base_url=server.url) as http,
    ):
        for path in ("/mcp", "/mcp/", "/token", "/register", "/.well-known/oauth-authorization-server"):
            asked = {"Origin": INSPECTOR, "Access-Control-Request-Method": "POST"}
            answer = http.options(path, headers=asked)
            assert answer.headers["access-control-allow-origin"] == INSPECTOR
        for path in ("/account", "/account/password", "/account/writes", "/sign-in", "/metrics"):
            answer = http.get(path, headers={"Origin": INSPECTOR})
            assert answer.status_code == 403
            assert "access-control-allow-origin" not in answer.headers
        for origin in ("null", "http://evil.example", f"{INSPECTOR}.evil.example"):
            assert http.post("/mcp", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("text", ["::1%eth0", "fe80::1%25x", "unknown", "_x", "", "1.2.3.4:80", "1.2.3"])
def test_a_name_within_a_network_is_not_the_address_of_a_client(text: str) -> None:
    """A zone is free text, so one client could count as any number of addresses."""
    assert not is_address(text)
    assert is_address(text.partition("%")[0]) == ("%" in text)
