"""The mails of the outbox: an acknowledgement, everything that is held about a person, or a notice
to whom the config names.

They ask nothing, so they have no button and no header to unsubscribe with.

Source: RFC 5322; RFC 3834 section 5 (Auto-Submitted); RFC 2183 (attachments).
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from repermit.dispatch import headers
from repermit.dispatch.form import one_line_end, quoted
from repermit.dispatch.headers import Envelope
from repermit.dispatch.mail import Mail
from repermit.domain import held as told
from repermit.domain.clock import iso
from repermit.domain.envelope import Of, SignedNames
from repermit.domain.question import Question, joined
from repermit.domain.templates import Templates
from repermit.ledger.store.outbox import Owed
from repermit.ledger.store.owing import Kind, Notice

if TYPE_CHECKING:
    from repermit.dispatch.dkim import Signer

_TEXT = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n"
_LINE = 76  # columns of base64 (RFC 2045 section 6.8)


class Letters:
    """Makes the mails of the outbox; *question_id* is the Message-ID of a recipient's question,
    *receivers* are those who get notices."""

    def __init__(
        self,
        question: Question,
        envelope: Envelope,
        templates: Templates,
        question_id: Callable[[int], str],
        signer: Signer | None = None,
        receivers: Sequence[str] = (),
    ) -> None:
        self._question, self._envelope, self._templates = question, envelope, templates
        self._question_id, self._signer = question_id, signer
        self._receivers = {each.casefold(): each for each in receivers}
        self._names = SignedNames(envelope.message_key, envelope.bounce_domain)

    def knows(self, owed: Owed) -> bool:
        """Return whether there is somebody to send a mail to: a notice is for somebody whom the
        config names, as long as it does."""
        return owed.receiver is None or owed.receiver in self._receivers

    def build(self, owed: Owed, held: Mapping[str, Any] | None, *, now: datetime) -> Mail:
        """Return the mail that is owed; *held* is everything about its recipient, for a mail that
        says it. Raises: WordingIncomplete, and KeyError for a sentence that is not there."""
        if owed.notice is not None:
            subject, body = owed.notice.subject, (_TEXT.encode(), self._notice(owed.notice))
        elif owed.kind is Kind.ACKNOWLEDGEMENT:
            subject, text = self.acknowledgement(owed.language)
            body = (_TEXT.encode(), _lines(text))
        else:
            subject, body = self._data(self._languages(owed.language), held or {}, now)
        head = self._head(owed, subject, now)
        signature = self._signer.sign(head + body[0], body[1], now=now) if self._signer else b""
        return Mail(
            mailbox=self._mailbox(owed),
            content=b"".join((signature, head, body[0], b"\r\n", body[1])),
            sender=self._sender(owed.id),
            envid=self._names.name(owed.id, Of.OWED),
        )

    def _mailbox(self, owed: Owed) -> str:
        if owed.address is not None:
            return owed.address.mailbox
        return self._receivers[owed.receiver or ""]

    def _sender(self, owed_id: int) -> str:
        if not self._envelope.bounce_domain:
            return self._envelope.from_address
        return self._names.address(owed_id, Of.OWED)

    def message_id(self, owed_id: int) -> str:
        """Return the Message-ID of a mail of the outbox, without brackets; always the same."""
        return f"{self._names.name(owed_id, Of.OWED)}@{self._envelope.domain}"

    def check(self) -> None:
        """Make the acknowledgement in every language. Raises: WordingIncomplete."""
        self.acknowledgement(joined(self._question.wordings))

    def _languages(self, reading: str) -> list[str]:
        """Return the languages of a page that had one, or several below each other."""
        known = [one for one in reading.split("+") if one in self._question.wordings]
        return known or [self._question.default_language]

    def _head(self, owed: Owed, subject: str, now: datetime) -> bytes:
        about = {}
        if owed.had_question and owed.recipient_id is not None:
            asked = f"<{self._question_id(owed.recipient_id)}>"
            about = {"In-Reply-To": asked, "References": asked}
        fields = {
            "To": self._mailbox(owed),  # UTF-8 beyond ASCII: RFC 6532 section 3.2
            "From": headers.mailbox(self._envelope.from_name, self._envelope.from_address),
            "Reply-To": self._envelope.reply_to,
            "Subject": headers.subject(subject).decode("ascii"),
            "Auto-Submitted": "auto-generated",
            "Date": headers.date(int(now.timestamp())).decode("ascii"),
            "Message-ID": f"<{self.message_id(owed.id)}>",
            **about,
            "MIME-Version": "1.0",
        }
        return "".join(f"{name}: {value}\r\n" for name, value in fields.items()).encode()

    def acknowledgement(self, reading: str) -> tuple[str, str]:
        """Return the subject and the text of what confirms a no. Raises: WordingIncomplete."""
        languages = self._languages(reading)
        texts = [self._say(one, "acknowledgement.text") for one in languages]
        rights = [
            {
                "data_and_rights": self._say(one, "mail.data_and_rights"),
                "complaint": self._say(one, "mail.complaint"),
            }
            for one in languages
        ]
        text = self._render("acknowledgement", {"texts": texts, "rights": rights})
        return self._subject(languages, "acknowledgement.subject"), text

    def _notice(self, notice: Notice) -> bytes:
        return _lines(self._render("notice", {"lines": notice.lines, "root": notice.root}))

    def _data(
        self, languages: Sequence[str], held: Mapping[str, Any], now: datetime
    ) -> tuple[str, tuple[bytes, bytes]]:
        parts = [
            {
                "text": self._say(one, "rights.data_text"),
                "sections": told.sections(held, self._question, one),
            }
            for one in languages
        ]
        text = _lines(self._render("data", {"parts": parts}))
        attached = {"made_at": iso(now), "held_by": self._held_by(), **held}
        subject = self._subject(languages, "rights.data_subject")
        return subject, _with_attachment(text, attached)

    def _held_by(self) -> dict[str, Any]:
        return vars(self._question.controller) | {"processors": list(self._question.processors)}

    def _subject(self, languages: Sequence[str], key: str) -> str:
        return " / ".join(dict.fromkeys(self._say(one, key) for one in languages))

    def _say(self, language: str, key: str) -> str:
        variables = self._question.variables(language)
        return self._question.wordings[language].say(key, **variables)

    def _render(self, name: str, context: dict[str, Any]) -> str:
        said = self._question.controller
        lines = (said.name, said.postal_address, said.registration)
        sender = {
            "sender_lines": [line for line in lines if line],
            "email": said.email,
            "privacy_url": said.privacy_url,
            "authority": said.authority,
        }
        return self._templates.render(f"mail/{name}.txt.j2", sender | context)


def _lines(text: str) -> bytes:
    """Return *text* as the body of a part, in lines that end in CRLF."""
    octets = quoted(one_line_end(text.strip("\n") + "\n"))
    return octets if octets.endswith(b"\r\n") else octets + b"\r\n"


def _with_attachment(text: bytes, attached: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return the headers and the body of a mail that says *text* and carries a file of JSON.

    The boundary holds "=_", which neither part can (RFC 2045 section 6.7).
    """
    content = json.dumps(attached, ensure_ascii=False, indent=2).encode()
    boundary = f"=_{sha256(text + content).hexdigest()[:32]}"
    base64 = b64encode(content)
    file = b"\r\n".join(base64[at : at + _LINE] for at in range(0, len(base64), _LINE))
    opening = (
        'Content-Type: application/json; name="your-data.json"\r\n'
        "Content-Transfer-Encoding: base64\r\n"
        'Content-Disposition: attachment; filename="your-data.json"\r\n\r\n'
    )
    body = (
        f"--{boundary}\r\n{_TEXT}\r\n".encode()
        + text
        + f"\r\n--{boundary}\r\n{opening}".encode()
        + file
        + f"\r\n--{boundary}--\r\n".encode()
    )
    return f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n'.encode(), body
