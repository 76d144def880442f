"""Why a run ended by itself, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from repermit.errors import RepermitError, SendRefused, WordingIncomplete

UNMAKEABLE = (WordingIncomplete, LookupError, ValueError)  # what words and places may raise
_IDS_TOLD = 5
# Why a run has ended by itself, in a word; the first four are of the relay.
AWAY, SENDER, POLICY, REFUSED_ALL = "away", "sender", "policy", "refused_all"
NOT_MADE, PAGE = "not_made", "page"
OF_THE_RELAY = frozenset((AWAY, SENDER, POLICY, REFUSED_ALL))


class Away(Enum):
    """Why no connection to the relay comes about now, and what to look at."""

    NO_HOST = ("there is no host of that name", "check the host in relay.url, and the DNS")
    REFUSED = ("nobody takes the connection", "check relay.url, and that the relay runs")
    SILENT = (
        "it does not answer in time",
        "check the port in relay.url, smtps:// where TLS comes first, and the firewall",
    )
    NO_SMTP = ("what answers speaks no SMTP", "check the host and the port in relay.url")
    NO_TLS = (
        "the TLS handshake fails",
        "check relay.url: smtps:// where TLS comes first, smtp:// where STARTTLS begins it",
    )
    BUSY = ("it takes no mail now", "ask its operator, or lower relay.connections")
    HANGS_UP = ("it hangs up", "ask its operator whether this machine may send")


def relay_away(cause: Away) -> SendRefused:
    """Return that no connection could be had."""
    why, hint = cause.value
    return SendRefused(f"the relay cannot be reached: {why}", hint=hint, code=AWAY)


def sender_refused(reply: str) -> SendRefused:
    """Return that the relay does not take mails from us."""
    return SendRefused(
        f"the relay refuses the sender ({reply})",
        hint="check relay.from, and with the relay's operator that it may send",
        code=SENDER,
    )


def refused_by_policy(count: int, reply: str) -> SendRefused:
    """Return that so many in a row were refused for reasons of policy."""
    return SendRefused(
        f"the relay refused {count} recipients in a row for reasons of policy ({reply}); they are"
        " listed again",
        hint="check SPF, DKIM and DMARC of the sender, and blocklists",
        code=POLICY,
    )


def refused_all(count: int, reply: str) -> SendRefused:
    """Return that so many in a row were refused and none was taken."""
    return SendRefused(
        f"the relay refused {count} recipients in a row and took none ({reply}); they are listed"
        " again",
        hint="ask the relay's operator what it has against these mails, and check blocklists;"
        " `repermit send` then begins with others",
        code=REFUSED_ALL,
    )


@dataclass
class Unmade:
    """How many mails cannot be made for one reason, and the ids of the first few."""

    count: int = 0
    ids: list[int] = field(default_factory=list)

    def add(self, recipient_id: int) -> None:
        """Count one more."""
        self.count += 1
        if len(self.ids) < _IDS_TOLD:
            self.ids.append(recipient_id)

    def __str__(self) -> str:
        ids = ", ".join(map(str, self.ids))
        return f"{self.count:,}, {'ids' if self.count > 1 else 'id'} {ids}" + (
            " and more" if self.count > len(self.ids) else ""
        )


def why_unmade(failure: Exception) -> str:
    """Return why a mail cannot be made, without what stands in it: that may be somebody's."""
    match failure:
        case RepermitError():
            return str(failure)
        case KeyError(args=(str(name),)):
            return f"the words want {name}, which nobody knows"
        case _:
            return f"a sentence, or what fills it, cannot be written ({type(failure).__name__})"


def not_made(why: Mapping[str, Unmade]) -> SendRefused:
    """Return what to tell of recipients whose mail could not be made, by the reason why."""
    count = sum(one.count for one in why.values())
    told = "; ".join(f"{reason} ({one})" for reason, one in why.items())
    return SendRefused(
        f"no mail could be made for {count:,} of them: {told}; the others were asked",
        hint="correct the templates or sentences of the campaign, look at `repermit preview`, "
        "then approve it anew and `repermit send` again",
        code=NOT_MADE,
    )


def owed_not_made(failure: Exception) -> SendRefused:
    """Return that a mail of the outbox could not be made."""
    return SendRefused(
        f"a mail that is owed could not be made ({why_unmade(failure)}); it is tried again later",
        hint="correct the templates or sentences of the campaign, then `repermit send` again",
    )
