"""What `check` says of who speaks for the domain in From: SPF, DKIM, or only the relay knows.

Source: RFC 9989 section 4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from repermit.cli.finding import Said, State
from repermit.cli.senderspf import ASK_AGAIN, UNKNOWN

if TYPE_CHECKING:
    from repermit.published.allowance import Allowance
    from repermit.published.lookup import Lookup
    from repermit.published.treewalk import Walk


async def alignment(
    known: Walk,
    visible: str,
    envelope: str,
    lookup: Lookup,
    *,
    signs: State | None,
    allowed: Allowance,
) -> Said:
    """Return whether SPF or DKIM speaks for the domain in From, the *visible* one, as DMARC asks of
    one of them. Bounces go to *envelope*; *signs* is the state of a signature of ours, whose d= is
    always *visible*, and None where only the relay may sign.

    Source: RFC 9989 sections 4.4 and 4.10.2.
    """
    if known.policy is None:
        do = "mend DMARC first" if not known.unknown else ASK_AGAIN
        return State.WARN, "not known: no DMARC policy was found", do
    _, record = known.policy
    aligned = await _is_aligned(known, envelope, lookup, strict=record.is_strict_spf)
    by_spf = aligned and _counts(allowed)
    if signs is not None:
        return _by_ours(signs, visible, envelope, by_spf=by_spf)
    do = (
        f"have the relay sign with d={visible}, or sign here (relay.dkim_key): SPF is lost"
        " when a mail is forwarded"
    )
    if by_spf is None:
        return State.WARN, UNKNOWN.format(envelope), ASK_AGAIN
    if by_spf:
        return State.WARN, "by SPF; whether DKIM is, only the relay knows", do
    says = f"not by SPF ({envelope}); whether DKIM is, only the relay knows"
    return State.WARN, says, do


def _counts(allowed: Allowance) -> bool | None:
    """Return whether receivers can use the SPF record; None when the DNS does not say."""
    from repermit.published.allowance import Trouble

    return None if allowed.trouble is Trouble.UNKNOWN else allowed.trouble is None


def _by_ours(signs: State, visible: str, envelope: str, *, by_spf: bool | None) -> Said:
    """Return the same where we sign: on a signature that is not known to hold nothing rests."""
    if signs is State.OK:
        spf = {True: "SPF, too", False: "not SPF", None: "whether SPF does is not known"}[by_spf]
        return State.OK, f"DKIM signs for {visible}; {spf}", ""
    do = "mend the DKIM signature first: SPF is lost when a mail is forwarded"
    lost = "the DKIM signature does not hold" if signs is State.FAIL else "DKIM may not count"
    if by_spf:
        return State.WARN, f"by SPF only: {lost}", do
    if by_spf is None:
        return State.WARN, f"{UNKNOWN.format(envelope)}; and {lost}", do
    return signs, f"not by SPF ({envelope}), and {lost}", do


async def _is_aligned(known: Walk, other: str, lookup: Lookup, *, strict: bool) -> bool | None:
    """Return whether *other* belongs to the domain in From; None when the DNS does not say."""
    from repermit.published.treewalk import walk

    if strict or other == known.start:
        return other == known.start
    its = await walk(other, lookup)
    if its.unknown or known.unknown:
        return None
    return its.organisation == known.organisation
