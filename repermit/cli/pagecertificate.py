"""Whether the certificate of the answer pages holds until the last answer."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from repermit.cli.finding import Said, State
from repermit.domain.clock import iso

if TYPE_CHECKING:
    from repermit.respond.probe import Found

_SOON = timedelta(days=7)


def certificate_of(found: Found, until: datetime | None, now: datetime) -> Said:
    """Return whether browsers trust the pages *until* the last answer, where that is known; the
    connection has verified the name and the chain already."""
    ends, host = found.certificate_ends, urlsplit(found.url)
    if found.code == "certificate":
        return State.FAIL, found.why, found.hint
    if ends is None:
        if host.scheme != "https":
            return State.OK, "none needed on this machine itself", ""
        return State.WARN, "not known: the page did not answer", found.hint
    left = ends - now
    says = f"for {host.hostname}, {left.days} days left"
    do = "see that it renews itself: with an invalid one nobody answers"
    if left < _SOON:
        return State.FAIL, says, do
    if until is not None and ends < until:
        return State.WARN, f"{says}, and people may answer until {until:%Y-%m-%d}", do
    return State.OK, says, ""


def certificate_warning(found: Found, until: datetime | None, now: datetime) -> str:
    """Return a line when `certificate_of` has something against the certificate that was seen,
    else an empty string."""
    ends = found.certificate_ends
    if ends is None or certificate_of(found, until, now)[0] is State.OK:
        return ""
    begins = f"The certificate of {found.url} ends at {iso(ends)}"
    if until is not None and ends < until:
        begins += f", and people may answer until {iso(until)}"
    return f"{begins}: see that it is renewed before."
