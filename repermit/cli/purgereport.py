"""The report of a purge: a page beside the config, and a mail to those whom the config names.

It is made of what the ledger keeps of the purge, so it can be made again at any time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from repermit import __version__
from repermit.cli.telling import Telling, tell_all, told
from repermit.domain.deadline import last_day
from repermit.files import whole
from repermit.ledger.log import canonical
from repermit.report import papers

if TYPE_CHECKING:
    from repermit.ledger.engine import Ledger
    from repermit.report.papers import Paper
    from repermit.runtime import Runtime

BY_SCHEDULE = "the schedule in the config"  # who, in the ledger, where no person typed it
_ESCAPED = re.compile(r"\\([^\w\s])")
_MARKED = re.compile(r"\*\*|^(?:#+ |```\n)|`", re.MULTILINE)


async def publish(runtime: Runtime, ledger: Ledger) -> list[Path]:
    """Owe and write every report that is not written yet, and return where they are.

    Raises: WordingIncomplete; FileRefused. Crash: the next purge does the rest; a report is owed
    before it is written, and to nobody twice.
    """
    from repermit.ledger.store import purges

    written = []
    for number, report in await ledger.read(purges.reports):
        path = _unwritten(runtime.config.folder, number, _signed(runtime, report))
        if path is None:
            continue
        paper = make(runtime, report)
        await ledger.write(tell_all, runtime, mailed(runtime, number, report, paper))
        with whole(path) as file:
            file.write(papers.page(paper, runtime.templates).encode())
        written.append(path)
    return written


def _unwritten(folder: Path, number: int, signed: str) -> Path | None:
    """Return where the page of a report may be written, or None when it is there: one that has
    this *signed* hash. What a trial or another campaign has left there stays."""
    count = 0
    while True:
        count += 1
        path = folder / f"purge-{number}{f'-{count}' if count > 1 else ''}.html"
        try:
            if signed in path.read_text("utf-8", "replace"):
                return None
        except FileNotFoundError:
            return path
        except OSError:
            continue  # a folder, or a file of somebody else


def _signed(runtime: Runtime, report: Mapping[str, Any]) -> str:
    """Return the hash of a report as a signed note; the log has the same hash."""
    hashed = sha256(canonical(report)).hexdigest()
    return runtime.signing.sign_report(report["number"], hashed).strip()


def make(runtime: Runtime, report: Mapping[str, Any]) -> Paper:
    """Return the report as a paper in the campaign's default language, or in English.

    Raises: WordingIncomplete.
    """
    campaign = runtime.config.campaign
    facts = {
        **report,
        "campaign": campaign.name,
        "controller": runtime.config.controller.name,
        "release": __version__,
        "started": datetime.fromisoformat(report["started"]),
        "finished": datetime.fromisoformat(report["finished"]),
        "generations": {
            **report["generations"],
            "at": datetime.fromisoformat(report["generations"]["at"]),
        },
        **_read(report["readings"], campaign.zone),
        "by": "" if report["by"] == BY_SCHEDULE else report["by"],
        "backup": f"backup/{report['backup']}" if report["backup"] else "",
        **_scanned(report["scan"], runtime.config.ledger_path.name),
        "machines": report.get("machines", []),
        "places": [
            {**each, "on": each["on"] and date.fromisoformat(each["on"])}
            for each in report["places"]
        ],
        "named": all(each["named"] for each in report["places"]),
        "verbatim": {**report["log"], "report": _signed(runtime, report)},
    }
    language = papers.language_of(campaign.default_language)
    return papers.make(runtime.templates, "purge", (language,), lambda _: facts, zone=campaign.zone)


def _read(readings: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
    """Return what the guard read: how long people could answer, by their last day, and the rest."""
    page = {"windows": [], **readings.get("page", {})}
    own = ("accepted", "postponed", "extended_until")  # these have words of their own
    rest = {name: each for name, each in readings.items() if name not in own}
    extended = readings.get("extended_until")
    windows = [
        {
            "last_day": last_day(datetime.fromisoformat(each["to"]), zone=zone),
            "people": each["people"],
            "down": _long(each["down_minutes"]),
            "unknown": _long(each["unknown_minutes"]),
        }
        for each in page.pop("windows")
    ]
    return {
        "windows": windows,
        "readings": list(_flat({**rest, "page": page})),
        "accepted": [each["code"] for each in (readings.get("accepted") or {}).get("refusals", ())],
        "extended": last_day(datetime.fromisoformat(extended), zone=zone) if extended else None,
        "postponed": [
            {
                "last_day": last_day(datetime.fromisoformat(each["to"]), zone=zone),
                "people": each["people"],
                "why": [why["code"] for why in each["why"]],
                "until": datetime.fromisoformat(each["until"]),
            }
            for each in readings.get("postponed", ())
        ],
    }


def _long(minutes: int) -> str:
    return f"{minutes // 60:,} h {minutes % 60:02} min"


def _scanned(scan: Mapping[str, Any], own_name: str) -> dict[str, Any]:
    """Return what the scan found, where, and how many files are gone, or could not be read;
    *own_name* is that of the ledger."""
    ledger = scan.get("ledger", 0)
    traced = [*scan["traces"], *([(own_name, ledger)] if ledger else ())]
    return {
        "traced": traced,
        "traces": sum(count for _, count in traced),
        "missing": scan["missing"],
        "unread": scan.get("unread", 0),
    }


def _flat(readings: Mapping[str, Any], of: str = "") -> Iterator[tuple[str, str]]:
    """Yield each reading with its name, those of a group under the name of the group."""
    for name, value in readings.items():
        label = f"{of}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{label}: ")
        elif isinstance(value, list):
            for each in value:
                yield from _flat({name: each}, of)
        else:
            yield label, "–" if value is None else str(value)


def mailed(runtime: Runtime, number: int, report: Mapping[str, Any], paper: Paper) -> Telling:
    """Return the report as a mail in plain text."""
    text = _ESCAPED.sub(r"\1", _MARKED.sub("", paper.markdown))
    return told(runtime, "purged", f"purged {number}", {"purged": report["purged"], "text": text})
