"""`gearshed open`: the person's own pages, in a browser on this machine."""

import faulthandler
import socket
import sys
import webbrowser

import anyio
import uvicorn

from db.embedded import Database
from db.pool import create_pool
from mcp_server import terminal
from mcp_server.commands.database import bring_up_to_date, run, started, translated_errors
from mcp_server.http.gear.local import IDLE, Activity, OneTimeAddress, local_pages
from mcp_server.http.stop import Server, Stop
from mcp_server.models.session import Person
from mcp_server.process import restarting, sharing, user_to_serve
from mcp_server.protocol.edge import App
from mcp_server.server import build_server, tools_off
from mcp_server.settings import Settings

LOOPBACK = "127.0.0.1"


def open_pages(settings: Settings, no_browser: bool = False) -> None:
    """Serve the pages until they are idle, or until Ctrl-C."""
    with started(settings) as database, translated_errors():
        bring_up_to_date(database, read_only=settings.read_only)
        run(serve(database, settings, no_browser))
        # The server is gone, and the end of the database may take its time.
        faulthandler.cancel_dump_traceback_later()


async def serve(database: Database, settings: Settings, no_browser: bool) -> None:
    async with create_pool(database.url, restarting(database)) as pool:
        async with pool.connection() as conn:
            user_id = await user_to_serve(conn, settings)
        app = App(pool, user_id, settings.read_only, logged_as="web")
        with socket.create_server((LOOPBACK, 0)) as listener:
            async with sharing(app, database, settings) as shared:
                await serve_on(listener, shared, settings, no_browser)


async def serve_on(listener: socket.socket, app: App, settings: Settings, no_browser: bool) -> None:
    port: int = listener.getsockname()[1]
    authenticator = OneTimeAddress(Person(id=app.user_id or 0, username=settings.user), port)
    activity, off = Activity(), tools_off(settings)
    web = activity.watch(local_pages(app, build_server(app, off), authenticator, off))
    config = uvicorn.Config(
        web, log_config=None, access_log=False, server_header=False, timeout_graceful_shutdown=1
    )
    server = Server(config, Stop())
    announce(f"http://{LOOPBACK}:{port}{authenticator.path}", no_browser)
    async with anyio.create_task_group() as tasks:

        async def end_when_idle() -> None:
            await activity.ends(IDLE)
            terminal.warn("gearshed: the pages were idle for 15 minutes and have ended.")
            server.should_exit = True

        tasks.start_soon(end_when_idle)
        await server.serve(sockets=[listener])
        tasks.cancel_scope.cancel()


def announce(url: str, no_browser: bool) -> None:
    """Open the browser or, if that is not wanted or not possible, print the address."""
    if no_browser or not webbrowser.open(url):
        terminal.show("Open this address, which works once:")
        terminal.show(url)
    else:
        terminal.show("The pages are open in your browser.")
    terminal.show("Press Ctrl-C to end. They also end after 15 idle minutes.")
    sys.stdout.flush()
