"""The settings, from the environment and the command line. Unknown `GEARSHED_*` variables are errors."""

import os
import re
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from mcp_server.errors import did_you_mean
from mcp_server.models.fields import Name


class SettingsError(Exception):
    """An invalid setting. The message names it and says which values are valid."""


WINDOWS = os.name == "nt"


def default_data_dir() -> Path:
    """The platform's user data folder. For root, PostgreSQL runs as a user that cannot enter /root.

    On Windows, it is outside AppData, because packaged clients see another folder there.
    """
    if WINDOWS:
        return Path.home() / ".gearshed"
    if os.geteuid() == 0:
        return Path("/var/lib/gearshed")
    return user_data_path("gearshed")


def split(names: object) -> object:
    """Split `list_items, get_item`. Text without a name is an error, because an empty list means "all"."""
    if not isinstance(names, str):
        return names
    found = tuple(name for part in names.split(",") if (name := part.strip()))
    if not found:
        raise ValueError("must be comma-separated names")
    return found


def split_paths(folders: object) -> object:
    """Split folders as the platform does: by colons, or on Windows by semicolons."""
    return tuple(filter(None, folders.split(os.pathsep))) if isinstance(folders, str) else folders


def check_folder(folder: Path) -> Path:
    """Refuse a folder that is relative: the client chooses the one in which the server starts."""
    if not folder.is_absolute():
        raise ValueError(f"{str(folder)!r} must be an absolute path")
    return folder


def read_line(file: object) -> str:
    """Return the only line of a file that contains a secret."""
    try:
        text = Path(str(file)).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is not UTF-8 text"
        raise ValueError(f"{str(file)!r} cannot be read: {reason}") from exc
    if not text or not text.isprintable():
        raise ValueError(f"{str(file)!r} must contain the password on a single line")
    return text


def check_host(name: str) -> str:
    """Refuse anything but a host name with an optional port. There are no wildcards."""
    if not NETLOC.fullmatch(name):
        raise ValueError(f"{name!r} must be a host such as gear.example, with or without a port")
    return name


def check_url(url: str) -> str:
    """Refuse a URL that is not just scheme and host."""
    scheme, _, netloc = url.removesuffix("/").partition("://")
    if scheme not in ("http", "https") or not NETLOC.fullmatch(netloc):
        raise ValueError("must have the form https://gear.example")
    return f"{scheme}://{netloc.lower()}"


NETLOC = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?P<port>:\d{1,5})?", re.IGNORECASE)
Names: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
Hosts: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(check_host)], ...], NoDecode, BeforeValidator(split)
]
Origins: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(check_url)], ...], NoDecode, BeforeValidator(split)
]
Folders: TypeAlias = Annotated[
    tuple[Annotated[Path, AfterValidator(check_folder)], ...], NoDecode, BeforeValidator(split_paths)
]
Networks: TypeAlias = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(split)]

Limit: TypeAlias = Annotated[int, Field(ge=0, le=1_000_000_000)]


