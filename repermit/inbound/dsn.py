"""Delivery reports: what they say of each recipient, and of the mail as a whole.

Source: RFC 3464 (fields), RFC 6522 (the report around them), RFC 6533 (addresses beyond ASCII).
Forms that real systems send are read too: no Action, "failure", a Status with words behind it,
a Status 5.0.0 whose text knows better, recipients that no empty line parts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from repermit.inbound.codes import Told, judge_told
from repermit.inbound.kinds import Kind

MOST_RECIPIENTS = 500
MOST_JUDGED = 100  # recipients; no report about one of our mails has more than one
_MOST_DIAGNOSTIC = 2_000  # characters

_FIELD = re.compile(
    r"^[ \t>]{0,8}(final-recipient|original-recipient|action|status|diagnostic-code)[ \t]*:(.*)$",
    re.IGNORECASE,
)
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}")
_WORD = re.compile(r"[A-Za-z]{4}")
_ARRIVED = ("delivered", "relayed", "expanded")
# The first that holds for any recipient is what the whole report says.
_ORDER = (Kind.DELIVERED, Kind.TEMPORARY, Kind.ABOUT_US, Kind.UNCLEAR, Kind.HARD)


@dataclass(frozen=True)
class Report:
    """What a report says of one recipient; each may be empty."""

    action: str = ""
    status: str = ""
    diagnostic: str = field(default="", repr=False)


def reports(text: str) -> Sequence[Report]:
    """Return what the fields of a delivery report say of its recipients, at most 500."""
    found: list[dict[str, str]] = []
    for name, value in _fields(text):
        if not found or name in found[-1]:
            if len(found) == MOST_RECIPIENTS:
                break
            found.append({})
        found[-1][name] = value
    return [_report(each) for each in found]


def verdict(told: Sequence[Report], text: str = "") -> tuple[Kind, str] | None:
    """Return what the reports mean for the one mail that they are about, and the code.

    *text* is what the message says to people: it is asked about a recipient whose fields say
    nothing. Recipients beyond the 100th are unclear. None when there is no report at all.
    """
    said = Told(text)
    each = [_of_one(report, said) for report in told[:MOST_JUDGED]]
    if len(told) > MOST_JUDGED:
        each.append((Kind.UNCLEAR, ""))
    return min(each, key=lambda one: _ORDER.index(one[0]), default=None)


def _of_one(report: Report, said: Told) -> tuple[Kind, str]:
    if report.action.startswith(_ARRIVED):
        return Kind.DELIVERED, report.status
    if report.action.startswith("delay"):
        return Kind.TEMPORARY, report.status
    if not report.action and report.status.startswith("2"):
        return Kind.DELIVERED, report.status
    diagnostic = Told(report.diagnostic)
    kind, status = judge_told(diagnostic, report.status)
    if kind is Kind.UNCLEAR and said.text and not diagnostic.meanings:
        told, code = judge_told(said, report.status)
        kind, status = told, code or status
    if kind is Kind.UNCLEAR and _is_bare(report) and not said.meanings and said.is_legible:
        return Kind.HARD, status  # failed for good, and nothing says why
    return kind, status


def _is_bare(report: Report) -> bool:
    said = report.diagnostic.partition(";")[2] or report.diagnostic  # "smtp; 550"
    return report.status == "5.0.0" and not _WORD.search(said)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """Yield the fields that matter, unfolded."""
    name, value = "", ""
    for line in text.splitlines():
        matched = _FIELD.match(line)
        if matched is None and name and line[:1] in (" ", "\t") and line.strip():
            value += " " + line.strip()
            continue
        if name:
            yield name, value.strip()
            name = ""
        if matched is not None:
            name, value = matched[1].lower(), matched[2]
    if name:
        yield name, value.strip()


def _report(fields: dict[str, str]) -> Report:
    told = fields.get("status", "")
    status = _STATUS.search(told)
    diagnostic = fields.get("diagnostic-code") or (told[status.end() :] if status else "")
    return Report(
        action=fields.get("action", "").lower(),
        status=status[0] if status else "",
        diagnostic=diagnostic[:_MOST_DIAGNOSTIC],
    )
