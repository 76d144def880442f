"""The SMTP dialogue of one mail after another, over a connection that stands.

What a lost connection means depends on the very byte: before the first byte of the body the mail
is not out; from that byte on nobody can know. Where the relay lets us, the three commands before
the body go out in one piece, which makes it two round trips a mail instead of four.

Source: RFC 5321 sections 3.3, 4.1.1.4, 4.5.2 and 4.5.3.2; RFC 2920 section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

from repermit.dispatch.offer import Commands, Offer
from repermit.dispatch.verdict import Accepted, Delayed, Lost, Verdict, of_no
from repermit.dispatch.wire import GARBAGE, Wire

_YES = "223"  # how a yes to MAIL, RCPT and DATA begins


@dataclass(frozen=True)
class Patience:
    """How many seconds the relay may take.

    `envelope` and `body` together are less than a sender's lease, or another sender would take
    a slow mail for a lost one.

    Source: RFC 5321 section 4.5.3.2.6 for `body`: 10 minutes.
    """

    connect: float = 30.0
    envelope: float = 240.0  # MAIL, RCPT and DATA together
    body: float = 600.0
    goodbye: float = 5.0  # RSET and QUIT, on which nothing depends


class Dialogue:
    """An open connection that takes one mail at a time."""

    def __init__(self, wire: Wire, offer: Offer, patience: Patience) -> None:
        self._wire, self._offer, self._patience = wire, offer, patience

    @property
    def broken(self) -> bool:
        """Return whether no other mail can go over it, because the relay hung up, said 421,
        spoke unasked, or is out of step."""
        return bool(self._wire.failure)

    async def send(
        self, sender: str, mailbox: str, content: bytes, *, envid: str | None = None
    ) -> Verdict:
        """Return what became of one mail; never raises for what the relay does."""
        commands = self._offer.commands(sender, mailbox, content, envid=envid)
        if not isinstance(commands, tuple):
            return commands
        return await self._envelope(commands) or await self._body(content)

    async def close(self) -> None:
        """Say goodbye, if there is somebody to say it to."""
        self._wire.within(self._patience.goodbye)
        await self._wire.ask(b"QUIT\r\n", 1)
        self._wire.close()

    async def _envelope(self, commands: Commands) -> Verdict | None:
        """Return None once the relay waits for the body, else what became of the mail."""
        self._wire.within(self._patience.envelope)
        if self._offer.pipelining:
            replies = await self._wire.ask(b"".join(commands), len(commands))
        else:
            replies = await self._one_by_one(commands)
        for step, reply in enumerate(replies):
            if reply[0] != _YES[step]:
                verdict = of_no(reply, to_sender=step == 0)
                if verdict is None:
                    self._wire.fail(GARBAGE)
                await self._forget(replies)
                return verdict or Delayed(GARBAGE)
        return Delayed(self._wire.failure) if self._wire.failure else None

    async def _one_by_one(self, commands: Commands) -> list[str]:
        """Ask one thing after another, up to the first that is not answered with a yes."""
        replies: list[str] = []
        for command, yes in zip(commands, _YES, strict=True):
            replies += await self._wire.ask(command, 1)
            if self._wire.failure or replies[-1][0] != yes:
                break
        return replies

    async def _body(self, content: bytes) -> Verdict:
        """Write the body in one piece, and return what became of the mail.

        The rest of a large one waits in the transport until the relay reads on; nothing else is
        written before the relay has answered.
        """
        self._wire.within(self._patience.body)
        replies = await self._wire.ask(stuffed(content), 1)
        if not replies:
            return Lost(self._wire.failure)
        early = self._wire.unsent  # it spoke before it can have seen the end
        if replies[0][0] == "2" and not early:
            return Accepted(replies[0])
        verdict = of_no(replies[0])
        if verdict is None or early:
            self._wire.fail(GARBAGE)
        return verdict or Lost(GARBAGE)

    async def _forget(self, replies: list[str]) -> None:
        """Clear the envelope so that the next mail starts anew; what was said stays said.

        When the relay waits for the body of a mail that it refused, a lone dot ends it, unless
        that would send an empty mail to a recipient whom it took.
        """
        waits = len(replies) == len(_YES) and replies[2][0] == "3"
        if waits and replies[1][0] == "2":
            self._wire.fail(GARBAGE)
        self._wire.within(self._patience.goodbye)
        told = await self._wire.ask(b".\r\n" if waits else b"RSET\r\n", 1)
        if told and told[0][0] not in ("245" if waits else "2"):
            self._wire.fail(GARBAGE)


def stuffed(content: bytes) -> bytes:
    """Return *content* as it goes after DATA: dots doubled at line starts, then the end mark.

    Source: RFC 5321 section 4.5.2.
    """
    body = content.replace(b"\n.", b"\n..")
    end = b".\r\n" if body.endswith(b"\r\n") else b"\r\n.\r\n"
    return b"." + body + end if body.startswith(b".") else body + end
