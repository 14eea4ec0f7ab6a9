"""Jobs that a person gives an agent, each with the fewest calls, through a server process.

The calls and bytes are docs/jobs.md. To rewrite it after an intended change:
UPDATE_SNAPSHOTS=1 pytest tests/scenarios/jobs.
"""

import os
import sys
from pathlib import Path

import psycopg
from mcp import Client, StdioServerParameters

from tests.scenarios.jobs.agent import Agent, Job
from tests.scenarios.jobs.jobs import JOBS

PAGE = Path(__file__).parents[3] / "docs" / "jobs.md"
INTRODUCTION = """\
# What an agent's jobs cost

Each job is played through a server process. The agent knows only what the server says: the instructions, the
list of tools, and the results of earlier calls of the job. Bytes are those of the text in results. This page
is written by a test, `tests/scenarios/jobs`, which also has a limit for each job.

| job | calls | bytes | tools |
| --- | --- | --- | --- |
"""


async def play(client: Client, job: Job, url: str) -> Agent:
    """Play a job, and return the agent with what it counted."""
    person, agent = Agent(client), Agent(client)
    for tool, arguments in job.before:
        await person.call(tool, **arguments)
    if job.sql:
        with psycopg.connect(url) as conn:
            conn.execute(job.sql.encode())
    await job.play(agent)
    return agent


async def test_every_job_takes_few_calls_and_bytes(url: str) -> None:
    server = StdioServerParameters(
        command=sys.executable, args=["-m", "mcp_server", "serve"], env={"DATABASE_URL": url}
    )
    rows: list[str] = []
    async with Client(server) as client:
        for job in JOBS:
            agent = await play(client, job, url)
            assert len(agent.tools) <= job.calls, (job.asked, agent.tools)
            assert job.bytes is None or agent.bytes <= job.bytes, (job.asked, agent.bytes)
            tools = ", ".join(f"`{tool}`" for tool in agent.tools)
            rows.append(f"| {job.asked} | {len(agent.tools)} | {agent.bytes:,} | {tools} |\n")
    page = f"{INTRODUCTION}{''.join(rows)}"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        PAGE.write_text(page, encoding="utf-8")
    assert page == PAGE.read_text(encoding="utf-8")
