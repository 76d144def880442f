"""What goes on beside a run, and how it ends."""

from __future__ import annotations

import asyncio

import pytest

from repermit.dispatch.beside import beside, heed
from repermit.errors import RepermitError, SendRefused


async def test_it_ends_with_the_block() -> None:
    ended = list[str]()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    async with beside(work(), heed(None, lambda _: None)):
        await asyncio.sleep(0)

    assert ended == ["ended"]


async def test_a_defect_of_it_is_not_swallowed() -> None:
    async def work() -> None:
        raise KeyError("a defect")

    with pytest.raises(KeyError):
        async with beside(work()):
            await asyncio.sleep(0)


async def test_what_is_watched_stops_the_run_by_what_it_raises() -> None:
    stopped = list[RepermitError]()

    async def watch() -> None:
        raise SendRefused("no", hint="yes")

    await heed(watch, stopped.append)

    assert [str(each) for each in stopped] == ["no"]
