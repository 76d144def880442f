"""Every failure that repermit expects.

RepermitError
├── ConfigInvalid        the config does not describe a campaign (lists all problems)
├── CampaignsBroken      of several campaigns that were looked at, some cannot be read
├── WordingIncomplete    a sentence that a recipient would read is missing or broken
├── AddressRejected      a text is no address (reason code; never the text)
├── ListUnreadable       a list is empty, binary, or has no address column
│   ├── OptionWrong      an option says of a list what cannot be so
│   └── ListUnsure       a list can be read in two ways, and nobody is there to say which
├── ImportRefused        an import cannot be taken back, or not any more
├── TokenRejected        a link is forged, damaged, or meant for another purpose
├── KeysUnusable         the key folder is missing, foreign, or open to others
├── LinksKept            the links in the mails are not revoked: some would die unsaid
├── MachineDiffers       another machine works on this campaign with other terms or keys
├── SealBroken           a sealed field cannot be opened (generation destroyed, or altered)
├── LedgerUnusable       missing, foreign, newer, locked, read-only, full, or behind its mark
│   ├── LedgerAway       its database does not answer now; nothing of the change is there
│   └── ChangeUnknown    its database was lost over a commit, and may or may not have it
├── MoveRefused          the ledger is not moved: nobody said so, or it is there already
├── StatementRefused     that nobody ever opted out, where lists have named somebody
├── ApprovalRefused      the campaign is not ready to be approved
├── CheckFailed          something does not hold that must before the first mail
├── SendRefused          nothing may leave: no approval, paused, relay unusable
├── DoubtRefused         a decision on doubtful rows names no such row or a wrong count
├── ReviewRefused        a decision on replies names one that does not wait, or one for both
├── ProbeFailed          nobody can answer now: the page is away, not ours, or cannot record
├── PurgeRefused         people could not answer, or more would go than was allowed
├── PlaceUnknown         a place elsewhere has no such name, or nobody was handed over for it
├── ListKept             an original list is not destroyed: another file, or not handed over yet
├── CloseRefused         the campaign has not come to its end yet (every reason)
│   └── CertificateRefused   something is left of what is to be certified as erased
├── CampaignClosed       the campaign was closed: nobody is taken in or asked any more
├── ProofBroken          the log does not verify, or a standing has no entry in it
├── NoConsent            a person has no yes that stands
├── MailboxUnusable      what comes back cannot be read: no maildir, no login, no certificate
├── BackupRefused        a folder cannot take a backup, or must not
├── RestoreRefused       no copy there can be put back, or nobody said what may be replaced
├── FileRefused          a file to write exists already, or cannot be written
├── ServeRefused         the answer server cannot start
├── CorrectionRefused    a correction of what is on file is no field, no value, or too late
├── PersonHeld           a person is kept until a date, also against their wish
├── PersonUnknown        nothing is on file under that address
└── PersonUnclear        several people's addresses hold what was given
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar


class RepermitError(Exception):
    """An expected failure: the command prints it and its hint, never a traceback."""

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str) -> None:
        super().__init__(message)
        self.hint = hint
        self.done: dict[str, Any] = {}  # what was done before it failed, as `--json` tells it

    def details(self) -> dict[str, Any]:
        """Return what `--json` adds to `error` and `hint`."""
        return self.done


class ConfigInvalid(RepermitError):
    """The config does not describe a campaign; every problem is named with its line."""

    exit_code = 2

    def __init__(self, problems: Sequence[str], *, hint: str) -> None:
        super().__init__("\n".join(problems), hint=hint)
        self.problems = tuple(problems)

    def details(self) -> dict[str, Any]:
        """Return the problems one by one."""
        return {"problems": list(self.problems)}


class CampaignsBroken(RepermitError):
    """Of several campaigns that were looked at, some cannot be read."""

    def __init__(self, places: Sequence[str], *, of: int) -> None:
        super().__init__(
            f"{len(places)} of {of} campaigns cannot be read",
            hint="do what stands beside each; `repermit --config FILE` shows one alone",
        )
        self.places = tuple(places)


class WordingIncomplete(RepermitError):
    """A sentence that a recipient would read is missing or broken."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems), hint="complete the wording file that is named")
        self.problems = tuple(problems)


