"""What the environment and the command line say, as one frozen object. An unknown name stops the start."""

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
    """A setting that cannot be used; the message names it and says what it takes."""


def default_data_dir() -> Path:
    """The platform's folder for a user's data. Root's database runs as nobody, who cannot enter /root."""
    if os.name != "nt" and os.geteuid() == 0:
        return Path("/var/lib/gearshed")
    return user_data_path("gearshed")


def split(names: object) -> object:
    """Read `list_items, get_item`. Text in which there is no name is none: it would mean every tool."""
    if not isinstance(names, str):
        return names
    found = tuple(name for part in names.split(",") if (name := part.strip()))
    if not found:
        raise ValueError("must be names, separated by commas")
    return found


def read_line(file: object) -> str:
    """Return the one line of a file that holds a secret."""
    try:
        text = Path(str(file)).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as exc:
        reason = exc.strerror if isinstance(exc, OSError) else "it is no text"
        raise ValueError(f"{str(file)!r} cannot be read: {reason}") from exc
    if not text or not text.isprintable():
        raise ValueError(f"{str(file)!r} must hold one line, the password")
    return text


def check_host(name: str) -> str:
    """Refuse what is no name that a request can be for: nothing there stands for every name."""
    if not NETLOC.fullmatch(name):
        raise ValueError(f"{name!r} must be a host like gear.example, or one with a port")
    return name


def check_url(url: str) -> str:
    """Refuse what is no address of a whole host."""
    scheme, _, netloc = url.removesuffix("/").partition("://")
    if scheme not in ("http", "https") or not NETLOC.fullmatch(netloc):
        raise ValueError("must look like https://gear.example")
    return f"{scheme}://{netloc.lower()}"


NETLOC = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?P<port>:\d{1,5})?", re.IGNORECASE)
Names: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split)]
Hosts: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(check_host)], ...], NoDecode, BeforeValidator(split)
]
Networks: TypeAlias = Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode, BeforeValidator(split)]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="GEARSHED_", frozen=True, extra="forbid", populate_by_name=True, env_ignore_empty=True
    )

    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="the PostgreSQL server to use, instead of the embedded one",
    )
    database_direct_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_DIRECT_URL",
        description="an address of the same server that bypasses PgBouncer, for live updates",
    )
    read_replica: SecretStr | None = Field(
        None, validation_alias="DATABASE_REPLICA_URL", description="a standby to read from"
    )
    # The content of the file that the setting names.
    database_password_file: Annotated[SecretStr, BeforeValidator(read_line)] | None = Field(
        None,
        validation_alias="DATABASE_PASSWORD_FILE",
        description="a file with the password for these addresses, which then need none",
    )
    data_dir: Path = Field(
        default_factory=default_data_dir, description="the folder of the embedded database"
    )
    user: Name = Field("local", description="the user whose collection to serve, created on first use")
    read_only: bool = Field(
        False, description="`true`: disable tools that write; PostgreSQL refuses writes too"
    )
    tools: Names = Field((), description="enable only these tools, separated by commas")
    exclude_tools: Names = Field((), description="disable these tools, separated by commas")
    http: bool = Field(
        False, description="`true`: `gearshed serve` listens over HTTP instead of reading standard input"
    )
    host: Annotated[str, Field(min_length=1)] = Field("127.0.0.1", description="the address to listen on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(8000, description="the port to listen on")
    allowed_host: Hosts = Field((), description="more host names of the server, separated by commas")
    trusted_proxy: Networks = Field((), description="addresses of proxies whose `X-Forwarded-For` is trusted")
    metrics_from: Networks = Field((), description="addresses that may read `/metrics`, besides this machine")
    public_url: Annotated[str, AfterValidator(check_url)] | None = Field(
        None, description="the server's address as clients know it, such as `https://gear.example`"
    )
    undo_days: Annotated[int, Field(ge=1, le=36500)] = Field(
        365, description="how many days a change can be undone; older ones are deleted"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "WARNING", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`; the log goes to standard error"
    )

    @property
    def url(self) -> str | None:
        """The server's address; None is the embedded database."""
        return self._address(self.database_url)

    @property
    def direct_url(self) -> str | None:
        """The address past a pooler, on which changes are heard."""
        return self._address(self.database_direct_url)

    @property
    def replica_url(self) -> str | None:
        """The standby's address."""
        return self._address(self.read_replica)

    def _address(self, url: SecretStr | None) -> str | None:
        """Return *url* with the password of the file that is named for all of them."""
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
    """Return the settings: *options* from the command line win over the environment."""
    for name in os.environ:
        if name.upper().startswith("GEARSHED_") and name.upper() not in NAMES:
            raise SettingsError(
                f"{name} is no setting of this version.{did_you_mean(name, NAMES)} "
                f"There are: {', '.join(sorted(NAMES))}, DATABASE_URL, "
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
