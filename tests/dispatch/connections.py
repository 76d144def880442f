"""What the tests of the dialogue share: the words, and the way to a relay."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from repermit.dispatch.dialogue import Dialogue
from repermit.dispatch.relay import Patience, RelayAt
from repermit.dispatch.verdict import Verdict
from tests.relays import HANGS_UP, RESETS, Phase, Relay, raw

SENDER, AN, JAN = "news@list.example", "an@people.example", "jan@people.example"
MAIL = b"Subject: hello\r\n\r\n.a line with a dot\r\n..two\r\n.\r\nthe end\r\n"
BEFORE_THE_BODY = (Phase.MAIL, Phase.RCPT, Phase.DATA)
GARBAGE = {
    "no code": raw(b"hello there\r\n"),
    "no reply code": raw(b"999 what\r\n"),
    "two codes": raw(b"250-first\r\n251 second\r\n"),
    "a line without end": raw(b"250 " + b"x" * 9_000),
    "a line too long": raw(b"250 " + b"x" * 9_000 + b"\r\n"),
    "a reply without end": raw(b"250-more\r\n" * 200),
    "half a line, then nobody": raw(b"25", hang_up=True),
    "half a reply, then nobody": raw(b"250-more\r\n", hang_up=True),
    "bytes of no alphabet": raw(b"\xff\xfe\x00\r\n"),
    "an empty line": raw(b"\r\n"),
}
GONE = {"a goodbye without a word": HANGS_UP, "a reset": RESETS}
PATIENT = Patience(connect=30.0, envelope=30.0, body=30.0)  # for a relay that answers, if late
HASTY = Patience(connect=30.0, envelope=0.2, body=0.2, goodbye=0.2)  # for one that is silent


def relay_at(
    relay: Relay,
    tls: str = "none",
    *,
    login: bool = False,
    patience: Patience = PATIENT,
    **more: object,
) -> RelayAt:
    """Return the way to *relay*."""
    return RelayAt(
        host="127.0.0.1",
        port=relay.port,
        tls=tls,
        user="user" if login else None,
        password="geheim" if login else None,
        patience=patience,
        **more,  # type: ignore[arg-type]  # whatever RelayAt takes
    )


@asynccontextmanager
async def connected(relay: Relay, patience: Patience = PATIENT) -> AsyncIterator[Dialogue]:
    """Run *relay* with one connection to it, for the length of a block."""
    async with relay.running():
        connection = await relay_at(relay, patience=patience).connect()
        try:
            yield connection
        finally:
            await connection.close()


async def verdict_of(
    relay: Relay, mailbox: str = AN, content: bytes = MAIL, *, patience: Patience = PATIENT
) -> tuple[Verdict, bool]:
    """Return what became of one mail, and whether the connection is broken."""
    async with connected(relay, patience) as connection:
        return await connection.send(SENDER, mailbox, content), connection.broken


async def is_broken(connection: Dialogue) -> None:
    """Return once *connection* has seen that it is broken. Raises: TimeoutError."""
    async with asyncio.timeout(60):
        while not connection.broken:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.005)
