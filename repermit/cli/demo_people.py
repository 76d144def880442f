"""The people of the demonstration: they read their mail, open links and press buttons."""

from __future__ import annotations

import email
import re
import urllib.request
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser
from urllib.error import HTTPError
from urllib.parse import urlencode

_SECONDS = 20


class Inbox:
    """Every mail that was caught."""

    def __init__(self) -> None:
        self._mails: list[bytes] = []

    def __len__(self) -> int:
        return len(self._mails)

    def take(self, content: bytes) -> None:
        """Keep one mail."""
        self._mails.append(content)

    def mailboxes(self) -> list[Mailbox]:
        """Return one mailbox per person, with the links of the last mail in it."""
        read = (email.message_from_bytes(content, policy=SMTP) for content in self._mails)
        found = {str(message["To"]): _mailbox(message) for message in read}
        return list(found.values())


@dataclass(frozen=True)
class Mailbox:
    """The links that one person was sent."""

    yes: str
    no: str
    unsubscribe: str

    def scan(self) -> int:
        """Open every link as a scanner does, and return how many requests that took."""
        requests = 0
        for link in (self.yes, self.no, self.unsubscribe):
            for method in ("GET", "HEAD", "OPTIONS"):
                _request(link, method=method)
                requests += 1
        return requests

    def press(self, answer: str) -> str:
        """Open the page of that link, press its button, and return the page that follows."""
        link = self.yes if answer == "yes" else self.no
        form = _Form(_request(link, method="GET"))
        return _request(link, method="POST", fields={**form.hidden, "answer": answer})

    def one_click(self) -> str:
        """Unsubscribe as a mail program does (RFC 8058)."""
        fields = {"List-Unsubscribe": "One-Click"}
        return _request(self.unsubscribe, method="POST", fields=fields)


class _Form(HTMLParser):
    """The hidden fields of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep a hidden field."""
        known = dict(attrs)
        if tag == "input" and known.get("type") == "hidden":
            self.hidden[known.get("name") or ""] = known.get("value") or ""


def _mailbox(message: EmailMessage) -> Mailbox:
    body = message.get_body(("plain",))
    links = re.findall(r"https?://\S+/(?:yes|no)/\S+", body.get_content() if body else "")
    header = str(message["List-Unsubscribe"]).partition(">")[0].lstrip("<")
    return Mailbox(yes=links[0], no=links[1], unsubscribe=header)


def _request(link: str, *, method: str, fields: dict[str, str] | None = None) -> str:
    data = urlencode(fields).encode() if fields is not None else None
    request = urllib.request.Request(link, data=data, method=method)  # noqa: S310 - our own link
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 - as above
            return str(response.read().decode("utf-8"))
    except HTTPError as refused:
        with refused:
            return refused.read().decode("utf-8")
