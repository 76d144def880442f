"""What an e-mail address is, in the one form under which it is found again."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from repermit.errors import AddressRejected

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_WRAPPING = " \t\r\n\u00a0<>\"'"
_TRAILING = ",;.:"
_LONGEST = 400  # characters; RFC 5321 section 4.5.3.1 allows 254


@dataclass(frozen=True)
class Address:
    """One mailbox.

    `mailbox` is what the relay is given: the local part as it was written, the domain as an
    A-label. `canonical` is what duplicates and suppression go by: the same, case-folded.

    Source: RFC 5321 section 2.4 (local parts keep their case), RFC 5890 (A-labels).
    """

    mailbox: str
    canonical: str

    @property
    def masked(self) -> str:
        """Return the address as a page may show it: `an•••@telenet.be`."""
        local, _, domain = self.mailbox.rpartition("@")
        return f"{local[:2] if len(local) > 3 else local[:1]}•••@{domain}"

    @property
    def domain(self) -> str:
        """Return the domain as an A-label, lower case."""
        return self.canonical.rpartition("@")[2]


def parse(text: str) -> Address:
    """Return the address that *text* holds, cleaned of what lists put around it.

    Raises: AddressRejected with a reason code; neither the message nor the chain holds *text*.
    """
    cleaned = _cleaned(text)
    if not cleaned:
        raise AddressRejected("empty")
    if "@" not in cleaned:
        raise AddressRejected("no_at_sign")
    if len(cleaned) > _LONGEST:
        raise AddressRejected("too_long")
    try:
        valid = validate_email(cleaned, check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise AddressRejected("not_an_address") from None
    mailbox = f"{valid.local_part}@{valid.ascii_domain.lower()}"
    return Address(mailbox=mailbox, canonical=mailbox.casefold())


def _cleaned(text: str) -> str:
    """Return *text* without invisible characters, wrapping, `mailto:` and trailing marks."""
    plain = unicodedata.normalize("NFKC", text[: _LONGEST * 2]).translate(_INVISIBLE)
    plain = plain.strip(_WRAPPING)
    if plain[:7].lower() == "mailto:":
        plain = plain[7:].partition("?")[0]
    return plain.rstrip(_TRAILING).strip(_WRAPPING)
