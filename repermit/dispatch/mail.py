"""The one mail: a skeleton for each variant, built and checked once, filled per recipient."""

from __future__ import annotations

import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.headerregistry import Address as Mailbox
from email.utils import format_datetime
from functools import cached_property

from repermit.domain.deadline import last_day
from repermit.domain.question import Question, about_when, day_in_words
from repermit.domain.skeleton import fill, fill_html, place
from repermit.domain.templates import Templates
from repermit.domain.token import TEST_RECIPIENT, Scope, Tokens
from repermit.domain.wording import why_key
from repermit.errors import WordingIncomplete
from repermit.ledger.store.personal import Person

_LINE_END = re.compile("\r\n?|\n")  # a bare CR may not stand in a mail (RFC 5322 section 2.3)
_PLACES = ("yes_url", "no_url", "deadline", "source", "collected", "ended")
_NEEDED = ("yes_url", "no_url", "deadline")
_FIRST_MAIL = frozenset({"gave_address_only", "company_mailbox"})


@dataclass(frozen=True)
class Envelope:
    """From whom the mail comes, and where its links and answers lead."""

    from_name: str
    from_address: str
    reply_to: str
    public_url: str
    campaign: str
    message_key: bytes

    @property
    def domain(self) -> str:
        """Return the domain of the sender."""
        return self.from_address.rpartition("@")[2]


@dataclass(frozen=True)
class Variant:
    """What decides on the words: the language, and why this recipient is asked."""

    language: str
    relationship: str
    sensitive: bool
    test: bool = False


@dataclass(frozen=True)
class Skeleton:
    """One variant with its places still open."""

    subject: str
    text: str
    html: str
    headers: bytes  # those that are the same for every recipient, with CRLF

    @cached_property
    def content(self) -> str:
        """Return the whole as it is kept: subject, text and HTML."""
        return f"{self.subject}\n\n{self.text}\n\n{self.html}"


@dataclass(frozen=True)
class Mail:
    """One mail, ready for the relay: the mailbox it goes to and its bytes with CRLF."""

    mailbox: str
    content: bytes