class AddressRejected(RepermitError):
    """A text is no address. `reason` is a code; the text itself is not kept."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            f"this is not an e-mail address ({reason})", hint="check the spelling and try again"
        )
        self.reason = reason


class ListUnreadable(RepermitError):
    """A list is empty, binary, or has no column of addresses."""


class OptionWrong(ListUnreadable):
    """An option says of a list what cannot be so: a column, a sheet, an encoding that is not
    there."""

    exit_code = 2


class ListUnsure(ListUnreadable):
    """A list can be read in two ways. `option` is the command's option that decides it
    ("encoding", "delimiter", "sheet", "map"); `readings` are its possible values, each with what
    it would make of the list, without an address."""

    def __init__(self, what: str, *, option: str, readings: Sequence[tuple[str, str]]) -> None:
        shown = "; or ".join(f"--{option} {value}: {text}" for value, text in readings)
        super().__init__(
            f"{what} can be read in {len(readings)} ways: {shown}", hint=f"pass --{option}"
        )
        self.option, self.readings = option, tuple(readings)


class ImportRefused(RepermitError):
    """An import cannot be taken back: it is not there, or a mail has left."""


class TokenRejected(RepermitError):
    """A link is forged, damaged, or meant for another purpose or campaign."""

    def __init__(self) -> None:
        super().__init__("this link was not made by this campaign", hint="nothing was recorded")


class KeysUnusable(RepermitError):
    """The key folder is missing, belongs to another campaign, or is open to others."""


class LinksKept(RepermitError):
    """The links in the mails are not revoked; all of them work as they did."""


class MachineDiffers(RepermitError):
    """Other machines work on this campaign, and not with the same; `parts` says what differs, by
    the name of the machine."""

    def __init__(self, parts: Mapping[str, Sequence[str]], *, counts_until: datetime) -> None:
        told = "; ".join(
            f"machine {name} works on this campaign with another {', '.join(differing)}"
            for name, differing in parts.items()
        )
        super().__init__(
            told,
            hint="let every machine have the same release, config, templates and keys, then start"
            f" it again; a machine that has died counts until {_iso(counts_until)}",
        )
        self.parts = {name: tuple(differing) for name, differing in parts.items()}

    def details(self) -> dict[str, Any]:
        """Return what differs, by machine."""
        parts = {name: list(differing) for name, differing in self.parts.items()}
        return {"machines": parts, **self.done}


class SealBroken(RepermitError):
    """A sealed field cannot be opened: its generation is destroyed, or it was altered."""


class LedgerUnusable(RepermitError):
    """The ledger is missing, foreign, newer than this release, locked, full or out of date."""


class MoveRefused(RepermitError):
    """The ledger is not moved: nobody said so, or it is there already."""


class LedgerAway(LedgerUnusable):
    """The database of the ledger does not answer now. Nothing of the change is there: the same may
    work in a while."""


class ChangeUnknown(LedgerUnusable):
    """The database was lost over a commit, and nobody could say whether it has the change."""


class StatementRefused(RepermitError):
    """The statement that nobody ever opted out is untrue."""


class ApprovalRefused(RepermitError):
    """The campaign is not ready to be approved."""


class CheckFailed(RepermitError):
    """Something does not hold that must hold before the first mail."""

    def __init__(self, count: int) -> None:
        things = "1 thing does not hold" if count == 1 else f"{count} things do not hold"
        super().__init__(things, hint="do what stands beside each, then `repermit check` again")


class SendRefused(RepermitError):
    """No mail may leave now; nothing was lost and nobody was skipped. *code* says in a word why a
    run has ended by itself, where that is told to whom the config names."""

    def __init__(self, message: str, *, hint: str, code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code


class DoubtRefused(RepermitError):
    """A decision on doubtful rows names a row that is not doubtful, or a wrong count."""


class ReviewRefused(RepermitError):
    """A decision on replies names some that do not wait, or some for both decisions, by their
    numbers."""

    def __init__(self, *, gone: Sequence[int], both: Sequence[int]) -> None:
        listed = ", ".join(map(str, gone or both))
        why = f"no reply waits under {listed}"
        hint = "`repermit inbound review` shows those that wait, each with its number"
        if not gone:
            why = f"both --done and --opt-out name {listed}"
            hint = "name it with --opt-out only, which forgets it, too"
        super().__init__(f"{why}; nothing was done", hint=hint)


class ProbeFailed(RepermitError):
    """Nobody can answer now."""


class PurgeRefused(RepermitError):
    """The purge would be wrong now. Each reason has a code, a text and a date, if one helps."""

    def __init__(
        self, reasons: Sequence[tuple[str, str, datetime | None]], *, due: int, hint: str
    ) -> None:
        super().__init__("; ".join(text for _, text, _ in reasons), hint=hint)
        self.reasons = tuple(reasons)
        self.due = due

    def details(self) -> dict[str, Any]:
        """Return the reasons one by one, under the keys of a purge that went on."""
        refused = [
            {"code": code, "text": text, "until": _iso(until)} for code, text, until in self.reasons
        ]
        return {"due": self.due, "purged": 0, "refused": refused, "traces": 0, **self.done}


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


class PlaceUnknown(RepermitError):
    """A place elsewhere has no such name, or nobody was handed over for it yet."""


class ListKept(RepermitError):
    """An original list is not destroyed; it lies there as it was."""


class CloseRefused(RepermitError):
    """The campaign has not come to its end yet. Each reason has a code, a text that says what to
    do, and a date, if one helps."""

    def __init__(self, reasons: Sequence[tuple[str, str, datetime | None]], *, hint: str) -> None:
        super().__init__("; ".join(text for _, text, _ in reasons), hint=hint)
        self.reasons = tuple(reasons)

    def details(self) -> dict[str, Any]:
        """Return the reasons one by one."""
        refused = [
            {"code": code, "text": text, "until": _iso(until)} for code, text, until in self.reasons
        ]
        return {"refused": refused, **self.done}


class CertificateRefused(CloseRefused):
    """Something is left of a campaign whose erasure is to be certified; as CloseRefused."""


class CampaignClosed(RepermitError):
    """The campaign was closed: nobody is taken in, screened, approved or asked any more."""

    def __init__(self, since: datetime) -> None:
        super().__init__(
            f"the campaign is closed since {_iso(since)}",
            hint="withdrawals, `person`, `export`, `withdraw`, `purge` and `proof` go on;"
            " who is to be asked anew needs a new campaign: `repermit init DIR`",
        )


class ProofBroken(RepermitError):
    """The log does not verify, or a standing has no entry in it."""


class NoConsent(RepermitError):
    """A person has no yes that stands, so there is no record of one."""

    def __init__(self, standing: str) -> None:
        super().__init__(
            f"that person has no yes that stands: they are {standing.replace('_', ' ')}",
            hint="`repermit person` shows what is on file about them",
        )


class MailboxUnusable(RepermitError):
    """A mailbox with what comes back cannot be read, or not all of it; nothing in it is lost."""


class BackupRefused(RepermitError):
    """A folder cannot take a backup, or must not; nothing has its name there that is not whole."""


class RestoreRefused(RepermitError):
    """No copy there can be put back, or nobody said how much may be replaced; the ledger that is
    there stays."""


class FileRefused(RepermitError):
    """A file to write exists already, or cannot be written or read."""


class ServeRefused(RepermitError):
    """The answer server cannot start."""


class CorrectionRefused(RepermitError):
    """What is on file about a person cannot be corrected so; nothing is changed."""


class PersonHeld(RepermitError):
    """A person is held, so they are not erased yet; `kind` says for what."""

    _ARTICLES: ClassVar[dict[str, str]] = {"contract": "17(3)(b)", "dispute": "17(3)(e)"}

    def __init__(self, kind: str, until: datetime) -> None:
        super().__init__(
            f"that person is held until {_iso(until)} because of a {kind}, and is not erased before"
            f" (GDPR art. {self._ARTICLES[kind]})",
            hint="tell them: `repermit person --letter erasure` says why, until when and what they"
            " may do (art. 12(4)); a no stops every mail now; `repermit person --release` ends it",
        )
        self.kind, self.until = kind, until

    def details(self) -> dict[str, Any]:
        """Return for what and until when."""
        return {"held": {"kind": self.kind, "until": _iso(self.until)}, **self.done}


class PersonUnknown(RepermitError):
    """Nothing is on file under that address."""

    def __init__(self) -> None:
        super().__init__(
            "nothing is on file under that address in this campaign",
            hint="check the spelling; `repermit person --letter access` writes them what is held,"
            " be it nothing",
        )


class PersonUnclear(RepermitError):
    """What was given of an address leads to nobody, or to several people; `matches` are these, by
    masked addresses."""

    def __init__(self, message: str, *, hint: str, matches: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message, hint=hint)
        self.matches = tuple(matches)

    def details(self) -> dict[str, Any]:
        """Return who they may be."""
        return {"matches": list(self.matches), **self.done}
