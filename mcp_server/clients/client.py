"""A client, the machine it runs on, and the server that it is to use."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

Scope: TypeAlias = Literal["user", "project"]


class Unsupported(Exception):
    """A client cannot do what was asked. The message says what to do instead."""


@dataclass(frozen=True)
class Machine:
    """The home directory, the working directory, the system and the environment of the person."""

    home: Path = field(default_factory=Path.home)
    project: Path = field(default_factory=Path.cwd)
    system: str = sys.platform
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def program(self, name: str) -> str | None:
        """Return the path of a program, if it is installed."""
        return shutil.which(name, path=self.environment.get("PATH", os.defpath))

    def roaming(self, *parts: str) -> Path:
        """Return a folder of an application's settings."""
        if self.system == "darwin":
            return self.home.joinpath("Library", "Application Support", *parts)
        if self.system == "win32":
            return Path(self.environment.get("APPDATA", self.home / "AppData" / "Roaming")).joinpath(*parts)
        return Path(self.environment.get("XDG_CONFIG_HOME", self.home / ".config")).joinpath(*parts)


@dataclass(frozen=True)
class Server:
    """What a client is to use: a command that it starts, or the URL of a server over HTTP.

    *key_env* names the environment variable with the key of the URL: keys are never written into a file.
    """

    command: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    url: str | None = None
    key_env: str | None = None


Shape: TypeAlias = Callable[[Server], dict[str, Any]]
Files: TypeAlias = Callable[[Machine, Scope], Sequence[Path]]


@dataclass(frozen=True)
class Client:
    """A client: its configuration files, where its servers are in them, and its own commands, if any.

    A client without a *shape* is only explained, by *advice*. If it is not *editable*, entries are printed. A
    *link* installs an entry when it is opened.
    """

    name: str
    title: str
    files: Files | None = None
    section: tuple[str, ...] = ("mcpServers",)
    shape: Shape | None = None
    program: str | None = None
    add: Callable[[str, Server, Scope], list[str]] | None = None
    drop: Callable[[str, Scope], list[str]] | None = None
    link: Callable[[str, Server], str] | None = None
    editable: bool = True
    advice: str = ""

    def configurations(self, machine: Machine, scope: Scope) -> list[Path]:
        """Return the files that this client reads. Without an installation, those that it would create."""
        return list(self.files(machine, scope)) if self.files else []

    def entry(self, server: Server) -> dict[str, Any]:
        """Return the entry of a server. Raise Unsupported if the client cannot use it."""
        return self.shape(server) if self.shape else {}

    def is_installed(self, machine: Machine) -> bool:
        if self.program and machine.program(self.program):
            return True
        return any(
            path.exists() or (path.parent != machine.home and path.parent.is_dir())
            for path in self.configurations(machine, "user")
        )
