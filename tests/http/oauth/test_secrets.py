"""Secrets are shown once, and are in no log, no error and no dump."""

import logging

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from mcp_server.http.oauth.site import Site
from scripts.browser import VERIFIER, Browser, Program, wish
from tests.http.oauth.conftest import web


def everything_in(url: str) -> str:
    """All rows of all tables, as in a dump."""
    with psycopg.connect(url) as conn:
        tables = conn.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        return "\n".join(
            str(conn.execute(SQL("TABLE {}").format(Identifier(name))).fetchall()) for (name,) in tables
        )


async def test_no_secret_is_in_a_log_an_error_or_the_database(
    site: Site, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with web(site) as http:
        browser, program = Browser(http), Program(http)
        await program.register(client_name="Claude")
        page = await browser.open("/account")
        visit = http.cookies["__Host-gearshed"]
        secrets = {"password": "Zwrong horse", "visit": visit, "form": page.forms[0].fields["token"]}
        replies = [(await browser.submit(page.forms[0], username="ada", password=secrets["password"]))]
        await browser.sign_in()
        page = await browser.ask(wish(program.client_id))
        page = await browser.submit(page.forms[0], decision="write")
        tokens = (await program.redeem(page.answer["code"])).json()
        renewed = (await program.refresh(tokens["refresh_token"])).json()
        secrets |= {
            "the right password": "correct horse",
            "session": http.cookies["__Host-gearshed"],
            "code": page.answer["code"],
            "verifier": VERIFIER,
            "access token": tokens["access_token"],
            "refresh token": tokens["refresh_token"],
            "new access token": renewed["access_token"],
            "new refresh token": renewed["refresh_token"],
        }
        responses = [
            await program.redeem(page.answer["code"], code_verifier="w" * 43),
            await program.refresh(tokens["refresh_token"], client_id="x"),
            await program.refresh(tokens["access_token"]),
            await program.post("/revoke", token=renewed["access_token"], client_id="x"),
            await program.redeem(page.answer["code"]),
            await browser.http.post("/sign-in", data={"password": "correct horse"}),
        ]
    assert [response.status_code for response in responses] == [400, 401, 400, 200, 400, 400]
    texts = {
        "the log": "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records),
        "an error": "\n".join(response.text for response in responses),
        "the page": replies[0].response.text.replace(secrets["form"], ""),
        "the database": everything_in(url),
    }
    assert "Claude" in texts["the database"]
    assert "signed in" in texts["the log"]
    found = [(name, place) for name, secret in secrets.items() for place in texts if secret in texts[place]]
    assert found == []
