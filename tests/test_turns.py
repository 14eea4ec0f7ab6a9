"""Turns: the limits per user and in all, and the order in which users get them."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import pytest

from mcp_server.errors import Busy
from mcp_server.turns import MOST_WAITING, Turns


@dataclass
class Crowd:
    """Users at work. Each call works until it is allowed to finish."""

    turns: Turns
    working: list[int | None] = field(default_factory=list[int | None])
    started: list[int | None] = field(default_factory=list[int | None])
    refused: list[int | None] = field(default_factory=list[int | None])
    most: int = 0
    may_end: dict[int | None, asyncio.Semaphore] = field(default_factory=dict[int | None, asyncio.Semaphore])
    group: anyio.abc.TaskGroup = field(default_factory=anyio.create_task_group)

    async def call(self, user_id: int | None) -> None:
        try:
            async with self.turns.take(user_id):
                self.started.append(user_id)
                self.working.append(user_id)
                self.most = max(self.most, len(self.working))
                await self.may_end.setdefault(user_id, asyncio.Semaphore(0)).acquire()
                self.working.remove(user_id)
        except Busy:
            self.refused.append(user_id)

    async def arrive(self, *users: int | None) -> None:
        for user_id in users:
            self.group.start_soon(self.call, user_id)
            await anyio.wait_all_tasks_blocked()

    async def end(self, user_id: int | None) -> None:
        self.may_end[user_id].release()
        await anyio.wait_all_tasks_blocked()


@asynccontextmanager
async def crowd(turns: Turns) -> AsyncGenerator[Crowd]:
    crowd = Crowd(turns)
    async with crowd.group:
        yield crowd
        crowd.group.cancel_scope.cancel()


async def test_a_user_has_a_share_and_all_users_a_total() -> None:
    async with crowd(Turns(2, 4, "calls")) as people:
        await people.arrive(*[1] * 10)
        assert people.working == [1, 1]
        await people.arrive(2, 2, 2, 3)
        assert people.working == [1, 1, 2, 2]
        await people.end(1)
        assert people.most == 4


async def test_waiting_users_take_turns_however_many_calls_one_of_them_made() -> None:
    """In the order of arrival, users 3 and 4 would wait for all ten calls of user 1."""
    async with crowd(Turns(1, 2, "calls")) as people:
        await people.arrive(*[1] * 10, 2, 3, 4)
        assert people.started == [1, 2]
        for user_id in (1, 1, 3, 4):
            await people.end(user_id)
        assert people.started == [1, 2, 1, 3, 4, 1]


async def test_a_call_that_waits_too_long_is_refused() -> None:
    async with crowd(Turns(1, 2, "calls", patience=0.05)) as people:
        await people.arrive(1, 1)
        assert people.refused == []
        await anyio.sleep(0.1)
        assert (people.refused, people.working) == ([1], [1])
        await people.end(1)
        await people.arrive(1)
        assert people.working == [1]


async def test_a_user_cannot_wait_with_any_number_of_calls() -> None:
    async with crowd(Turns(1, 2, "calls")) as people:
        await people.arrive(*[1] * (1 + MOST_WAITING + 3))
        assert people.refused == [1] * 3
        await people.arrive(2)
        assert people.working == [1, 2]


async def test_the_server_waits_without_a_limit_for_the_total_only() -> None:
    async with crowd(Turns(1, 2, "calls", patience=0.01)) as people:
        await people.arrive(*[None] * (MOST_WAITING + 5))
        await anyio.sleep(0.05)
        assert (people.working, people.refused) == ([None, None], [])


async def test_a_cancelled_call_gives_its_turn_or_its_place_back() -> None:
    turns = Turns(1, 2, "calls")
    async with crowd(turns) as people:
        await people.arrive(1)
        waiting = asyncio.create_task(people.call(1))
        await anyio.wait_all_tasks_blocked()
        # The turn arrives, and the call is cancelled, in the same moment.
        people.may_end[1].release()
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await people.arrive(1)
        assert people.working == [1]


async def test_a_turn_lasts_as_long_as_the_work_that_extended_it() -> None:
    turns, work = Turns(1, 2, "calls", patience=0.01), asyncio.get_running_loop().create_future()
    async with turns.take(1) as turn:
        turn.extend(work)
    with pytest.raises(Busy, match="Too many calls are in progress"):
        async with turns.take(1):
            pass
    work.set_result(None)
    await asyncio.sleep(0)
    async with turns.take(1):
        pass
