"""Why a run ended by itself, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

from repermit.errors import RepermitError, SendRefused


def relay_away() -> SendRefused:
    """Return that no connection could be had."""
    return SendRefused(
        "the relay cannot be reached, or does not speak SMTP",
        hint="check relay.url and that it runs; then `repermit send` goes on where it was",
    )


def sender_refused(reply: str) -> SendRefused:
    """Return that the relay does not take mails from us."""
    return SendRefused(
        f"the relay refuses the sender ({reply})",
        hint="check relay.from, and with the relay's operator that it may send",
    )


def refused_by_policy(count: int, reply: str) -> SendRefused:
    """Return that so many in a row were refused for reasons of policy."""
    return SendRefused(
        f"the relay refused {count} recipients in a row for reasons of policy ({reply}); they are"
        " listed again",
        hint="check SPF, DKIM and DMARC of the sender, and blocklists",
    )


def refused_all(count: int, reply: str) -> SendRefused:
    """Return that so many in a row were refused and none was taken."""
    return SendRefused(
        f"the relay refused {count} recipients in a row and took none ({reply}); they are listed"
        " again",
        hint="ask the relay's operator what it has against these mails, and check blocklists;"
        " `repermit send` then begins with others",
    )


def not_made(why: Mapping[int, Exception]) -> SendRefused:
    """Return what to tell of recipients whose mail could not be made, without their data."""
    first = next(iter(why.values()))
    cause = str(first) if isinstance(first, RepermitError) else type(first).__name__
    return SendRefused(
        f"no mail could be made for {len(why):,} of them ({cause}); the others were asked",
        hint="correct the templates or sentences of the campaign, look at `repermit preview`, "
        "then approve it anew and `repermit send` again",
    )


def owed_not_made(failure: Exception) -> SendRefused:
    """Return that a mail of the outbox could not be made, without its data."""
    cause = str(failure) if isinstance(failure, RepermitError) else type(failure).__name__
    return SendRefused(
        f"a mail that is owed could not be made ({cause}); it is tried again later",
        hint="correct the templates or sentences of the campaign, then `repermit send` again",
    )
