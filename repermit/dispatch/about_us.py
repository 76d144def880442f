"""What to look at when a mail came back because of us, by the code of the report.

Source: RFC 7372 (X.7.20 to X.7.26), Google's SMTP errors (5.7.25 to 5.7.30), Microsoft's
non-delivery codes (5.7.509, 5.7.515: the sender is not authenticated; 5.7.511, 5.7.606 to 5.7.649,
5.7.708: its address is blocked).
"""

from __future__ import annotations

import re
from typing import Final

_CODE = re.compile(r"5\.7\.(\d{1,3})").fullmatch
_REVERSE_DNS, _TLS, _FLOOD = 25, 29, 28
_UNAUTHENTICATED: Final = frozenset({*range(20, 28), 30, 509, 515})
_BLOCKED: Final = frozenset({511, *range(606, 650), 708})
_PLACES: Final = {
    "gmail": "see Google Postmaster Tools",
    "microsoft": "see Smart Network Data Services (SNDS) of Microsoft",
    "yahoo": "see Yahoo's Sender Hub",
}
_REPORT = (
    "the report, which lies in inbound/quarantine beside the ledger, or in the folder"
    " repermit-quarantine of the mailbox"
)


def hint_of(status: str, provider: str) -> str:
    """Return what to look at first; *status* is an enhanced status code, three digits or empty."""
    code = _CODE(status)
    detail = int(code[1]) if code else 0
    if detail == _REVERSE_DNS:
        return "the relay's address needs a name in the reverse DNS that leads back to it"
    if detail == _TLS:
        return "the provider wants TLS: ask the relay's operator"
    if detail == _FLOOD:
        return "the provider has had too much of you: lower relay.per_second, and wait a day"
    if detail in _UNAUTHENTICATED:
        return (
            "SPF, DKIM and DMARC must pass for the domain of relay.from: `repermit test-mail` to an"
            " address at that provider, and read Authentication-Results in what arrives"
        )
    if detail in _BLOCKED:
        return (
            "the relay's address is on a blocklist of that provider: ask the relay's operator, or"
            " ask the provider to take it off"
        )
    where = f"{_PLACES[provider]}, and read" if provider in _PLACES else "read"
    return f"{where} {_REPORT}; then check SPF, DKIM and DMARC of the sender, and blocklists"
