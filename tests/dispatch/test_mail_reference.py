"""The mail beside one that the standard library makes of the same words, read by both parsers."""

from __future__ import annotations

import email
import re
from dataclasses import replace
from email.header import decode_header, make_header
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP, compat32, default
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from repermit.dispatch.mail import Envelope, Mailer, Variant
from repermit.domain.address import Address
from repermit.domain.envelope import Of, SignedNames
from repermit.domain.skeleton import fill, fill_html
from repermit.domain.token import Scope
from repermit.ledger.store.personal import Person
from tests.dispatch.builders import DUE, NOW, TOKENS, VARIANTS, a_mailer, a_person, an_envelope
from tests.dispatch.readback import HEADERS, LOCAL_PARTS, NAMES, SOURCES, from_name, parts

IN_OWN_WORDS = {"From", "Content-Type"}  # looked at apart: folded names, boundaries


def reference(
    mailer: Mailer, envelope: Envelope, person: Person, variant: Variant, id_: int
) -> bytes:
    """Return the mail that the standard library makes of the same words; it would write every
    header in UTF-8 for the sake of an address beyond ASCII, so that goes in afterwards."""
    policy = SMTP.clone(max_line_length=998)
    skeleton, values = mailer.skeleton(variant), mailer.values(id_, person, variant, DUE)
    message = EmailMessage(policy=policy)
    message["To"] = "to@be.replaced"
    message["From"] = Mailbox(envelope.from_name, addr_spec=envelope.from_address)
    message["Reply-To"] = envelope.reply_to
    message["Subject"] = fill(skeleton.subject, values)
    message["List-Id"] = f"<{envelope.campaign}.{envelope.domain}>"
    token = TOKENS.issue(Scope.UNSUBSCRIBE, id_)
    ways_out = f"<{envelope.public_url}/u/{token}>"
    if envelope.takes_mail_that_unsubscribes:
        at = SignedNames(envelope.message_key, envelope.bounce_domain).address(id_, Of.UNSUBSCRIBE)
        ways_out += f", <mailto:{at}?subject=unsubscribe>"
    message["List-Unsubscribe"] = ways_out
    message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message["Auto-Submitted"] = "auto-generated"
    message["Date"] = NOW
    message["Message-ID"] = f"<{mailer.message_id(id_)}>"
    message.set_content(fill(skeleton.text, values), cte="quoted-printable")
    html = fill_html(skeleton.html, values)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    return message.as_bytes().replace(b"to@be.replaced", person.address.mailbox.encode(), 1)


def understood(content: bytes) -> tuple[dict[str, str], tuple[str, str]]:
    """Return the headers, decoded, and the parts, as the present parser has them."""
    message = email.message_from_bytes(content, policy=default)
    said = {name: str(value) for name, value in message.items() if name not in IN_OWN_WORDS}
    assert len(said) == HEADERS - len(IN_OWN_WORDS)
    return said | {"From": from_name(content)}, parts(message)


def understood_of_old(content: bytes) -> tuple[dict[str, str], list[str]]:
    """Return the headers, decoded, and the parts, as the parser of Python 3.2 has them."""
    message = email.message_from_bytes(content, policy=compat32)
    said = {
        name: str(make_header(decode_header(re.sub(r"\r?\n(?=[ \t])", "", str(value)))))
        for name, value in message.items()
        if name not in IN_OWN_WORDS
    }
    found = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    return said, [octets.decode().rstrip("\r\n") for octets in found if isinstance(octets, bytes)]


ADDRESSES = st.one_of(
    LOCAL_PARTS.map("{}@people.example".format),
    st.sampled_from(["zoë@people.example", "δοκιμή@people.example", "用户@people.example"]),
)


@given(
    name=NAMES,
    source=SOURCES,
    address=ADDRESSES,
    variant=st.sampled_from(VARIANTS),
    id_=st.integers(1, 2**63 - 1),
    reads_mail=st.booleans(),
)
def test_the_mail_says_what_one_of_the_standard_library_says(
    name: str, source: str, address: str, variant: Variant, id_: int, reads_mail: bool
) -> None:
    known: dict[str, Any] = {"from_name": name, "reads_mail": reads_mail}
    known["bounce_domain"] = "bounces.tuinvrienden.example"
    mailer, envelope = a_mailer(**known), an_envelope(**known)
    person = replace(a_person(source=source), address=Address(address, address))
    content = mailer.build(id_, person, variant, due=DUE, now=NOW).content
    expected = reference(mailer, envelope, person, variant, id_)

    assert understood(content) == understood(expected)
    assert understood_of_old(content) == understood_of_old(expected)
    head, _, body = content.partition(b"\r\n\r\n")
    odd = [line for line in head.split(b"\r\n") if not line.isascii()]
    assert odd == ([] if address.isascii() else [f"To: {person.address.mailbox}".encode()])
    assert body.isascii()
    assert max(map(len, head.split(b"\r\n"))) <= 998
    assert max(map(len, body.split(b"\r\n"))) <= 76
