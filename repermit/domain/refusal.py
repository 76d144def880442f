"""What a reply of a mail server says of an address: whether it is dead, or something else is wrong.

Source: RFC 3463 section 3 (5.1 addressing, 5.2 mailbox, 5.4 routing; 5.1.7 and 5.1.8 are about the
sender, 5.2.3 about the size of the mail); RFC 5321 section 4.2.3 and RFC 7504 for replies that
have no such code.
"""

from __future__ import annotations

import re

_ENHANCED = re.compile(r"\b5\.(\d{1,3})\.(\d{1,3})\b")
_OF_THE_ADDRESS = frozenset({1, 2, 4})
_NOT_OF_THE_ADDRESS = frozenset({(1, 7), (1, 8), (2, 3)})
_BASIC = ("501", "550", "551", "553", "556")


def is_about_address(reply: str) -> bool:
    """Return whether *reply*, its codes at least, refuses the recipient's address for good.

    A policy, a full server or a mail that was put off too long say nothing of the address.
    """
    code = _ENHANCED.search(reply)
    subject, detail = (int(code[1]), int(code[2])) if code else (0, 0)
    if subject == 0:  # "5.0.0" says no more than the three digits before it
        return reply.startswith(_BASIC)
    return subject in _OF_THE_ADDRESS and (subject, detail) not in _NOT_OF_THE_ADDRESS
