"""Campaigns at any stage, as the ledger would tell their course; no ledger is needed for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from repermit.domain.clock import iso
from repermit.domain.standing import Standing
from repermit.ledger.store.campaign import Figures
from repermit.ledger.store.checking import Tried
from repermit.ledger.store.probing import Looked, Vantage
from repermit.ledger.store.returns import Returns
from repermit.ledger.store.series import Course, Import, Presses, Purged, Refused
from repermit.ledger.store.tally import Tally

BEGUN = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
ROOT = "5f" * 32
DUE = datetime(2026, 12, 4, 23, 0, tzinfo=UTC)
Row = tuple[str | None, str | None, str, bool, bool, int]
_PLACES = ("signed_up_no_proof", "customer", "past_customer", "company_mailbox", "unfinished_form")
_MAILBOXES = ("gmail", "microsoft", "telenet", None, "proximus", "proton")


def figures_of(rows: Iterable[Row] = (), **changes: Any) -> Figures:
    """Return the figures of a campaign with those rows; *changes* are named as its fields."""
    rows = tuple(rows)
    standings = dict.fromkeys(map(str, Standing), 0)
    for _, _, standing, _, _, people in rows:
        standings[standing] += people
    there = sum(standings.values())
    given: dict[str, Any] = {
        "campaign": "1f4d5a10-0000-4000-8000-000000000000",
        "standings": standings,
        "outcomes": Tally.of(rows).outcomes(),
        "purged": 0,
        "erased": 0,
        "suspect": 0,
        "suppressions": 0,
        "first_due": None,
        "last_due": None,
        "extended_until": None,
        "next_try": None,
        "paused_at": None,
        "stopped_at": None,
        "stopped_for": None,
        "log_size": 1234,
        "log_root": ROOT,
        "holds": 0,
        "next_release": None,
        "outbox": {"owed": 0, "doubtful": 0, "failed": 0},
        "to_remove": 0,
        "page_seen": None,
        "page_failed": None,
        "closed_at": None,
        "places": (),
        "last_purge": None,
        "bounce_check": Tried(None, None, None, None, None),
        "returns": Returns(0, None, 0, {}, {}, {}),
        **changes,
    }
    return Figures(**given, admitted=there + given["purged"] + given["erased"])


def empty() -> Course:
    """Return the course of a campaign without anybody."""
    return Course(
        figures=figures_of(),
        begun_at=BEGUN,
        first_mail_at=None,
        mails=0,
        imports=(),
        on_file=Tally(),
        presses=(),
        deadlines={},
        probes=(),
        purges=(),
        refusals=(),
    )


def course_of(rows: Iterable[Row], *, figures: Mapping[str, Any], **changes: Any) -> Course:
    """Return the course of a campaign with those rows; *figures* are changes of these."""
    rows = tuple(rows)
    found = replace(empty(), figures=figures_of(rows, **figures), on_file=Tally.of(rows))
    return replace(found, **changes)


def people(scale: int = 100) -> list[Row]:
    """Return rows of everybody who may be there while answers come in."""
    rows: list[Row] = []
    for at, relationship in enumerate(_PLACES):
        for number, provider in enumerate(_MAILBOXES):
            size = scale * (7 - number) * (5 - at) ** 2 // 12
            said = {
                ("opted_in", False): size * (9 - at) // 40,
                ("opted_out", False): size * (2 + at) // 40,
                ("asked", False): size * 24 // 40,
                ("asked", True): size // 90,
                ("undeliverable", False): size * (at + 1) // 60,
                ("doubtful", False): size // 200,
            }
            rows += [
                (relationship, provider, standing, suspect, True, count)
                for (standing, suspect), count in said.items()
            ]
    rows += [
        ("bought_or_unknown", None, "withheld", False, False, 13 * scale),
        ("signed_up_with_proof", "gmail", "exempt", False, False, 9 * scale),
        ("customer", None, "opted_out", False, False, scale // 10),
        ("customer", "telenet", "listed", False, False, scale // 4),
    ]
    return rows


def answered(days: int, *, scale: int = 100, kind: str = "") -> list[Presses]:
    """Return answers that come in day by day, fewer and fewer; all of one *kind*, if given."""
    found = []
    for hour in range(days * 24):
        day, of_day = divmod(hour, 24)
        weight = max(0, 10 - abs(15 - of_day)) * scale // (20 * (1 + day * day // 3))
        at = BEGUN + timedelta(hours=hour)
        for each, many in (("yes", weight), ("no", weight // 3)):
            if many:
                found.append(Presses(at, kind or each, many))
    return found


def underway(*, scale: int = 100, days: int = 20) -> Course:
    """Return the course of a campaign whose people answer."""
    return course_of(
        people(scale),
        figures={
            "first_due": DUE,
            "last_due": DUE + timedelta(days=3),
            "erased": 3,
            "returns": Returns(
                *(412, BEGUN + timedelta(days=20), 2),
                kinds={"hard": 391, "temporary": 12, "complaint": 2, "other": 5},
                strange={"not_ours": 2},
                providers={},
            ),
        },
        first_mail_at=BEGUN,
        mails=sum(row[-1] for row in people(scale) if row[4]),
        imports=(
            Import(
                *(1, BEGUN - timedelta(days=2), 1200 * scale, 1100 * scale, 70 * scale),
                *(20 * scale, 10 * scale),
                reasons={"not_an_address": 12 * scale, "empty": 8 * scale, "never_asked": scale},
            ),
            Import(2, BEGUN - timedelta(days=1), 40, 20, 15, 5, 0, reasons={"no_such_domain": 5}),
        ),
        presses=tuple(answered(days, scale=scale)),
        deadlines={DUE: 90 * scale, DUE + timedelta(days=3): 3 * scale},
        probes=(
            Looked(BEGUN, BEGUN + timedelta(days=9), 900, Vantage.HERE),
            *(
                Looked(
                    BEGUN + timedelta(days=9, minutes=5),
                    BEGUN + timedelta(days=9, minutes=50),
                    *(9, Vantage.HERE, "refused"),
                ),
            ),
        ),
        refusals=(Refused(BEGUN + timedelta(days=33), ("outage", "replies")),),
    )


def over(*, scale: int = 100) -> Course:
    """Return the course of a campaign whose purge has run, with everybody counted."""
    rows = people(scale)
    stay = [row for row in rows if row[2] in ("opted_in", "exempt")]
    gone = Tally.of(row for row in rows if row[2] not in ("opted_in", "exempt", "listed"))
    purged = sum(gone.outcomes().values())
    end = DUE + timedelta(days=4)
    window = {"from": iso(BEGUN), "to": iso(DUE), "people": purged}
    report = {
        "readings": {"page": {"windows": [window]}, "postponed": []},
        "accepted_outage": "",
    }
    return replace(
        underway(scale=scale),
        figures=figures_of(stay, purged=purged, closed_at=end + timedelta(days=1)),
        on_file=Tally.of(stay),
        presses=tuple(
            Presses(each.at, "gone" if each.kind == "no" else each.kind, each.many)
            for each in answered(33, scale=scale)
        ),
        deadlines={},
        purges=(Purged(1, end, end + timedelta(minutes=3), purged + 2, purged, gone, report),),
    )
