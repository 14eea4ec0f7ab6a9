"""`/upload/<token>`: a page on which a person uploads one list or image. The token is the only credential."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from psycopg import AsyncConnection
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from db.pool import transaction
from mcp_server import audit
from mcp_server.errors import Forbidden, InvalidInput, from_exception, quoted
from mcp_server.formats.text import truncated
from mcp_server.http.gate import in_time
from mcp_server.http.oauth.pages import page
from mcp_server.http.shares import FairShares
from mcp_server.models.change import Author
from mcp_server.models.upload import Upload
from mcp_server.protocol.edge import App
from mcp_server.services import change, csv, image, listfile, upload
from mcp_server.untrusted import picture

# Bytes of a file, and of the form around it.
LARGEST, FORM = 5 * 1024**2, 64 * 1024
CLOSED = "This link is closed: it was used, or is older than 10 minutes. Ask for another one."


class Sent(NamedTuple):
    """A file as a form or a program sends it."""

    name: str
    data: bytes


class Done(NamedTuple):
    """What became of an upload: a sentence, and the verdicts on lines."""

    summary: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class Uploads:
    """The endpoint, within the fair share of the user whose link it is."""

    app: App
    shares: FairShares
    off: Collection[str]

    def route(self) -> Route:
        return Route("/upload/{token}", self.answer, methods=["GET", "POST", "PUT"])

    async def answer(self, request: Request) -> Response:
        token: str = request.path_params["token"]
        user_id = upload.user_of(token)
        wanted = user_id and await in_time(self._find(user_id, token))
        if not user_id or not wanted:
            return shown(request, 404, problem=CLOSED)
        if request.method == "GET":
            return shown(request, wanted=wanted)
        if refusal := self.shares.refusal(user_id):
            return refusal
        try:
            self._check_tool(wanted)
            done = await self._receive(request, user_id, token)
        except Exception as exc:
            known = from_exception(exc)
            if known is None:
                raise
            return shown(request, 400, wanted=wanted, problem=known.args[0])
        return shown(request, done=done) if done else shown(request, 404, problem=CLOSED)

    async def _find(self, user_id: int, token: str) -> Upload | None:
        async with transaction(self.app.pool, user_id, read_only=True) as conn:
            return await upload.find(conn, token)

    async def _receive(self, request: Request, user_id: int, token: str) -> Done | None:
        """Use the link once. If the file is refused, the link stays open for another one."""
        sent = await self._file(request, user_id)
        async with transaction(self.app.pool, user_id) as conn:
            wanted = await upload.use(conn, token)
        if wanted is None:
            return None
        try:
            store = self._image if wanted.is_image else self._list
            done = await store(user_id, wanted, sent)
        except Exception:
            async with transaction(self.app.pool, user_id) as conn:
                await upload.store(conn, token, wanted)
            raise
        audit.note("uploaded", user=user_id, bytes=len(sent.data))
        return done

    def _check_tool(self, wanted: Upload) -> None:
        tool = "upload_image" if wanted.is_image else "import_csv"
        if tool in self.off:
            raise Forbidden(f"{tool} is turned off on this server.")

    async def _file(self, request: Request, user_id: int) -> Sent:
        again = await self.shares.receive(user_id, request.receive)
        if again is None:
            raise InvalidInput("The upload was interrupted. Send the file again.")
        request = Request(request.scope, again)
        if not request.headers.get("content-type", "").startswith("multipart/form-data"):
            return checked(Sent("", await request.body()))
        async with request.form(max_files=1, max_fields=1, max_part_size=FORM) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile):
                raise InvalidInput("No file was chosen.")
            return checked(Sent(file.filename or "", await file.read(LARGEST + 1)))

    async def _list(self, user_id: int, wanted: Upload, sent: Sent) -> Done:
        note = f"uploaded as {truncated(sent.name)}" if sent.name else "uploaded"
        file = await listfile.read_in_turn(sent.data, note=note, user_id=user_id)
        options = csv.ImportOptions(wanted.setup_name)
        async with (
            self.app.turn(user_id, imports=True),
            transaction(self.app.pool, user_id, logged=True) as conn,
        ):
            if self.app.quota:
                await self.app.quota.check(conn, user_id, "import_csv")
            done = await csv.import_file(conn, file, None, options)
            summary = f"Imported {done.items:,} items of {quoted(truncated(sent.name) or 'an upload')}"
            change_id = await change.current(conn)
            if await change.is_empty(conn, change_id):
                summary = "Nothing was new in the list"
                await change.forget(conn, change_id)
            else:
                await record(conn, change_id, "import_csv", wanted, summary)
        return Done(summary, tuple(f"{verdict.verdict}: {csv.place(verdict)}" for verdict in done.verdicts))

    async def _image(self, user_id: int, wanted: Upload, sent: Sent) -> Done:
        owner = image.owner(wanted.item_id, wanted.candidate_id)
        cleaned = await picture.clean(sent.data, user_id=user_id)
        async with self.app.turn(user_id), transaction(self.app.pool, user_id, logged=True) as conn:
            if self.app.quota:
                await self.app.quota.check(conn, user_id, "upload_image")
            await image.attach(conn, owner, cleaned)
            summary = f"Stored the image of {owner.noun} {owner.id}"
            change_id = await change.current(conn)
            if await change.is_empty(conn, change_id):
                await change.forget(conn, change_id)
            else:
                await record(conn, change_id, "upload_image", wanted, summary)
        return Done(summary)


def checked(sent: Sent) -> Sent:
    if not sent.data:
        raise InvalidInput("The file is empty, or none was chosen.")
    if len(sent.data) > LARGEST:
        raise InvalidInput(f"The file exceeds {LARGEST >> 20} MB.")
    return sent


async def record(conn: AsyncConnection, change_id: int, tool: str, wanted: Upload, summary: str) -> None:
    await change.record(
        conn,
        change_id,
        tool=tool,
        author=Author(client=wanted.client, program="upload link"),
        summary=summary,
        key=None,
        digest=b"",
        result=None,
    )


def shown(
    request: Request,
    status: int = 200,
    *,
    wanted: Upload | None = None,
    done: Done | None = None,
    problem: str = "",
) -> Response:
    """Return a page, or text for a program."""
    if "text/html" in request.headers.get("accept", ""):
        return page("upload", status, wanted=wanted, done=done, problem=problem)
    lines = [
        problem or (done.summary if done else "Send one file of at most 5 MB."),
        *(done.lines if done else ()),
    ]
    return PlainTextResponse("\n".join(lines) + "\n", status, {"Cache-Control": "no-store"})
