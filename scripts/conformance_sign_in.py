"""The authorization scenarios of the official conformance suite against our server, with a scripted browser.

scripts/conformance installs the suite and runs this module.
"""

import asyncio
import re
import sys
import tempfile
from asyncio.subprocess import PIPE
from pathlib import Path

import httpx2
import uvicorn
from argon2 import PasswordHasher
from starlette.applications import Starlette

from db import migrations
from db.embedded import Embedded
from db.pool import create_pool
from mcp_server.accounts.auth import ensure_user
from mcp_server.http.oauth.routes import oauth_routes
from mcp_server.http.oauth.site import Site
from scripts.browser import PASSWORD, Browser, Program

PORT, CALLBACK_PORT = 8767, 8768
HASH = PasswordHasher().hash(PASSWORD)


async def main(database: str) -> int:
    """Return the suite's exit code."""
    url = f"http://127.0.0.1:{PORT}"
    async with create_pool(database) as pool:
        async with pool.connection() as conn:
            await ensure_user(conn, "ada")
            await conn.execute("UPDATE users SET password_hash = %(hash)s", {"hash": HASH})
        app = Starlette(routes=oauth_routes(Site(url, pool)))
        server = uvicorn.Server(uvicorn.Config(app, port=PORT, log_level="warning"))
        serving = asyncio.create_task(server.serve())
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        async with httpx2.AsyncClient(base_url=url) as http:
            code = await certify(url, http)
        server.should_exit = True
        await serving
    return code


async def certify(url: str, http: httpx2.AsyncClient) -> int:
    program, person = Program(http), Browser(http)
    await program.register(redirect_uris=[f"http://127.0.0.1:{CALLBACK_PORT}/callback"])
    await person.sign_in()
    suite = await asyncio.create_subprocess_exec(
        *("conformance", "authorization", "--url", url, "--client-id", program.client_id),
        *("--resource", f"{url}/mcp", "--port", str(CALLBACK_PORT)),
        stdout=PIPE,
    )
    assert suite.stdout
    async for line in suite.stdout:
        print(line.decode().rstrip())
        if asked := re.match(rf"{url}/authorize\S+", line.decode()):
            page = await person.open(asked[0].removeprefix(url))
            page = await person.submit(page.forms[0], decision="read")
            await http.get(page.leads_to)
    return await suite.wait()


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory(prefix="gearshed-conformance-") as folder,
        Embedded(Path(folder)) as embedded,
    ):
        migrations.upgrade(embedded.url)
        sys.exit(asyncio.run(main(embedded.url)))
