"""A dialogue against a relay that means harm: it ends, keeps little, and misleads nobody."""

from __future__ import annotations

import tracemalloc

import pytest

from repermit.dispatch.replies import Replies
from repermit.dispatch.verdict import Accepted, Delayed, Lost
from tests.dispatch.connections import (
    AN,
    BEFORE_THE_BODY,
    JAN,
    MAIL,
    SENDER,
    connected,
    is_broken,
    verdict_of,
)
from tests.relays import Act, Phase, Relay, at, raw, without

FLOODS = {
    "a line of 10 MB": b"250 " + b"x" * 10_000_000,
    "a million lines of one reply": b"250-more\r\n" * 1_000_000,
    "zeros": bytes(10_000_000),
}
LARGE = b"Subject: large\r\n\r\n" + (b"x" * 70 + b"\r\n") * 200_000  # 14 MB: in no socket's buffer
every_flood = pytest.mark.parametrize("flood", FLOODS.values(), ids=FLOODS)


@pytest.fixture(params=[without(), without("PIPELINING")], ids=["pipelined", "one_by_one"])
def relay(request: pytest.FixtureRequest) -> Relay:
    """A relay with and without PIPELINING."""
    return Relay(extensions=request.param)


@every_flood
@pytest.mark.parametrize("phase", [*BEFORE_THE_BODY, Phase.BODY])
async def test_a_flood_instead_of_a_reply_is_garbage(
    relay: Relay, phase: Phase, flood: bytes
) -> None:
    relay.script = at({phase: raw(flood)})

    verdict, broken = await verdict_of(relay)

    assert (type(verdict), broken) == (Lost if phase is Phase.BODY else Delayed, True)


@every_flood
async def test_of_a_flood_hardly_anything_is_kept(flood: bytes) -> None:
    replies = Replies()
    tracemalloc.start()
    try:
        for begin in range(0, len(flood), 4096):
            assert replies.feed(flood[begin : begin + 4096]) == []
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert replies.garbled
    assert most < 100_000


@pytest.mark.parametrize("reply", [b"250 2.0.0 taken\r\n", b"354 go on\r\n"])
async def test_a_million_replies_to_one_question_answer_no_other(
    relay: Relay, reply: bytes
) -> None:
    relay.script = at({Phase.MAIL: raw(reply * 1_000_000)})

    assert await verdict_of(relay) == (Delayed("no SMTP reply"), True)
    assert relay.deliveries == []


@every_flood
async def test_a_flood_between_two_mails_ends_the_connection(relay: Relay, flood: bytes) -> None:
    relay.script = at({Phase.BODY: Act(say=b"250 2.0.0 ok\r\n", then=raw(flood))})
    async with connected(relay) as connection:
        assert await connection.send(SENDER, AN, MAIL) == Accepted("250 2.0.0")
        await is_broken(connection)
        assert isinstance(await connection.send(SENDER, JAN, MAIL), Delayed)

    assert relay.out() == {AN: 1}


async def test_zeros_in_the_text_of_a_reply_are_text(relay: Relay) -> None:
    relay.script = at({Phase.BODY: raw(b"250 2.0.0 \x00ok\x00\r\n")})

    assert await verdict_of(relay) == (Accepted("250 2.0.0"), False)


async def test_a_yes_with_a_reset_right_behind_it_is_a_yes_or_a_doubt(relay: Relay) -> None:
    """A reset may overtake what was said before it; it never makes a second mail."""
    relay.script = at({Phase.BODY: Act(say=b"250 2.0.0 taken\r\n", reset=True)})

    verdict, _ = await verdict_of(relay)

    assert verdict in (Accepted("250 2.0.0"), Lost("connection lost"))
    assert relay.out() == {AN: 1}


@pytest.mark.parametrize("act", [Act(hang_up=True), Act(reset=True)])
async def test_a_relay_that_reads_a_part_of_the_body_and_goes_leaves_a_doubt(
    relay: Relay, act: Act
) -> None:
    relay.script = at({Phase.IN_BODY: Act(**{**vars(act), "after_bytes": 1_000_000})})

    assert await verdict_of(relay, content=LARGE) == (Lost("connection lost"), True)
    assert relay.deliveries == []
