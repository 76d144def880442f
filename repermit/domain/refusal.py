"""What the codes of a mail server say: whether the address is dead, or something else is wrong.

One table for the reply at SMTP time and for the reports that come back later.

Source: RFC 3463 section 3 and the registry of RFC 5248; RFC 7372 (5.7.20 to 5.7.26, of the
sender), RFC 7504 (521, 556), RFC 7505 (5.1.10), RFC 7293 (5.7.17, 5.7.18: another owner); 5.4.3xx
and 5.7.1xx and up are Microsoft's. RFC 5321 section 4.2.3 for replies that have no such code.
"""

from __future__ import annotations

import re
from enum import StrEnum


class Fault(StrEnum):
    """Where the reason lies that a mail was refused."""

    ADDRESS = "address"  # it does not exist, or takes no mail for good
    FOR_NOW = "for_now"  # full, away, too large, put off: says nothing of the address
    US = "us"  # the sender, the server that sends, or what the mail holds
    UNKNOWN = "unknown"  # the code alone does not say


# Subject and detail of 5.x.x; a subject alone is for the details that are not named.
_FAULTS: dict[tuple[int, ...], Fault] = {
    (1,): Fault.ADDRESS,
    (1, 7): Fault.US,  # the sender's address: its syntax, its domain, no mail to it
    (1, 8): Fault.US,
    (1, 9): Fault.FOR_NOW,
    (2,): Fault.UNKNOWN,
    (2, 1): Fault.ADDRESS,  # disabled
    (2, 2): Fault.FOR_NOW,  # full
    (2, 3): Fault.FOR_NOW,  # the mail is too large for it
    (3,): Fault.FOR_NOW,  # the server: full, not taking mail, the mail too large
    (3, 0): Fault.UNKNOWN,
    (4,): Fault.FOR_NOW,  # the way there: no answer, loops, given up
    (4, 0): Fault.UNKNOWN,
    (4, 1): Fault.ADDRESS,  # as a reply it is Microsoft's for an address that does not exist
    (4, 4): Fault.ADDRESS,  # nowhere to deliver mail of its domain
    (4, 310): Fault.ADDRESS,  # its domain does not exist
    (5,): Fault.UNKNOWN,
    (6,): Fault.FOR_NOW,  # what the mail holds cannot be carried or converted
    (7,): Fault.US,
    (7, 13): Fault.UNKNOWN,
    (7, 17): Fault.ADDRESS,  # its owner is another one now
    (7, 18): Fault.ADDRESS,
    (7, 124): Fault.UNKNOWN,  # who may write to this group or mailbox
    (7, 129): Fault.UNKNOWN,
    (7, 133): Fault.UNKNOWN,
    (7, 134): Fault.UNKNOWN,
    (7, 135): Fault.UNKNOWN,
    (7, 136): Fault.UNKNOWN,
}
_OF_REPLIES = {
    "501": Fault.ADDRESS,
    "521": Fault.UNKNOWN,
    "550": Fault.ADDRESS,
    "551": Fault.ADDRESS,
    "552": Fault.FOR_NOW,
    "553": Fault.ADDRESS,
    "556": Fault.ADDRESS,
}
_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")


def fault_of(enhanced: str, reply: str = "") -> Fault:
    """Return what a status code "5.1.1" says; when it says nothing ("5.0.0", none), what the three
    digits of the reply say. Any code of class 4 is for now."""
    if enhanced.startswith("4") or (not enhanced and reply.startswith("4")):
        return Fault.FOR_NOW
    code = _ENHANCED.match(enhanced)
    subject, detail = (int(code[1]), int(code[2])) if code else (0, 0)
    if subject == 0:  # "5.0.0" says no more than the three digits
        return _OF_REPLIES.get(reply, Fault.UNKNOWN)
    return _FAULTS.get((subject, detail), _FAULTS.get((subject,), Fault.UNKNOWN))


def is_about_address(reply: str) -> bool:
    """Return whether *reply*, its codes at least, refuses the recipient's address for good.

    A policy, a full mailbox or server, or a mail that was put off too long say nothing of the
    address.
    """
    code = _ENHANCED.search(reply)
    return fault_of(code[0] if code else "", reply[:3]) is Fault.ADDRESS
