"""Whether people can answer, before the first mail and while mails leave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from repermit.cli.lookout import Lookout, look_after, lookout
from repermit.cli.session import Interrupted
from repermit.dispatch.run import send
from repermit.errors import LedgerUnusable, SendRefused
from repermit.ledger.store import probing
from repermit.ledger.store.probing import Vantage
from repermit.respond.probe import Found
from tests.builders import admit
from tests.dispatch.test_run import PLAN, SOON, Sender, people
from tests.relays import Relay
from tests.respond.servers import listening, saying, serving
from tests.respond.test_probe import Campaign, opened

BAD_GATEWAY = b"HTTP/1.1 502 x\r\nContent-Length: 0\r\n\r\n"


@pytest.fixture
async def campaign(campaign_folder: Path) -> AsyncIterator[Campaign]:
    """A campaign whose server is not running yet."""
    async with opened(campaign_folder) as campaign:
        yield campaign


def looking(campaign: Campaign, port: int, **changes: object) -> Lookout:
    """Return a lookout over the page at that port."""

    def look() -> Awaitable[Found]:
        return campaign.probed(port)

    eye = Lookout(look, is_trial=False, stop=asyncio.Event(), between_seconds=0.01)
    return replace(eye, every_seconds=0.02, **changes)  # type: ignore[arg-type]  # any


async def test_it_goes_on_at_once_when_a_recipient_can_answer(campaign: Campaign) -> None:
    async with serving(campaign.app) as port:
        assert (await looking(campaign, port).begin()).code == ""
    assert await campaign.record() == [("", 1)]


async def test_it_refuses_after_three_tries(campaign: Campaign) -> None:
    async with listening(saying(BAD_GATEWAY)) as port:
        with pytest.raises(SendRefused, match=r"nobody could answer the mails: at .* 502") as told:
            await looking(campaign, port).begin()

    assert "`repermit probe` tells when it works" in told.value.hint
    assert await campaign.record() == [("status", 3)]


async def test_a_server_that_comes_up_meanwhile_is_waited_for(campaign: Campaign) -> None:
    tries = list[Callable[[], Awaitable[Found]]]()

    async with serving(campaign.app) as up, listening(saying(BAD_GATEWAY)) as down:

        async def look() -> Found:
            tries.append(look)
            return await campaign.probed(up if len(tries) == 3 else down)

        assert (await looking(campaign, up, look=look).begin()).code == ""
    assert len(tries) == 3


async def test_a_trial_on_this_machine_goes_on_without_a_server(campaign: Campaign) -> None:
    """At once when nobody listens there at all."""
    async with serving(campaign.app) as port:
        pass
    eye = looking(campaign, port, is_trial=True, between_seconds=3600.0)
    assert (await asyncio.wait_for(eye.begin(), SOON)).code == "refused"

    async with listening(saying(BAD_GATEWAY)) as port:
        assert (await looking(campaign, port, is_trial=True).begin()).code == "status"
    assert await campaign.record() == [("refused", 1), ("status", 3)]


async def test_whoever_wants_to_end_does_not_wait_for_the_next_try(campaign: Campaign) -> None:
    async with listening(saying(BAD_GATEWAY)) as port:
        looked = asyncio.Event()

        async def look() -> Found:
            looked.set()
            return await campaign.probed(port)

        eye = looking(campaign, port, look=look, between_seconds=3600.0)
        beginning = asyncio.create_task(eye.begin())
        await looked.wait()
        eye.stop.set()
        with pytest.raises(Interrupted, match="nobody was asked"):
            await asyncio.wait_for(beginning, SOON)


@pytest.mark.parametrize(
    ("url", "answered", "is_trial"),
    [
        ("http://127.0.0.1:8080", False, True),
        ("http://localhost:8080", False, True),
        ("http://[::1]:8080", False, True),
        ("http://127.0.0.1:8080", True, False),
        ("https://answer.example.org", False, False),
    ],
)
async def test_a_trial_is_on_this_machine_and_nobody_could_ever_answer(
    campaign_folder: Path, url: str, answered: bool, is_trial: bool
) -> None:
    async with opened(campaign_folder, public_url=f'public_url = "{url}"') as campaign:
        if answered:
            await campaign.ledger.write(probing.note, "", Vantage.HERE)
        eye = await lookout(campaign.runtime, campaign.ledger, asyncio.Event())

    assert eye.is_trial is is_trial


async def test_three_failures_in_a_row_stop_the_run_and_no_fewer(campaign: Campaign) -> None:
    """Mails in hand are settled, nobody is in doubt, and the next run goes on."""
    await admit(campaign.ledger, *people(60))
    looks = list[str]()
    relay = Relay()
    async with serving(campaign.app) as up, listening(saying(BAD_GATEWAY)) as down, relay.running():

        async def look() -> Found:
            is_down = len(looks) in (1, 2) or len(looks) > 3
            found = await campaign.probed(down if is_down else up)
            looks.append(found.code)
            return found

        sender, eye = Sender(campaign.ledger, relay), looking(campaign, up, look=look)
        plan = replace(PLAN, per_second=20.0)
        sent = await asyncio.wait_for(
            send(
                *(campaign.ledger, sender.connect, sender.mailer, plan),
                stop=sender.stop,
                progress=lambda _: None,
                watch=eye.watch,
            ),
            60,
        )

    assert looks == ["", "status", "status", "", "status", "status", "status"]
    assert isinstance(sent.refusal, SendRefused)
    assert "nobody can answer the mails any more" in str(sent.refusal)
    assert "goes on where it was" in sent.refusal.hint
    counts = await sender.counts()
    assert counts.keys() <= {"asked", "listed"}
    assert (counts["asked"], await sender.leases()) == (sent.asked, 0)
    stopped = "SELECT stopped_at FROM campaign"
    assert await campaign.ledger.read(lambda tx: tx.value(stopped)) is None


async def test_while_the_page_answers_it_watches_on(campaign: Campaign) -> None:
    fifth = asyncio.Event()
    looks = list[str]()
    async with serving(campaign.app) as port:

        async def look() -> Found:
            if len(looks) == 5:
                fifth.set()
                await asyncio.Event().wait()
            looks.append((await campaign.probed(port)).code)
            return await campaign.probed(port)

        watching = asyncio.create_task(looking(campaign, port, look=look).watch())
        await asyncio.wait_for(fifth.wait(), SOON)
        assert not watching.done()
        watching.cancel()
        await asyncio.wait({watching})
    assert set(looks) == {""}


async def test_who_serves_hears_once_that_nobody_can_answer_and_once_that_people_can_again(
    campaign: Campaign, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when it is the ledger that fails, which ends no server."""
    looks, seen = [True, False, False, None, True, True, False], asyncio.Event()
    async with serving(campaign.app) as up, listening(saying(BAD_GATEWAY)) as down:

        async def look() -> Found:
            if not looks:
                seen.set()
                return await asyncio.Event().wait()  # type: ignore[return-value]  # it never ends
            works = looks.pop(0)
            if works is None:
                raise LedgerUnusable("the ledger is locked", hint="wait")
            return await campaign.probed(up if works else down)

        looking_after = asyncio.create_task(look_after(look, first_seconds=0, every_seconds=0))
        await asyncio.wait_for(seen.wait(), SOON)
        looking_after.cancel()

    told = capsys.readouterr().err.splitlines()
    assert [line.partition(" ")[0] for line in told] == ["nobody", "people", "nobody"]
    assert "it answers 502; see that `repermit serve` runs" in told[0]
    assert told[0].endswith("; serving goes on, and looks again")
