"""Why sending has stopped by itself, in words, and what to look at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from repermit.dispatch.about_us import hint_of
from repermit.domain.count import counted
from repermit.errors import SendRefused

STOPPED = "stopped"  # the code of the refusal
GO_ON = "once a person has looked, `repermit send --continue`"


@dataclass(frozen=True)
class Objection:
    """Why a person must look before another mail leaves; plain values, as the ledger keeps it."""

    # bounces, complaints, provider_bounces, provider_complaints, about_us, no_bounces, delays, lost
    code: str
    wave: int
    mails: int
    count: int
    expected: int = 0
    provider: str = ""  # that it is about alone; empty: all, or one of many others
    status: str = ""  # of a mail that came back because of us: the code of the report

    def __str__(self) -> str:
        match self.code:
            case "bounces":
                share = f" ({100 * self.count / self.mails:.1f} %)" if self.mails else ""
                return f"{self.count:,} of {self.mails:,} mails went to dead addresses{share}"
            case "complaints":
                return f"{counted(self.count, 'recipient')} complained, of {self.mails:,} mails"
            case "provider_bounces":
                return (
                    f"{counted(self.count, 'mail')} to {self.provider} came back within a day"
                    f" because the address is dead, of {self.mails:,} that left within 7 days"
                )
            case "provider_complaints":
                return (
                    f"{counted(self.count, 'recipient')} at {self.provider} complained within a"
                    f" day, of {self.mails:,} mails that left for it within 7 days"
                )
            case "about_us":
                by = f" from {self.provider}" if self.provider else ""
                how = f" ({self.status})" if self.status else ""
                what = f"{self.count:,} mails" if self.count > 1 else "a mail"
                return f"{what} came back{by} because of us, not of the recipient{how}"
            case "no_bounces":
                return (
                    f"none of {self.mails:,} mails of wave {self.wave} came back, where at least"
                    f" {self.expected:,} dead addresses were to be expected of contacts that old"
                )
            case "lost":
                return f"the relay broke off {self.count:,} mails in a row and took none"
            case _:
                return (
                    f"the relay put off or broke off {self.count:,} of the last {self.mails:,}"
                    " mails"
                )

    @property
    def hint(self) -> str:
        """Return what to look at first."""
        if self.code == "about_us":
            return hint_of(self.status, self.provider)
        return {
            "provider_bounces": "a provider that sees so many dead addresses refuses all of your"
            " mail: look at where its addresses come from, and leave the oldest out",
            "provider_complaints": "from 0.3 % on Gmail and Yahoo refuse a sender: see Google"
            " Postmaster Tools or the provider's own page for senders, and read what people say",
            "bounces": "too many dead addresses make providers refuse all of your mail",
            "complaints": "people do not know you, or did not expect this mail: read what they say",
            "no_bounces": "see whether bounces arrive in the mailbox of [inbound] at all",
            "delays": "the relay, or those behind it, want fewer mails: ask its operator, and lower"
            " relay.per_second",
            "lost": "they are doubtful: ask the relay's operator what became of them, then"
            " `repermit doubt list`",
        }[self.code]


def stopped(objection: Objection, *more: str) -> SendRefused:
    """Return that sending has stopped, what to look at, and what more there is to say."""
    hint = "; ".join((objection.hint, *more, GO_ON))
    return SendRefused(f"sending has stopped: {objection}", hint=hint, code=STOPPED)


def as_kept(objection: Objection) -> dict[str, Any]:
    """Return *objection* as the ledger keeps it."""
    return dict(vars(objection))
