"""Connect and disconnect a client: with its own command, or by editing its configuration."""

import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import ndiff
from pathlib import Path
from typing import Any, cast

from mcp_server import terminal
from mcp_server.clients.client import Client, Machine, Scope, Server, Unsupported
from mcp_server.clients.document import Document, Unfit

# Where clients have the URL of a server.
URLS = ("url", "httpUrl", "serverUrl", "uri")


@dataclass(frozen=True)
class Connection:
    """A client and the server that is, or is to be, in its configuration under a name.

    With *dry_run*, what would be done is printed and not done.
    """

    client: Client
    machine: Machine
    name: str
    server: Server
    scope: Scope
    dry_run: bool

    def add(self) -> bool:
        """Connect the client, and return whether that changed anything."""
        entry, changed = self.client.entry(self.server), False
        for path in self.client.configurations(self.machine, self.scope):
            found = entry_in(self.client, path, self.name)
            if found == entry:
                terminal.show(f"{self.client.title} is already connected ({path}).")
                continue
            if found is not None and not is_ours(found, self.server):
                raise Unsupported(f"{path} has another server named {self.name}. Choose a different --name.")
            self._write(path, entry, replace=found is not None)
            changed = True
        return changed

    def _write(self, path: Path, entry: dict[str, Any], *, replace: bool) -> None:
        client = self.client
        if self._own and client.add and client.drop:
            if replace:
                self._run(client.drop(self.name, self.scope))
            self._run(client.add(self.name, self.server, self.scope))
        elif client.editable:
            self._edit(Document.read(path).with_entry([*client.section, self.name], entry))
        else:
            raise Unsupported(
                f"{client.title} is not installed, or not on PATH. "
                f"Print the entry with --print, and add it to {path}."
            )

    def remove(self) -> None:
        """Remove the entry, if it is ours."""
        client = self.client
        for path in client.configurations(self.machine, self.scope):
            found = entry_in(client, path, self.name)
            if found is None:
                terminal.show(f"{client.title} is not connected ({path}).")
            elif not is_ours(found, self.server):
                raise Unsupported(
                    f"The server {self.name} in {path} is not Gearshed. Give its --url to remove it."
                )
            elif self._own and client.drop:
                self._run(client.drop(self.name, self.scope))
            elif client.editable:
                self._edit(Document.read(path).without_entry([*client.section, self.name]))
            else:
                raise Unsupported(f"Remove the entry {self.name} from {path}.")

    @property
    def _own(self) -> str | None:
        """The path of the client's own command."""
        return self.machine.program(self.client.program) if self.client.program else None

    def _run(self, arguments: list[str]) -> None:
        shown = " ".join([str(self.client.program), *arguments])
        if self.dry_run:
            terminal.show(f"Would run: {shown}")
            return
        command = [str(self._own), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            reason = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
            raise Unsupported(f"`{shown}` failed: {reason[-1]}")
        terminal.show(f"Ran: {shown}")

    def _edit(self, document: Document) -> None:
        path = document.path
        if self.dry_run:
            terminal.show(f"Would write {path}:")
            for line in changes(Document.read(path).text, document.text):
                terminal.show(f"  {line}")
            return
        kept = document.write()
        terminal.show(f"Wrote {path}{f', and kept the former one as {kept.name}' if kept else ''}.")


def state(client: Client, path: Path, name: str) -> str:
    try:
        entry = entry_in(client, path, name)
    except Unfit as exc:
        return f"unknown: {exc}"
    if entry is None:
        return f"not connected ({path})"
    if address := address_of(entry):
        return f"connected to {address}"
    missing = ", which does not exist: connect it again" if missing_program(entry) else ""
    return f"connected to {' '.join(command_of(entry))}{missing}"


def address_of(entry: Mapping[str, Any]) -> str | None:
    return next((str(entry[key]) for key in URLS if key in entry), None)


def missing_program(entry: Mapping[str, Any]) -> str | None:
    """Return the path of the program of an entry, if it does not exist."""
    path = command_of(entry)[0]
    return None if address_of(entry) or Path(path).exists() or shutil.which(path) else path


def entry_in(client: Client, path: Path, name: str) -> dict[str, Any] | None:
    """Return the entry of a server in a configuration. Raise Unfit if it cannot be read."""
    if path.suffix == ".yaml":
        raise Unfit(f"{path} is YAML, which Gearshed does not read.")
    if path.suffix == ".toml":
        try:
            content: Any = tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise Unfit(f"{path} cannot be read: {exc}.") from None
        entry = content.get(client.section[0], {}).get(name)
    else:
        entry = Document.read(path).entry(*client.section, name)
    return cast(dict[str, Any], entry) if isinstance(entry, dict) else None


def command_of(entry: Mapping[str, Any]) -> list[str]:
    """Return the command of an entry, whether it is a list or a program with arguments."""
    command: Any = entry.get("command", entry.get("cmd", ""))
    if isinstance(command, list):
        return [*map(str, cast(list[Any], command))]
    return [str(command), *map(str, entry.get("args") or [])]


def is_ours(entry: Mapping[str, Any], server: Server) -> bool:
    """Whether an entry starts Gearshed, or has the URL that was given."""
    command = command_of(entry)
    starts = Path(command[0]).stem.lower() == "gearshed" or bool({"gearshed", "mcp_server"} & {*command})
    return starts or any(server.url and entry.get(key) == server.url for key in URLS)


def changes(before: str, after: str) -> Iterator[str]:
    """Yield the lines that differ, as `diff` shows them."""
    for line in ndiff(before.splitlines(), after.splitlines()):
        if line.startswith(("+ ", "- ")):
            yield line