class Settings(BaseSettings):
    """Every setting. The descriptions are also the documentation: docs/configuration.md is made of them."""

    model_config = SettingsConfigDict(
        env_prefix="GEARSHED_", frozen=True, extra="forbid", populate_by_name=True, env_ignore_empty=True
    )

    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL server to use instead of the embedded one.",
    )
    database_direct_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_DIRECT_URL",
        description="URL of the same database that bypasses PgBouncer. Live updates need it for LISTEN.",
    )
    read_replica: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_REPLICA_URL",
        description="Standby that answers reads while it is up to date.",
    )
    # Named by the path of the file, but holds the password that the file contains.
    database_password_file: Annotated[SecretStr, BeforeValidator(read_line)] | None = Field(
        None,
        validation_alias="DATABASE_PASSWORD_FILE",
        description="File that contains the password for all three database URLs, which then need none.",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir,
        description="Folder of the embedded database. Default: the user data folder of the platform, "
        "`%USERPROFILE%\\.gearshed` on Windows, or `/var/lib/gearshed` for root.",
    )
    user: Name = Field(
        "local",
        description="User whose collection is served over standard input and output. Created on first use. "
        "Over HTTP, the key or the sign-in decides.",
    )
    read_only: bool = Field(
        False, description="Turn off every tool that writes. PostgreSQL refuses writes as well."
    )
    tools: Names = Field((), description="Comma-separated tools to offer. Default: all.")
    exclude_tools: Names = Field(
        (), description="Comma-separated tools to turn off. Takes precedence over `GEARSHED_TOOLS`."
    )
    files: Folders = Field(
        (),
        description="Folders, separated as in `PATH`, from which the agent may import files over standard "
        "input and output. Default: none.",
    )
    http: bool = Field(
        False, description="Make `gearshed serve` listen for HTTP instead of reading standard input."
    )
    host: Annotated[str, Field(min_length=1)] = Field("127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8000, description="Port to listen on. 0 picks a free one."
    )
    workers: Annotated[int, Field(ge=1, le=64)] = Field(
        1,
        description="Processes that serve HTTP on the same port. Limits and rates apply to each of them.",
    )
    allowed_host: Hosts = Field(
        (), description="Comma-separated further host names under which clients reach the server."
    )
    allowed_origin: Origins = Field(
        (),
        description="Comma-separated origins, such as `https://inspector.example`, of web pages that may use "
        "the server as a client (CORS).",
    )
    trusted_proxy: Networks = Field(
        (),
        description="Comma-separated networks of proxies whose `X-Forwarded-For` header is trusted.",
    )
    metrics_from: Networks = Field(
        (),
        description="Comma-separated networks that may read `/metrics`, in addition to this machine.",
    )
    public_url: Annotated[str, AfterValidator(check_url)] | None = Field(
        None,
        description="URL under which clients reach the server, such as `https://gear.example`. Default: "
        "`http://HOST:PORT`.",
    )
    rate_calls: Limit = Field(6000, description="Requests a minute of each user over HTTP. 0 means no limit.")
    rate_mb: Limit = Field(
        120, description="Megabytes a minute that each user may send over HTTP. 0 means no limit."
    )
    quota_mb: Limit = Field(
        0,
        description="Megabytes that each user may store over HTTP, including changes that can be undone. "
        "0 means no limit.",
    )
    max_connections: Annotated[int, Field(ge=16, le=1_000_000)] = Field(
        4000,
        description="Open HTTP connections in all. Fewer if the operating system allows fewer open files.",
    )
    max_connections_each: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        1000, description="Open HTTP connections of each address, or IPv6 /64, that is not a trusted proxy."
    )
    undo_days: Annotated[int, Field(ge=1, le=36500)] = Field(
        365,
        description="Days for which a change can be undone. Older changes are deleted from the log at start.",
    )
    backups: Annotated[int, Field(ge=0, le=3650)] = Field(
        7,
        description="Daily backups of the embedded database to keep, in `backups` in its folder. 0 means "
        "none.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="Least severe messages to log on standard error."
    )
    log_format: Literal["text", "json"] = Field(
        "text", description="How to log: lines of text, or one JSON object a line."
    )

    @property
    def url(self) -> str | None:
        """The database URL. None means the embedded database."""
        return self._address(self.database_url)

    @property
    def direct_url(self) -> str | None:
        """The URL that bypasses a pooler, for LISTEN."""
        return self._address(self.database_direct_url)

    @property
    def replica_url(self) -> str | None:
        """The standby's URL."""
        return self._address(self.read_replica)

    def _address(self, url: SecretStr | None) -> str | None:
        """Return *url* with the password from the password file, if there is one."""
        if url is None:
            return None
        if self.database_password_file is None:
            return url.get_secret_value()
        from psycopg.conninfo import make_conninfo

        return make_conninfo(url.get_secret_value(), password=self.database_password_file.get_secret_value())

    @field_validator("data_dir", mode="before")
    @classmethod
    def named(cls, folder: object) -> object:
        if not str(folder).strip():
            raise ValueError("must name a folder")
        return folder


NAMES = {
    f"GEARSHED_{name.upper()}" for name, field in Settings.model_fields.items() if not field.validation_alias
}


def load(options: Mapping[str, Any]) -> Settings:
    """Return the settings. *options* from the command line take precedence over the environment."""
    for name in os.environ:
        if name.upper().startswith("GEARSHED_") and name.upper() not in NAMES:
            raise SettingsError(
                f"{name} is not a known setting.{did_you_mean(name, NAMES)} "
                f"Known: {', '.join(sorted(NAMES))}, DATABASE_URL, "
                "DATABASE_DIRECT_URL, DATABASE_REPLICA_URL, DATABASE_PASSWORD_FILE."
            )
    try:
        return Settings(**options)
    except ValidationError as exc:
        problem = exc.errors(include_url=False, include_input=False)[0]
        name = str(problem["loc"][0])
        raise SettingsError(
            f"{name if name.isupper() else f'GEARSHED_{name.upper()}'}: {problem['msg']}."
        ) from exc
