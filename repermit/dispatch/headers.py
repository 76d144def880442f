"""The headers of a mail, those of one recipient still open.

Source: RFC 5322; RFC 2369 and RFC 8058 (unsubscribing); RFC 3834 section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.header import Header
from email.headerregistry import Address as Mailbox
from email.utils import format_datetime
from functools import lru_cache

from repermit.domain.skeleton import place

OPEN = ("to", "subject", "date", "message_id", "unsubscribe", "by_mail")
_LONGEST_PLAIN = 900  # octets: what is longer is folded by encoding it (RFC 5322 section 2.1.1)


@dataclass(frozen=True)
class Envelope:
    """From whom the mail comes, and where its links, answers and bounces lead.

    Without *bounce_domain*, bounces go to the address of the sender.
    """

    from_name: str
    from_address: str
    reply_to: str
    public_url: str
    campaign: str
    message_key: bytes
    bounce_domain: str = ""
    reads_mail: bool = False  # what comes back to the bounce domain is read

    @property
    def takes_mail_that_unsubscribes(self) -> bool:
        """Return whether a mail to a signed address of the bounce domain unsubscribes."""
        return self.reads_mail and bool(self.bounce_domain)

    @property
    def domain(self) -> str:
        """Return the domain of the sender."""
        return self.from_address.rpartition("@")[2]


def skeleton(envelope: Envelope, boundary: str) -> str:
    """Return the headers with CRLF and the places of OPEN.

    The way out is never folded: the standard library would encode it, and a mail program that
    unfolds badly would lose it. Where a mail that unsubscribes is read, its address follows.

    Source: RFC 8058 section 3.1 (one https, others may be added); RFC 2369 section 2 (the first
    that a program can is used).
    """
    ways_out = f"<{place('unsubscribe')}>"
    if envelope.takes_mail_that_unsubscribes:
        ways_out += f", <mailto:{place('by_mail')}?subject=unsubscribe>"
    headers = {
        "To": place("to"),
        "From": mailbox(envelope.from_name, envelope.from_address),
        "Reply-To": envelope.reply_to,
        "Subject": place("subject"),
        "List-Id": f"<{envelope.campaign}.{envelope.domain}>",
        "List-Unsubscribe": ways_out,
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Auto-Submitted": "auto-generated",
        "Date": place("date"),
        "Message-ID": f"<{place('message_id')}>",
        "MIME-Version": "1.0",
        "Content-Type": f'multipart/alternative; boundary="{boundary}"',
    }
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())


@lru_cache(maxsize=1024)
def subject(text: str) -> bytes:
    """Return *text* as the Subject holds it."""
    return _in_header(text).encode("ascii")


@lru_cache(maxsize=4)
def date(seconds: int) -> bytes:
    """Return the instant *seconds* after 1970 as Date holds it."""
    return format_datetime(datetime.fromtimestamp(seconds, UTC)).encode("ascii")


def mailbox(name: str, address: str) -> str:
    """Return a mailbox with its name as a header holds it."""
    if _is_plain(name):
        return str(Mailbox(name, addr_spec=address))
    return f"{_in_header(name)} <{address}>"


def _in_header(text: str) -> str:
    """Return *text* as one header may hold it, folded where it needs encoded words.

    The standard library's policies fold a link into encoded words, write words that are too
    long, or lose the space between two of them.

    Source: RFC 2047 section 2 (75 characters a word), section 6.2 (space between words).
    """
    if _is_plain(text):
        return text
    line = " ".join(text.splitlines())
    return Header(line, "utf-8", maxlinelen=75, header_name="Subject").encode(linesep="\r\n")


def _is_plain(text: str) -> bool:
    short = len(text) <= _LONGEST_PLAIN
    return short and text.isascii() and text.isprintable() and "=?" not in text
