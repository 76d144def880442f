"""What became of the mail that tried whether bounces come back, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from repermit.cli.finding import Finding, State

if TYPE_CHECKING:
    from repermit.ledger.store.checking import Tried

NAME = "bounces come back"
NOT_TRIED = "whether bounces come back was never seen: `repermit check` tries it"
_DEAD = "hard"  # the kind of a bounce that says so of the address, as it should
_AS_WHAT = {
    "about_us": "because of us, not of its address",
    "temporary": "as put off only",
    "unclear": "without saying why",
}
_DO = {
    "temporary": "ask the relay's operator where it could not go on, then `repermit check` again",
    "unclear": "such a bounce moves nobody: ask the relay's operator for delivery reports with"
    " codes (RFC 3464), then `repermit check` again",
}
_LATER = (
    "`repermit inbound` reads what is there by now; if it is not, see what became of it in the"
    " relay's queue, and `repermit check` tries it with another"
)


def came(tried: Tried) -> str:
    """Return in words what became of the last such mail; empty when there was none."""
    from repermit.domain.clock import iso

    if tried.number is None or tried.left_at is None:
        return ""
    if tried.took is None:
        earlier = f"; an earlier one had, at {iso(tried.seen_at)}" if tried.seen_at else ""
        return f"the mail that tried it at {iso(tried.left_at)} has not come back{earlier}"
    return f"the mail that tried it at {iso(tried.left_at)} {how(tried)}"


def what_to_do(tried: Tried) -> str:
    """Return what to do about the last such mail; empty when it came back as it should, and when
    there was none."""
    if tried.number is None or tried.left_at is None:
        return ""
    return _LATER if tried.took is None else back(tried, "").do


def still_open(tried: Tried) -> str:
    """Return in words what that mail did not show yet; empty when it came back as it should."""
    if tried.seen_at is None:
        return NOT_TRIED
    return came(tried) if tried.took is not None and tried.kind != _DEAD else ""


def how(tried: Tried) -> str:
    """Return in words how such a mail came back, which it did."""
    seconds = round(tried.took.total_seconds()) if tried.took else 0
    as_what = _AS_WHAT.get(tried.kind or "", "")
    code = f" ({tried.status})" if as_what and tried.status else ""
    return f"came back after {seconds} s{', ' if as_what else ''}{as_what}{code}"


def back(tried: Tried, says: str) -> Finding:
    """Return what it means that such a mail came back."""
    from repermit.dispatch.about_us import hint_of

    if tried.kind == _DEAD:
        return Finding("bounces", NAME, State.OK, says)
    do = _DO.get(tried.kind or "") or hint_of(tried.status or "", "")
    return Finding("bounces", NAME, State.FAIL, says, do)
