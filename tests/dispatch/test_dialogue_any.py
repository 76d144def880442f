"""A dialogue against whatever a relay may think of: no verdict is contradicted by what it did."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from repermit.dispatch.verdict import Accepted, Lost
from tests.dispatch.connections import AN, BEFORE_THE_BODY, HASTY, JAN, MAIL, SENDER, connected
from tests.relays import (
    HANGS_UP,
    RESETS,
    Act,
    Phase,
    Relay,
    raw,
    says,
    says_and_hangs_up,
    without,
)

_YES = ["250 2.0.0 ok", "354 go on", "220 hi", "250-2.0.0 two\n250 lines", "250 ok\n250 ok"]
_NO = ["450 4.2.0 later", "550 5.1.1 no", "421 4.3.2 bye", "what", "550 5.1.1 no\n250 ok"]
_GONE = st.one_of(
    st.builds(raw, st.sampled_from([b"2", b"25", b"250-x\r\n", b"\xff"]), hang_up=st.just(True)),
    st.sampled_from([HANGS_UP, RESETS]),
)


def _says_one_of(words: list[str]) -> st.SearchStrategy[Act]:
    return st.one_of(*(st.builds(how, st.sampled_from(words)) for how in (says, says_and_hangs_up)))


_ACTS = st.one_of(
    st.tuples(
        st.sampled_from([*BEFORE_THE_BODY, Phase.BODY, Phase.RSET]),
        st.one_of(_says_one_of(_YES + _NO), _GONE),
    ),
    st.tuples(st.just(Phase.IN_BODY), st.one_of(_says_one_of(_NO[:3]), _GONE)),
)


@given(
    acts=st.lists(st.tuples(st.sampled_from([AN, JAN, None]), _ACTS), min_size=1, max_size=5),
    pipelining=st.booleans(),
    joined=st.booleans(),
)
@settings(max_examples=100, deadline=None)
async def test_whatever_the_relay_does_its_verdict_is_never_contradicted(
    acts: list[tuple[str | None, tuple[Phase, Act]]], pipelining: bool, joined: bool
) -> None:
    """A mail that counts as taken is out; one that may be tried again, or was refused, is not."""
    told = {(phase, mailbox): act for mailbox, (phase, act) in acts}
    extensions = without() if pipelining else without("PIPELINING")
    relay = Relay(lambda *when: told.get(when), extensions=extensions, joined=joined)
    async with connected(relay, HASTY) as connection:
        verdicts = {each: await connection.send(SENDER, each, MAIL) for each in (AN, JAN)}

    for mailbox, verdict in verdicts.items():
        out = relay.out()[mailbox]
        assert out <= 1
        assert isinstance(verdict, Lost) or out == isinstance(verdict, Accepted)
