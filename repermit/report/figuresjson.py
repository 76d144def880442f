"""The figures of a campaign as `report --json` tells them; the names are contract."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from repermit.domain.clock import iso
from repermit.ledger.store.series import Purged
from repermit.report.figures import KINDS, Answers, Report, postponed


def to_json(found: Report) -> dict[str, Any]:
    """Return the figures as `--json` tells them."""
    course, figures = found.course, found.course.figures
    return {
        "made": iso(found.made),
        "state": str(found.state),
        "closed": iso(figures.closed_at),
        "campaign": figures.campaign,
        "imported": figures.admitted,
        "funnel": {
            name: {"people": step.people, "on_file": step.on_file, "purged": step.purged}
            for name, step in found.funnel.items()
        },
        "purged": figures.purged,
        "purged_untold": found.untold,
        "erased": figures.erased,
        "mails": course.mails,
        "answers": {
            "first_mail": iso(course.first_mail_at),
            "days": [_answers(each) for each in found.days if each.yes or each.no or each.gone],
            "hours": [_answers(each) for each in found.hours],
            "last_days": {day.isoformat(): people for day, people in found.deadlines.items()},
            "extended": found.extended and found.extended.isoformat(),
        },
        "providers": [vars(each) for each in found.providers],
        "relationships": [vars(each) for each in found.relationships],
        "imports": [
            {**vars(each), "at": iso(each.at), "reasons": dict(each.reasons)}
            for each in course.imports
        ],
        "outages": [
            {**vars(each), "since": iso(each.since), "until": iso(each.until)}
            for each in found.outages
        ],
        "purges": [_purge(each) for each in course.purges],
        "refused": [{"at": iso(each.at), "codes": list(each.codes)} for each in course.refusals],
        "log": {"size": figures.log_size, "root": figures.log_root},
    }


def _answers(found: Answers) -> dict[str, Any]:
    at = iso(found.at) if isinstance(found.at, datetime) else found.at.isoformat()
    return {"at": at, **{kind: getattr(found, kind) for kind in KINDS}}


def _purge(found: Purged) -> dict[str, Any]:
    return {
        "number": found.number,
        "started": iso(found.started_at),
        "finished": iso(found.finished_at),
        "due": found.due,
        "purged": found.purged,
        "postponed": postponed(found),
        "accepted_outage": bool(found.report and found.report.get("accepted_outage")),
    }