class Mailer:
    """Makes the mail of each recipient."""

    def __init__(
        self, question: Question, envelope: Envelope, tokens: Tokens, templates: Templates
    ) -> None:
        self.question = question
        self._envelope, self._tokens, self._templates = envelope, tokens, templates
        self._skeletons: dict[Variant, Skeleton] = {}

    def variant(self, person: Person, language: str | None) -> Variant:
        """Return which words this person is to read."""
        return Variant(
            language=self.question.language_for(language),
            relationship=person.evidence.relationship or "",
            sensitive=person.evidence.sensitive or self.question.sensitive,
        )

    def skeleton(self, variant: Variant) -> Skeleton:
        """Return the words of *variant*, rendered once.

        Raises: KeyError when no true sentence exists for the relationship: the policy never
        lets such a row be asked.
        """
        if variant not in self._skeletons:
            self._skeletons[variant] = self._render(variant)
        return self._skeletons[variant]

    def build(
        self, recipient_id: int, person: Person, variant: Variant, *, due: datetime, now: datetime
    ) -> Mail:
        """Return the mail to one recipient; *due* is the instant after its printed last day.

        Source: RFC 5322; RFC 2369 and RFC 8058 (unsubscribing); RFC 3834 section 5.
        """
        skeleton = self.skeleton(variant)
        values = self.values(recipient_id, person, variant, due)
        boundary = f"=_{self.message_id(recipient_id).partition('@')[0]}"
        headers = self._headers(recipient_id, skeleton, values, now)
        content = b"".join(
            (
                f"To: {person.address.mailbox}\r\n".encode(),
                headers,
                f'Content-Type: multipart/alternative; boundary="{boundary}"\r\n\r\n'.encode(),
                _part(boundary, "plain", fill(skeleton.text, values)),
                _part(boundary, "html", fill_html(skeleton.html, values)),
                f"--{boundary}--\r\n".encode(),
            )
        )
        return Mail(mailbox=person.address.mailbox, content=content)

    def message_id(self, recipient_id: int) -> str:
        """Return the Message-ID of a recipient's mail, without brackets; always the same.

        Source: RFC 5322 section 3.6.4.
        """
        key, domain = self._envelope.message_key, self._envelope.domain
        return f"{hmac.digest(key, b'%d' % recipient_id, 'sha256').hex()[:32]}@{domain}"

    def links(self, recipient_id: int) -> Mapping[str, str]:
        """Return the links of a recipient: `yes`, `no` and `u`."""
        answer = self._tokens.issue(Scope.ANSWER, recipient_id)
        unsubscribe = self._tokens.issue(Scope.UNSUBSCRIBE, recipient_id)
        base = self._envelope.public_url
        return {
            "yes": f"{base}/yes/{answer}",
            "no": f"{base}/no/{answer}",
            "u": f"{base}/u/{unsubscribe}",
        }

    def _render(self, variant: Variant) -> Skeleton:
        wording = self.question.wordings[variant.language]
        known = self.question.variables(variant.language) | {name: place(name) for name in _PLACES}
        why = why_key(variant.relationship, variant.sensitive)
        if why is None:
            raise KeyError(f"no sentence says why {variant.relationship} is asked")
        several = len(self.question.purposes) > 1
        subject = wording.say(_subject_key(variant), **known)
        context = {
            "lang": variant.language,
            "subject": subject,
            "question": wording.say(
                "mail.greeting_several" if several else "mail.greeting_question", **known
            ),
            "yes_url": place("yes_url"),
            "no_url": place("no_url"),
            "yes_label": wording.say("button.yes", **known),
            "no_label": wording.say("button.no", **known),
            "press_once_more": wording.say("mail.press_once_more", **known),
            "silence": wording.say("silence.sentence", **known),
            "why": wording.say(why, **known),
            "asked_once": wording.say("mail.asked_once", **known),
            "yours_alone": wording.say("mail.yours_alone", **known),
            "test_banner": wording.say("mail.test_banner", **known) if variant.test else "",
            **self.question.sender(variant.language),
        }
        made = Skeleton(
            subject=subject,
            text=self._templates.render("mail/question.txt.j2", context),
            html=self._templates.render("mail/question.html.j2", context),
            headers=self._common_headers(subject),
        )
        for part, text in (("txt", made.text), ("html", made.html)):
            missing = [name for name in _NEEDED if place(name) not in text]
            if missing:
                raise WordingIncomplete(
                    [f"template mail/question.{part}.j2 shows no {', '.join(missing)}"]
                )
        return made

    def values(
        self, recipient_id: int, person: Person, variant: Variant, due: datetime
    ) -> dict[str, str]:
        """Return what fills the places of a skeleton for this recipient."""
        links, evidence, language = self.links(recipient_id), person.evidence, variant.language
        return {
            "yes_url": links["yes"],
            "no_url": links["no"],
            "deadline": day_in_words(last_day(due, zone=self.question.zone), language),
            "source": evidence.source or "",
            "collected": about_when(evidence.collected, language) if evidence.collected else "",
            "ended": about_when(evidence.ended, language) if evidence.ended else "",
        }

    def _headers(
        self, recipient_id: int, skeleton: Skeleton, values: Mapping[str, str], now: datetime
    ) -> bytes:
        """Return the headers after To; those that are the same for all come with the skeleton."""
        subject = fill(skeleton.subject, values)
        same = subject == skeleton.subject
        test = f"{int(now.timestamp())}." if recipient_id == TEST_RECIPIENT else ""
        own = (
            f"Date: {format_datetime(now)}\r\n"
            f"Message-ID: <{test}{self.message_id(recipient_id)}>\r\n"
            f"List-Unsubscribe: <{self.links(recipient_id)['u']}>\r\n"
        )
        return (skeleton.headers if same else self._common_headers(subject)) + own.encode()

    def _common_headers(self, subject: str) -> bytes:
        envelope = self._envelope
        headers = {
            "From": _mailbox(envelope.from_name, envelope.from_address),
            "Reply-To": envelope.reply_to,
            "Subject": _in_header(subject),
            "List-Id": f"<{envelope.campaign}.{envelope.domain}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Auto-Submitted": "auto-generated",
            "MIME-Version": "1.0",
        }
        return "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode("ascii")


def _subject_key(variant: Variant) -> str:
    if variant.sensitive:
        return "mail.subject_sensitive"
    return "mail.subject_first" if variant.relationship in _FIRST_MAIL else "mail.subject"


def _mailbox(name: str, address: str) -> str:
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
    return text.isascii() and text.isprintable() and "=?" not in text


def _part(boundary: str, subtype: str, text: str) -> bytes:
    """Return one part, quoted-printable (RFC 2045 section 6.7), so that any relay takes it."""
    head = (
        f"--{boundary}\r\nContent-Type: text/{subtype}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    lines = _LINE_END.sub("\n", text).encode()
    return head.encode() + binascii.b2a_qp(lines).replace(b"\n", b"\r\n") + b"\r\n"
