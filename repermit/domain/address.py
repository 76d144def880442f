"""What an e-mail address is, in the one form under which it is found again."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from email_validator.rfc_constants import CASE_INSENSITIVE_MAILBOX_NAMES

from repermit.errors import AddressRejected

_LONGEST = 400  # characters; RFC 5321 section 4.5.3.1 allows 254
_LONGEST_CELL = 800
_LONGEST_PLAIN, _LONGEST_LOCAL = 254, 64
_DOMAINS = 1 << 16  # remembered at once, about 16 MB
_CASELESS = frozenset(CASE_INSENSITIVE_MAILBOX_NAMES)

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\ufe0f\ufe0e"))
_SPACES = " \t\r\n\v\f\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_DIRECTIONS = "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_QUOTES = "\"'\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a"
_AROUND = _SPACES + _DIRECTIONS + _QUOTES
_BEFORE, _AFTER, _BRACKETS = _AROUND + ",;:", _AROUND + ",;:.", "<>()[]"
_LOST = "\ufffd"  # stands for a letter that could not be read

# RFC 5322 section 3.2.3, but no apostrophe in front: there it is a quote.
_ATEXT = r"A-Za-z0-9!#$%&*+/=?^_`{|}~-"
_is_dot_atom = re.compile(rf"[{_ATEXT}]['{_ATEXT}]*(?:\.['{_ATEXT}]+)*").fullmatch
# `"+an"@x.be` is `+an@x.be` (RFC 5321 section 4.1.2): an export quotes what a spreadsheet would
# take for a formula.
_QUOTED = re.compile(rf"\"(['.{_ATEXT}]+)\"@")
_NAMED = re.compile(r"([^<>]*)<+([^<>]*)>+")
_NAMED_BY_OUTLOOK = re.compile(r"\[(mailto:[^][]*)\]\Z", re.IGNORECASE)
_ADDRESS_LIKE = re.compile(r"[^\s@]@[^\s@]")


class Address(NamedTuple):
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

    What can be understood in two ways is rejected, not repaired.

    Raises: AddressRejected with a reason code; neither the message nor the chain holds *text*.
    """
    found = plain(text)
    if found is None:
        cleaned = _cleaned(_QUOTED.sub(r"\1@", text))
        found = plain(cleaned) or _validated(cleaned)
    return found


def plain(text: str) -> Address | None:
    """Return the address that *text* is when it is a plain ASCII one at a domain that
    email-validator takes; None when email-validator has to see it whole.

    A twentieth of the time, and never another result: a property test holds it to that.
    """
    local, _, domain = text.rpartition("@")
    if not _is_dot_atom(local) or len(local) > _LONGEST_LOCAL or len(text) > _LONGEST_PLAIN:
        return None
    lower = _plain_domain(domain)
    if not lower:
        return None
    mailbox = text if lower == domain else f"{local}@{lower}"
    canonical = mailbox.lower()
    if canonical != mailbox and local.lower() in _CASELESS:  # RFC 2142
        mailbox = canonical
    return tuple.__new__(Address, (mailbox, canonical))  # half the time of Address(...)


@lru_cache(maxsize=_DOMAINS)
def _plain_domain(domain: str) -> str:
    """Return *domain* in lower case, or "" unless it is valid whatever stands before it: the
    length of an address with a Punycode label is also counted in its Unicode form."""
    if not domain.isascii() or "xn--" in domain.lower():
        return ""
    try:
        return _valid(f"a@{domain}").ascii_domain.lower()
    except AddressRejected:
        return ""


def _validated(cleaned: str) -> Address:
    if not cleaned:
        raise AddressRejected("empty")
    if "@" not in cleaned:
        raise AddressRejected("no_at_sign")
    if len(cleaned) > _LONGEST:
        raise AddressRejected("too_long")
    if _LOST in cleaned:
        raise AddressRejected("not_an_address")
    mailbox = _mailbox(cleaned)
    canonical = mailbox.casefold()
    if not mailbox.isascii() and _mailbox(_normal(canonical)).casefold() != canonical:
        raise AddressRejected("not_an_address")  # it would not be found again
    return Address(mailbox, canonical)


def _mailbox(text: str) -> str:
    valid = _valid(text)
    return f"{valid.local_part}@{valid.ascii_domain.lower()}"


def _valid(cleaned: str) -> ValidatedEmail:
    try:
        return validate_email(cleaned, check_deliverability=False, strict=True)
    except (EmailNotValidError, UnicodeError):
        raise AddressRejected("not_an_address") from None


def _cleaned(text: str) -> str:
    """Return *text* without a name, a comment, a scheme, wrapping and trailing marks."""
    stripped = text.strip()
    if len(stripped) > _LONGEST_CELL:
        raise AddressRejected("too_long" if "@" in stripped else "no_at_sign")
    whole = _without_comment(_bare(_normal(stripped)))
    whole = _NAMED_BY_OUTLOOK.sub(r"<\1>", _without_scheme(whole))
    return _without_name(whole).lstrip(_BEFORE + _BRACKETS).rstrip(_AFTER + _BRACKETS)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE)


def _bare(text: str) -> str:
    return text.lstrip(_BEFORE).rstrip(_AFTER)


def _without_comment(text: str) -> str:
    """`an@x.be (An Peeters)`, as old mail programs write it."""
    before, _, comment = text.rpartition("(")
    is_comment = comment.endswith(")") and "@" in before and "@" not in comment
    return _bare(before) if is_comment else text


def _without_scheme(text: str) -> str:
    """`mailto:an@x.be?subject=…` (RFC 6068), or `SMTP:an@x.be` as Exchange writes it."""
    scheme, _, rest = text.partition(":")
    match scheme.lower():
        case "mailto":
            path = rest.partition("?")[0].removeprefix("//")
            return _bare(_normal(unquote(path)))
        case "smtp":
            return _bare(rest)
    return text


def _without_name(text: str) -> str:
    """`An Peeters <an@x.be>`. A name that is itself an address must be the same one."""
    if "<" not in text:
        return text
    named = _NAMED.fullmatch(text)
    if named is None:
        raise AddressRejected("not_an_address")
    name, address = _bare(named[1]), _without_scheme(_bare(named[2]))
    if _ADDRESS_LIKE.search(name) and name.casefold() != address.casefold():
        raise AddressRejected("not_an_address")
    return address


def holds_at(text: str) -> bool:
    """Return whether *text* may hold an address, however its at sign is written."""
    return any(sign in text for sign in ("@", "＠", "﹫", "%40"))
