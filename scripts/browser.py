"""A minimal browser for our pages, and an OAuth client."""

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BACK = "https://claude.example/callback"
PASSWORD = "correct horse"  # noqa: S105 (of throwaway users)


@dataclass
class Form:
    action: str
    fields: dict[str, str] = field(default_factory=dict[str, str])


class Page(HTMLParser):
    """The forms, the automatic redirect and the text of a page."""

    def __init__(self, response: httpx2.Response) -> None:
        super().__init__()
        self.response, self.forms, self.leads_to, self.texts = response, list[Form](), "", list[str]()
        self.feed(response.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(given["action"]))
        elif tag == "input" and (given.get("type") != "checkbox" or "checked" in given):
            self.forms[-1].fields[given["name"]] = given.get("value", "")
        elif tag == "meta" and given.get("http-equiv") == "refresh":
            self.leads_to = given["content"].removeprefix("0;url=")

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def words(self) -> str:
        return " ".join("".join(self.texts).split())

    @property
    def answer(self) -> dict[str, str]:
        """The parameters with which it sends the browser back to the client."""
        pairs = parse_qsl(urlsplit(self.leads_to).query)
        if len(dict(pairs)) != len(pairs):
            raise ValueError(f"a parameter occurs twice: {pairs}")
        return dict(pairs)


def wish(client_id: str, /, **changes: str | None) -> dict[str, str]:
    """A valid authorization request; a change to None omits a parameter."""
    asked = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": BACK,
        "state": "xyz",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
        "scope": "read write",
        "resource": "https://gear.example/mcp",
    }
    return {name: value for name, value in (asked | changes).items() if value is not None}


@dataclass
class Browser:
    http: httpx2.AsyncClient

    async def open(self, path: str) -> Page:
        return Page(await self.http.get(path, follow_redirects=True))

    async def submit(self, form: Form, **fields: str) -> Page:
        return Page(await self.http.post(form.action, data={**form.fields, **fields}, follow_redirects=True))

    async def sign_in(self, username: str = "ada") -> Page:
        page = await self.open("/account")
        return await self.submit(page.forms[0], username=username, password=PASSWORD)

    async def ask(self, asked: Mapping[str, str]) -> Page:
        return await self.open(f"/authorize?{urlencode(asked)}")

    async def allow(self, asked: Mapping[str, str]) -> Page:
        page = await self.ask(asked)
        decision = "write" if "write" in asked.get("scope", "") else "read"
        return await self.submit(page.forms[0], decision=decision)


@dataclass
class Program:
    """A client that registers and exchanges codes for tokens."""

    http: httpx2.AsyncClient
    client_id: str = ""

    async def register(self, **metadata: Any) -> httpx2.Response:
        response = await self.http.post("/register", json={"redirect_uris": [BACK], **metadata})
        self.client_id = response.json().get("client_id", "") if response.status_code == 201 else ""
        return response

    async def post(self, path: str, **fields: str | None) -> httpx2.Response:
        given = {"client_id": self.client_id, **fields}
        return await self.http.post(
            path, data={name: value for name, value in given.items() if value is not None}
        )

    async def redeem(self, code: str, /, **changes: str | None) -> httpx2.Response:
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": BACK,
            "code_verifier": VERIFIER,
            "resource": "https://gear.example/mcp",
        }
        return await self.post("/token", **{**fields, **changes})

    async def refresh(self, token: str, /, **changes: str | None) -> httpx2.Response:
        return await self.post("/token", **{"grant_type": "refresh_token", "refresh_token": token, **changes})
