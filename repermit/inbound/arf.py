"""Complaints: reports that somebody, or who acts for them, called a mail spam.

Source: RFC 5965 (the form), RFC 6591 (reports of failed authentication), RFC 6650 section 5.
"""

from __future__ import annotations

import re

from repermit.inbound.kinds import Kind
from repermit.inbound.message import Message

# What a report says that is no complaint; every other type, also an unknown one, is taken for a
# wish to get no more of it: abuse, fraud, opt-out, opt-out-list, other.
_NO_COMPLAINTS = {
    "auth-failure": Kind.ABOUT_US,  # our signature or sender was not believed
    "dkim": Kind.ABOUT_US,
    "virus": Kind.ABOUT_US,
    "not-spam": Kind.AUTOMATIC,  # taken out of the spam folder
    "miscategorized": Kind.AUTOMATIC,
}
_feedback_type = re.compile(r"^feedback-type:[ \t]*([a-z-]{1,40})", re.IGNORECASE | re.MULTILINE)

# Reports without that form name themselves in their headers, or in those of the mail they return.
_OWN_HEADERS = frozenset({"x-arf", "x-xarf", "x-spamcop-sourceip", "x-hmxmroriginalrecipient"})
_microsoft_returned = re.compile(r"^x-hmxmroriginalrecipient:", re.IGNORECASE | re.MULTILINE)
_MICROSOFT = ("hotmail.com", "outlook.com", "microsoft.com")
_is_about_a_complaint = re.compile(r"complaint about (?:a )?message", re.IGNORECASE).match


def read(message: Message) -> Kind | None:
    """Return the kind of a report of feedback, COMPLAINT for most; None when it is none.

    Only a report that is this very message counts, not one that it encloses.
    """
    for part in message.parts:
        if part.depth == 0 and part.content_type == "message/feedback-report":
            found = _feedback_type.search(part.text)
            return _NO_COMPLAINTS.get(found[1].lower() if found else "", Kind.COMPLAINT)
    if message.report_type == "feedback-report" or _OWN_HEADERS & message.headers.keys():
        return Kind.COMPLAINT
    return Kind.COMPLAINT if _is_of_microsoft(message) else None


def _is_of_microsoft(message: Message) -> bool:
    """Return whether a message is a report of Microsoft's Junk Mail Reporting Program: a mail
    with the complained of enclosed, which alone may bear its mark."""
    enclosed = [part for part in message.parts if part.content_type == "message/rfc822"]
    if not enclosed or enclosed[0].depth:
        return False
    if _microsoft_returned.search(enclosed[0].text):
        return True
    sender = message.header("from").rstrip("> ").lower()
    return sender.endswith(_MICROSOFT) and bool(_is_about_a_complaint(message.header("subject")))
