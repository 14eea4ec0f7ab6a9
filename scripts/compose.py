"""Deploy docker-compose.yml as docs/deploying.md describes, and check what that page promises.

    .venv/bin/python scripts/compose.py

Requires a Docker engine and Docker Compose, version 2 or 1. Everything it starts is removed afterwards.
"""

import asyncio
import itertools
import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Generator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp.types import TextContent

from db.embedded import free_port
from db.schema import metadata
from scripts.served import connected

ROOT = Path(__file__).parents[1]
PROJECT = "gearshed-check"
WRITERS = 8
# Seconds of calls before PostgreSQL is restarted, and after it is back.
CALM = 3.0


class Deployment:
    """The services of the compose file, with a project name and secrets of their own, in *folder*."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.passwords = {name: secrets.token_hex(32) for name in ("owner", "server")}
        for name, password in self.passwords.items():
            (folder / name).write_text(f"{password}\n")
            (folder / name).chmod(0o644)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        version_2 = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        self.compose = "docker compose" if version_2.returncode == 0 else "docker-compose"
        self.environment = {
            **os.environ,
            "COMPOSE_PROJECT_NAME": PROJECT,
            "GEARSHED_SECRETS": str(folder),
            "GEARSHED_PORT": str(self.port),
            # The writers send more than one user may.
            "GEARSHED_RATE_CALLS": "0",
        }

    def sh(self, command: str, *, check: bool = True) -> str:
        """Run a shell command as the documentation shows it, and return its output."""
        done = subprocess.run(
            ["bash", "-euc", command.replace("docker compose", self.compose)],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode:
            sys.exit(f"{command}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def documented(self, name: str) -> str:
        """Run the commands that docs/deploying.md marks with *name*, with files in our folder."""
        text = (ROOT / "docs" / "deploying.md").read_text(encoding="utf-8")
        (lines,) = re.findall(rf"<!-- {name} -->\n```sh\n(.*?)```", text, re.DOTALL)
        return self.sh(lines.replace("gearshed.dump", str(self.folder / "gearshed.dump")))

    def container(self, service: str) -> str:
        return self.sh(f"docker compose ps -q {service}")

    def health(self, service: str) -> str:
        return self.sh(f"docker inspect --format '{{{{.State.Health.Status}}}}' {self.container(service)}")

    def sql(self, statement: str) -> str:
        return self.sh(f'docker compose exec -T postgres psql -U gearshed -d gearshed -qAt -c "{statement}"')

    def digest(self) -> str:
        """Return a hash over all rows for each table."""
        return self.sql(
            " UNION ALL ".join(
                f"SELECT '{table}', count(*), md5(string_agg(t::text, '' ORDER BY t::text)) FROM {table} t"  # noqa: S608
                for table in [*sorted(metadata.tables), "alembic_version"]
            )
        )

    def client(self, key: str) -> AbstractAsyncContextManager[Client]:
        return connected(self.url, key, "auto")


@contextmanager
def deployment() -> Generator[Deployment]:
    folder = Path(tempfile.mkdtemp(prefix="gearshed-compose-"))
    deployed = Deployment(folder)
    try:
        yield deployed
    finally:
        deployed.sh("docker compose down --volumes", check=False)
        shutil.rmtree(folder)


def say(what: str, since: float) -> None:
    print(f"{time.monotonic() - since:6.1f} s  {what}", flush=True)


def must(condition: object, what: str) -> None:
    if not condition:
        sys.exit(f"FAILED: {what}")
    print(f"          {what}", flush=True)


def wait_until_healthy(deployed: Deployment, service: str) -> None:
    for _ in range(120):
        if deployed.health(service) == "healthy":
            return
        time.sleep(0.5)
    sys.exit(deployed.sh("docker compose logs"))


def check_confinement(deployed: Deployment) -> None:
    server = deployed.container("server")
    status = deployed.sh(f"docker exec {server} cat /proc/1/status")
    fields = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
    must(set(fields["Uid"].split()) == {"10001"}, "the server is not root")
    must({fields[f"Cap{kind}"].strip("0") for kind in ("Eff", "Prm", "Bnd")} == {""}, "no capabilities")
    must(fields["NoNewPrivs"] == "1", "no new privileges")
    for place in ("/probe", "/tmp/probe", "/opt/gearshed/probe"):  # noqa: S108 (is meant to fail)
        refusal = deployed.sh(f"docker exec -u 0 {server} touch {place} 2>&1", check=False)
        must("Read-only file system" in refusal, f"{place} cannot be written, even by root")
    inspected = json.loads(deployed.sh(f"docker inspect {server}"))[0]
    published = inspected["NetworkSettings"]["Ports"]["8000/tcp"]
    must([each["HostIp"] for each in published] == ["127.0.0.1"], "published on this machine only")


def check_limits(deployed: Deployment) -> None:
    for service in ("postgres", "server"):
        inspected = json.loads(deployed.sh(f"docker inspect {deployed.container(service)}"))[0]
        limits = inspected["HostConfig"]
        must(
            (limits["Memory"], limits["PidsLimit"]) == (1 << 30, 256),
            f"{service}: memory and processes bounded",
        )
    postgres = deployed.container("postgres")
    status = deployed.sh(f"docker exec {postgres} cat /proc/1/status")
    fields = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
    must(set(fields["Uid"].split()) == {"999"}, "PostgreSQL is not root")
    must({fields[f"Cap{kind}"].strip("0") for kind in ("Eff", "Prm", "Bnd")} == {""}, "nor has capabilities")
    must(fields["NoNewPrivs"] == "1", "nor gets new privileges")


def check_secrets(deployed: Deployment, key: str) -> None:
    containers = deployed.sh("docker compose ps -q").split()
    server = deployed.container("server")
    places = {
        "docker inspect": deployed.sh(f"docker inspect {' '.join(containers)}"),
        "the image": deployed.sh("docker image inspect gearshed; docker history --no-trunc gearshed"),
        "the server's environment": deployed.sh(f"docker exec {server} env"),
        "ps": deployed.sh("ps axww"),
        "the logs": deployed.sh("docker compose logs"),
    }
    must("gearshed serve --http" in places["ps"], "ps shows the server")
    for place, text in places.items():
        found = [name for name, secret in {**deployed.passwords, "key": key}.items() if secret in text]
        must(text and not found, f"no secret in {place}")


@dataclass
class Load:
    """Clients that create one item after another, and the outcome of each call."""

    acknowledged: dict[str, float] = field(default_factory=dict[str, float])
    refused: Counter[str] = field(default_factory=Counter[str])
    longest: float = 0.0
    over: bool = False

    async def write(self, deployed: Deployment, key: str, number: int) -> None:
        async with deployed.client(key) as client:
            for count in itertools.count():
                name = f"Peg {number}-{count}"
                started = time.monotonic()
                refusal = await create(client, name)
                self.longest = max(self.longest, time.monotonic() - started)
                if refusal is None:
                    self.acknowledged[name] = time.monotonic()
                else:
                    self.refused[refusal] += 1
                    await asyncio.sleep(0.05)
                if self.over:
                    return

    def away(self) -> float:
        """Return the longest time between two writes."""
        return max(later - earlier for earlier, later in itertools.pairwise(self.acknowledged.values()))


async def create(client: Client, name: str) -> str | None:
    """Return the code of the error with which the call was answered, or None if it succeeded."""
    try:
        result = await client.call_tool("create_item", {"name": name})
    except MCPError as exc:
        # The key could not be looked up, so the request was refused before it reached the tool.
        return code(exc.error.message)
    block = result.content[0]
    return code(block.text) if result.is_error and isinstance(block, TextContent) else None


def code(message: str) -> str:
    return message.partition("]")[0].lstrip("[")


async def restart_under_load(deployed: Deployment, key: str) -> None:
    """Restart PostgreSQL while clients write, and check that every acknowledged write is stored."""
    load = Load()
    async with asyncio.TaskGroup() as group:
        for number in range(WRITERS):
            group.create_task(load.write(deployed, key, number))
        await asyncio.sleep(CALM)
        must(load.acknowledged and not load.refused, f"{len(load.acknowledged)} writes by {WRITERS} clients")
        started = time.monotonic()
        await asyncio.to_thread(deployed.sh, "docker compose restart postgres")
        took = time.monotonic() - started
        await asyncio.sleep(CALM)
        load.over = True
    must(set(load.refused) == {"unavailable"}, f"then PostgreSQL was restarted: {dict(load.refused)}")
    must(load.away() < took + 10, f"it took {took:.1f} s, there was no write for {load.away():.1f} s")
    print(f"          the longest call took {load.longest:.1f} s")
    missing = load.acknowledged.keys() - set(deployed.sql("SELECT name FROM items").splitlines())
    must(not missing, f"all {len(load.acknowledged)} writes that were acknowledged are there")


async def totals(deployed: Deployment, key: str) -> dict[str, Any]:
    async with deployed.client(key) as client:
        return (await client.call_tool("get_totals", {})).structured_content or {}


def check_backup(deployed: Deployment, key: str) -> None:
    before = deployed.digest()
    deployed.documented("backup")
    size = (deployed.folder / "gearshed.dump").stat().st_size
    deployed.sql("DELETE FROM items; UPDATE users SET username = 'spoiled'")
    must(deployed.digest() != before, f"a backup of {size:,} bytes, then everything was deleted")
    deployed.documented("restore")
    # Before the first use of a key, which would be recorded.
    differs = set(deployed.digest().splitlines()) ^ set(before.splitlines())
    must(
        not differs,
        f"{sorted(differs) or ''}restored, the same rows in all {len(metadata.tables) + 1} tables",
    )
    wait_until_healthy(deployed, "server")
    must(asyncio.run(totals(deployed, key)).get("items"), "and served again, with the same key")


async def import_list(deployed: Deployment, key: str) -> None:
    text = (ROOT / "mcp_server" / "data" / "ultimate-hike-2025.csv").read_text(encoding="utf-8")
    async with deployed.client(key) as client:
        tools = (await client.list_tools()).tools
        result = await client.call_tool("import_csv", {"csv_text": text, "setup_name": "Ultimate hike"})
        must(not result.is_error, f"{len(tools)} tools, and a list imported over HTTP")


def base_image() -> str:
    """Return the name of the image that the Dockerfile starts from, in all stages."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    stages = dict(re.findall(r"^FROM (\S+) AS (\S+)", text, re.MULTILINE))
    (name,) = stages.keys() - set(stages.values())
    return name


def main() -> None:
    started = time.monotonic()
    with deployment() as deployed:
        deployed.sh("docker compose build")
        say("built", started)
        size = int(deployed.sh("docker image inspect --format '{{.Size}}' gearshed"))
        name = base_image()
        base = int(deployed.sh(f"docker image inspect --format '{{{{.Size}}}}' {name}"))
        print(f"          {size / 1e6:.0f} MB, including {base / 1e6:.0f} MB of {name}")
        deployed.sh("docker compose up --detach")
        wait_until_healthy(deployed, "server")
        say("up and healthy", started)
        deployed.sh("docker compose run --rm admin users add ada --no-password")
        key = deployed.sh("docker compose run --rm admin keys create ada laptop 2>/dev/null").split()[-1]
        asyncio.run(import_list(deployed, key))
        say("a user, a key and a list", started)
        check_confinement(deployed)
        check_limits(deployed)
        check_secrets(deployed, key)
        say("confinement and secrets checked", started)
        asyncio.run(restart_under_load(deployed, key))
        say("PostgreSQL restarted", started)
        check_backup(deployed, key)
        say("backed up and restored", started)
    say("down", started)


if __name__ == "__main__":
    main()
