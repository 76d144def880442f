"""The one mail: the form of its variant, encoded and checked once, filled in per recipient."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from repermit.dispatch import headers, words
from repermit.dispatch.form import Form, form, one_line_end
from repermit.dispatch.headers import Envelope
from repermit.dispatch.words import Skeleton, Variant
from repermit.domain.deadline import last_day
from repermit.domain.envelope import Of, SignedNames
from repermit.domain.policy import Evidence
from repermit.domain.question import Question, about_when, day_in_words, in_each
from repermit.domain.skeleton import fill, fill_html
from repermit.domain.templates import Templates
from repermit.domain.token import TEST_RECIPIENT, Scope, Tokens
from repermit.ledger.store.personal import Person

if TYPE_CHECKING:
    from repermit.dispatch.dkim import Signer  # takes a while to import, and few need it

__all__ = ["Envelope", "Mail", "Mailer", "Skeleton", "Variant"]

_about_when = lru_cache(maxsize=4096)(about_when)


@dataclass(frozen=True)
class Mail:
    """One mail, ready for the relay: its bytes with CRLF, the mailbox it goes to, the envelope
    sender to which it bounces, and the envelope id that delivery reports repeat."""

    mailbox: str
    content: bytes
    sender: str
    envid: str


class Mailer:
    """Makes the mail of each recipient, and signs it when it has a *signer*."""

    def __init__(
        self,
        question: Question,
        envelope: Envelope,
        tokens: Tokens,
        templates: Templates,
        signer: Signer | None = None,
    ) -> None:
        self.question = question
        self.key = tokens.fingerprints[-1]  # that signs the links
        self._envelope, self._tokens, self._templates = envelope, tokens, templates
        self._signer = signer
        self._names = SignedNames(envelope.message_key, envelope.bounce_domain)
        self._skeletons: dict[Variant, Skeleton] = {}
        self._forms: dict[Variant, Form] = {}

    def variant(self, person: Person, language: str | None) -> Variant:
        """Return which words this person is to read."""
        return Variant(
            language=self.question.reading_for(language, person.evidence.country),
            relationship=person.evidence.relationship or "",
            sensitive=person.evidence.sensitive or self.question.sensitive,
        )

    def skeleton(self, variant: Variant) -> Skeleton:
        """Return the words of *variant*, rendered once.

        Raises: as `words.render` does.
        """
        if variant not in self._skeletons:
            made = words.render(self.question, self._templates, variant)
            self._skeletons[variant] = made
        return self._skeletons[variant]

    def build(
        self, recipient_id: int, person: Person, variant: Variant, *, due: datetime, now: datetime
    ) -> Mail:
        """Return the mail to one recipient; *due* is the instant after its printed last day.

        Raises: KeyError, WordingIncomplete.
        """
        mailbox = person.address.mailbox
        values = self.values(recipient_id, person, variant, due)
        seconds = int(now.timestamp())
        test = f"{seconds}." if recipient_id == TEST_RECIPIENT else ""
        token = self._tokens.issue(Scope.UNSUBSCRIBE, recipient_id)
        filled = self._form(variant)
        head = filled.head.filled(
            {
                "to": mailbox.encode(),  # UTF-8 beyond ASCII: RFC 6532 section 3.2
                "subject": headers.subject(fill(self.skeleton(variant).subject, values)),
                "date": headers.date(seconds),
                "message_id": f"{test}{self.message_id(recipient_id)}".encode("ascii"),
                "unsubscribe": f"{self._envelope.public_url}/u/{token}".encode("ascii"),
                "by_mail": self._by_mail(recipient_id),
            }
        )
        return Mail(
            mailbox=mailbox,
            content=self._signed(head, filled.body(values), now),
            sender=self._sender(recipient_id),
            envid=self._names.name(recipient_id),
        )

    def message_id(self, recipient_id: int) -> str:
        """Return the Message-ID of a recipient's mail, without brackets; always the same.

        Source: RFC 5322 section 3.6.4.
        """
        return f"{self._names.name(recipient_id)}@{self._envelope.domain}"

    def values(
        self, recipient_id: int, person: Person, variant: Variant, due: datetime
    ) -> dict[str, str]:
        """Return what fills the places of a skeleton for this recipient."""
        evidence = person.evidence
        answer = self._tokens.issue(Scope.ANSWER, recipient_id)
        return {
            "answer": answer,
            "yes_url": f"{self._envelope.public_url}/yes/{answer}",
            "no_url": f"{self._envelope.public_url}/no/{answer}",
            "source": one_line_end(evidence.source or ""),
            **in_each(variant.language, lambda each: self._dates(evidence, due, each)),
        }

    def as_seen(self, kept: str, language: str, person: Person, due: datetime) -> tuple[str, str]:
        """Return the words of a mail that was kept as this recipient read them: subject and text,
        and the HTML if it can be told apart. Their link is a key, and stands as "…".

        Raises: KeyError for a place that this release does not know.
        """
        url = self._envelope.public_url
        values = self.values(TEST_RECIPIENT, person, Variant(language, "", False), due)
        values |= {"answer": "…", "yes_url": f"{url}/yes/…", "no_url": f"{url}/no/…"}
        text, doctype, html = kept.partition("\n\n<!doctype")
        html = fill_html(f"<!doctype{html}", values) if doctype else ""
        return fill(text, values), html

    def _dates(self, evidence: Evidence, due: datetime, language: str) -> dict[str, str]:
        return {
            "deadline": _deadline(due, self.question.zone, language),
            "collected": _about_when(evidence.collected, language) if evidence.collected else "",
            "ended": _about_when(evidence.ended, language) if evidence.ended else "",
        }

    def _form(self, variant: Variant) -> Form:
        if variant not in self._forms:
            self._forms[variant] = form(self.skeleton(variant), self._envelope)
        return self._forms[variant]

    def _signed(self, head: bytes, body: bytes, now: datetime) -> bytes:
        signature = self._signer.sign(head, body, now=now) if self._signer else b""
        return b"".join((signature, head, b"\r\n", body))

    def _by_mail(self, recipient_id: int) -> bytes:
        """Return where a mail unsubscribes the recipient; empty when none is read."""
        if not self._envelope.takes_mail_that_unsubscribes:
            return b""
        return self._names.address(recipient_id, Of.UNSUBSCRIBE).encode("ascii")

    def _sender(self, recipient_id: int) -> str:
        if not self._envelope.bounce_domain:
            return self._envelope.from_address
        return self._names.address(recipient_id)


@lru_cache(maxsize=64)
def _deadline(due: datetime, zone: ZoneInfo, language: str) -> str:
    """Return the printed last day: the same for all mails of a day, and slow to write."""
    return day_in_words(last_day(due, zone=zone), language)
