"""Whose mail a message is about: only what we signed says so, an address never does."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

from repermit.domain.envelope import Of, SignedName, SignedNames
from repermit.domain.token import Scope, Tokens
from repermit.errors import TokenRejected
from repermit.inbound.message import Message

# Where the address stands that a message came to, as those who deliver write it.
CAME_TO = (
    "delivered-to",
    "x-original-to",
    "envelope-to",
    "x-envelope-to",
    "x-delivered-to",
    "x-original-recipient",
    "x-rcpt-to",
    "to",
    "cc",
)
_ANSWERS_TO = ("in-reply-to", "references")
RETURNED = frozenset(
    {"message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"}
)
_SOURCES = ("message/", "text/rfc822-headers")  # a report, or the mail that is returned
_MOST_SIGNED = 200  # of what looks signed in one message
_between_addresses = re.compile(r"[\s<>,;:\"'()\[\]]+")
_SLASH = "(?:/|%2[fF])"  # as links stand in those of link checkers
_link = re.compile(
    rf"{_SLASH}(yes|no|u){_SLASH}([A-Za-z0-9_-]{{2,11}}\.[A-Za-z0-9_-]{{43}})", re.ASCII
)
_SCOPES = {"yes": Scope.ANSWER, "no": Scope.ANSWER, "u": Scope.UNSUBSCRIBE}


@dataclass(frozen=True)
class Whose:
    """The name that we signed; None when there is none, or several that contradict each other.
    `is_forged`: something looks like such a name and is not."""

    name: SignedName | None = None
    is_forged: bool = False


def whose(message: Message, names: SignedNames, tokens: Tokens) -> Whose:
    """Return whose mail a message is about.

    The address that it came to says so; else what it answers, what a report names and the mail
    that it returns; else any text in it; else the links of that mail. The first of these decides,
    unless it or another of them names another recipient. A mail that is returned and names nobody
    says nothing against the first: gateways and lists rewrite it, many return no more than a few
    of its headers, and only the recipient and those who carried our mail know the address that it
    came to. A mail of the outbox that names the question, which it follows, is itself.
    """
    said = [
        _signed(came_to(message, names)),
        _signed(_of_questions(_named(_headlines(message), names))),
        _signed(_of_questions(_named(_texts(message), names))),
        _signed(_linked(message, tokens)),
    ]
    is_forged = any(None in one for one in said)
    genuine = [[name for name in one if name] for one in said]
    recipients = {name.number for one in genuine for name in one if is_of_recipient(name)}
    first = next(filter(None, genuine), [])
    others = {name for name in first if not is_of_recipient(name)}
    if not first or len(recipients) > 1 or len(others) > 1:
        return Whose(None, is_forged)
    return Whose(next(iter(others), first[0]), is_forged)


def is_of_recipient(name: SignedName) -> bool:
    """Return whether the number in a name is that of a recipient."""
    return name.of in (Of.QUESTION, Of.UNSUBSCRIBE)


def came_to(message: Message, names: SignedNames) -> Iterator[SignedName | None]:
    """Yield what the addresses are of that a message came to; None for one that is forged."""
    values = [value for header in CAME_TO for value in message.headers.get(header, ())]
    for address in _between_addresses.split(" ".join(values)):
        if names.domain and address.lower().endswith(f"@{names.domain}"):
            name = names.at(address)
            if name or any(True for _ in names.in_text(address)):
                yield name


def _signed(said: Iterator[SignedName | None]) -> list[SignedName | None]:
    return list(dict.fromkeys(islice(said, _MOST_SIGNED)))


def _of_questions(said: Iterable[SignedName | None]) -> Iterator[SignedName | None]:
    """Yield names; where one unsubscribes says, in a mail that is returned, whose that mail is."""
    for name in said:
        is_way_out = name is not None and name.of is Of.UNSUBSCRIBE
        yield SignedName(Of.QUESTION, name.number) if name and is_way_out else name


def _headlines(message: Message) -> Iterator[str]:
    """Yield what a message answers, the reports in it, and the mails that it returns; of some only
    the part knows that it is a mail, whose headers are those of the part."""
    for header in _ANSWERS_TO:
        yield from message.headers.get(header, ())
    if message.content_type.startswith("multipart/"):
        yield from (part.headers.get("message-id", "") for part in message.parts)
    yield from (part.text for part in message.parts if part.content_type.startswith(_SOURCES))


def _texts(message: Message) -> Iterator[str]:
    yield from (part.text for part in message.parts if not part.content_type.startswith(_SOURCES))


def _named(texts: Iterable[str], names: SignedNames) -> Iterator[SignedName | None]:
    for text in texts:
        yield from names.in_text(text)


def _linked(message: Message, tokens: Tokens) -> Iterator[SignedName | None]:
    """Yield of whose mail the links are; one that is none of ours says nothing."""
    for part in message.parts:
        for text in (part.text, part.html):
            yield from _in_links(text, tokens)


def _in_links(text: str, tokens: Tokens) -> Iterator[SignedName]:
    for found in islice(_link.finditer(text), _MOST_SIGNED):
        with suppress(TokenRejected):
            yield SignedName(Of.QUESTION, tokens.read(_SCOPES[found[1]], found[2]))
