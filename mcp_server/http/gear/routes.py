"""The routes of the pages below /gear, and what they have in common."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeAlias

from mcp.server.transport_security import RequestBodyLimitMiddleware
from starlette.datastructures import UploadFile
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route

from mcp_server import audit
from mcp_server.errors import AppError, InvalidInput, NotFound, from_exception
from mcp_server.http.address import address
from mcp_server.http.body import WholeBodies
from mcp_server.http.gate import in_time
from mcp_server.http.gear import changes, events, items, lists, overview, pictures, setups, threads
from mcp_server.http.gear.actions import ACTIONS
from mcp_server.http.gear.rendering import FILES, FOREVER, SAFE
from mcp_server.http.gear.visit import Pages, Visit
from mcp_server.http.oauth.pages import page, status_of
from mcp_server.http.oauth.site import form
from mcp_server.models.auth import READ_WRITE, Principal
from mcp_server.models.oauth import OAuthError
from mcp_server.protocol.edge import Caller

# Bytes of a form: a list in base64, and the form around it.
LARGEST = 5 * 1024**2

Handler: TypeAlias = Callable[[Visit], Awaitable[Response]]
PAGES: Mapping[str, Handler] = {
    "/gear": overview.overview,
    "/gear/items": items.items,
    "/gear/items/{id}": items.item_page,
    "/gear/setups/{id}": setups.setup_page,
    "/gear/setups/{id}/page": setups.download,
    "/gear/threads/{id}": threads.thread_page,
    "/gear/changes": changes.changes,
    "/gear/import": lists.upload,
    "/gear/sample": lists.sample,
    "/gear/images/{id}": pictures.image,
    "/gear/events": events.events,
}
FORMS: Mapping[str, Handler] = {"/gear/import": lists.send}


def gear_routes(pages: Pages) -> Sequence[Route]:
    """Return the routes of the pages."""
    reading = [
        Route(path, partial(answer, pages, handler), methods=["GET"]) for path, handler in PAGES.items()
    ]

    def posting(path: str, handler: Handler) -> Route:
        return Route(
            path,
            partial(answer, pages, handler),
            methods=["POST"],
            middleware=[
                Middleware(RequestBodyLimitMiddleware, max_body_size=LARGEST),
                Middleware(WholeBodies, largest=LARGEST),
            ],
        )

    return [
        Route("/gear/files/{name}", loaded_file, methods=["GET"]),
        *reading,
        *(posting(path, handler) for path, handler in FORMS.items()),
        posting("/gear/do/{action}", act),
    ]


async def loaded_file(request: Request) -> Response:
    """Return a stylesheet or a script. They are the same for everyone."""
    found = FILES.get(request.url.path)
    if found is None:
        return page("problem", 404, problem="This file does not exist.")
    return Response(found.content, headers={**SAFE, "Cache-Control": FOREVER}, media_type=found.media_type)


async def answer(pages: Pages, handler: Handler, request: Request) -> Response:
    """Respond to a person who may enter. Turn errors into a page that shows the message."""
    try:
        person = await in_time(pages.authenticator.visitor(request))
        if person is None:
            return pages.authenticator.refusal(request)
        if refusal := pages.shares and pages.shares.refusal(person.id):
            return refusal
        request.scope["user"] = Caller(Principal(user_id=person.id, scopes=READ_WRITE))
        visit = Visit(pages, request, person)
        if request.method == "POST":
            visit = replace(visit, sent=await fields(request))
            visit.check_token()
        return await handler(visit)
    except OAuthError as exc:
        audit.note("refused", address=address(request), path=request.url.path, reason=str(exc))
        return page("problem", 400, problem=str(exc))
    except Exception as exc:
        known = from_exception(exc)
        if known is None:
            raise
        return page("problem", status_of(known), problem=known.args[0])


async def fields(request: Request) -> Mapping[str, str]:
    """Return the fields of a form. A file is in *file*, in base64, and its name in *file.name*."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return await form(request)
    async with request.form(max_files=1, max_fields=20, max_part_size=LARGEST) as sent:
        texts = {name: value for name, value in sent.multi_items() if isinstance(value, str)}
        file = sent.get("file")
        if isinstance(file, UploadFile) and file.filename:
            texts |= {"file.name": file.filename, "file": lists.packed(await file.read())}
    if any("\0" in value for value in texts.values()):
        raise InvalidInput("A field contains a NUL character.")
    return texts


async def act(visit: Visit) -> Response:
    """Do what a form asks for, and return to its page. If it is refused, show the page with the reason."""
    action = ACTIONS.get(visit.request.path_params["action"])
    if action is None:
        raise NotFound("This form does not exist.")
    try:
        done = await visit.call(action.tool, action.arguments(visit.sent))
    except AppError as exc:
        return await again(visit.refused(exc.args[0]), status_of(exc))
    if action.shows:
        return await again(visit.shown(done), 200)
    return visit.onward(done, action.onward(done) if action.onward else None)


async def again(visit: Visit, status: int) -> Response:
    """Show the page of a form as the response to it."""
    for path, handler in PAGES.items():
        match, scope = Route(path, handler).matches(visit.request.scope)
        if match is Match.FULL:
            request = Request({**visit.request.scope, **scope})
            response = await handler(replace(visit, request=request))
            response.status_code = status
            # With htmx, the address stays that of the page.
            response.headers["HX-Push-Url"] = "false"
            return response
    raise NotFound("The page of this form does not exist.")
