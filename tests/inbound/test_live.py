"""What real mail servers send back of our real mails is read as what it is, and finds its
recipient."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import Iterator, Sequence

import pytest

from repermit.dispatch.mail import Mail
from repermit.dispatch.relay import RelayAt
from repermit.dispatch.verdict import Accepted
from repermit.domain.envelope import Of, SignedNames
from repermit.inbound.reading import Kind, Reading, read
from tests.dispatch.builders import DUE, NL, NOW, TOKENS, a_mailer, a_person
from tests.inbound.mtas import BOUNCES, LOCAL, Mta, exim, postfix

pytestmark = pytest.mark.journey

NAMES = SignedNames(b"m" * 32, BOUNCES)
UNKNOWN, NOWHERE, FULL, LATER, AWAY, BLOCKED, CLUB = range(1, 8)
PEOPLE = {
    UNKNOWN: f"weg@{LOCAL}",
    NOWHERE: "iemand@nergens.example",
    FULL: f"vol@{LOCAL}",
    LATER: f"later@{LOCAL}",
    AWAY: f"afwezig@{LOCAL}",
    BLOCKED: f"geblokkeerd@{LOCAL}",
    CLUB: f"club@{LOCAL}",
}


@pytest.fixture(scope="module")
def of_postfix() -> Iterator[dict[int, list[Reading]]]:
    """What Postfix sends back, by recipient."""
    with postfix() as mta:
        yield _sent_to(mta, (UNKNOWN, NOWHERE, FULL, LATER, AWAY, BLOCKED, CLUB))


@pytest.fixture(scope="module")
def of_exim() -> Iterator[dict[int, list[Reading]]]:
    """What Exim sends back, by recipient."""
    with exim() as mta:
        yield _sent_to(mta, (UNKNOWN, NOWHERE, FULL, LATER, CLUB))


def _sent_to(mta: Mta, numbers: Sequence[int]) -> dict[int, list[Reading]]:
    """Send the mails of *numbers* as `send` does, and return what came back of each."""
    mailer = a_mailer(bounce_domain=BOUNCES)
    mails = {
        number: mailer.build(number, a_person(PEOPLE[number]), NL, due=DUE, now=NOW)
        for number in numbers
    }
    asyncio.run(_send(mta.port, [mails[number] for number in numbers if number != CLUB]))
    _send_with_receipt(mta.port, mails[CLUB])
    readings: dict[int, list[Reading]] = {number: [] for number in numbers}
    for content in mta.came_back(len(numbers)):
        reading = read(content, NAMES, TOKENS)
        assert isinstance(reading, Reading)
        assert reading.whose is not None
        assert (reading.whose.of, reading.forged) == (Of.QUESTION, False)
        readings[reading.whose.number].append(reading)
    return readings


async def _send(port: int, mails: Sequence[Mail]) -> None:
    relay = RelayAt(host="127.0.0.1", port=port, tls="none", user=None, password=None)
    connection = await relay.connect()
    for mail in mails:
        word = await connection.send(mail.sender, mail.mailbox, mail.content, envid=mail.envid)
        assert isinstance(word, Accepted)
    await connection.close()


def _send_with_receipt(port: int, mail: Mail) -> None:
    """Ask for word of success, which `send` never does and a relay in between may."""
    with smtplib.SMTP("127.0.0.1", port, timeout=30) as relay:
        relay.sendmail(
            mail.sender,
            [mail.mailbox],
            mail.content,
            mail_options=["RET=HDRS", f"ENVID={mail.envid}"],
            rcpt_options=["NOTIFY=SUCCESS,FAILURE,DELAY"],
        )


@pytest.mark.parametrize(
    ("number", "kind", "status"),
    [
        (UNKNOWN, Kind.HARD, "5.1.1"),
        (NOWHERE, Kind.HARD, "5.4.4"),
        (FULL, Kind.TEMPORARY, "5.2.2"),
        (LATER, Kind.TEMPORARY, "4.4.1"),
        (AWAY, Kind.AUTOMATIC, ""),
        (BLOCKED, Kind.ABOUT_US, "5.7.1"),
        (CLUB, Kind.DELIVERED, "2.0.0"),
    ],
    ids=["unknown", "nowhere", "full", "later", "away", "blocked", "club"],
)
def test_what_postfix_sends_back_is_understood(
    of_postfix: dict[int, list[Reading]], number: int, kind: Kind, status: str
) -> None:
    assert {(each.kind, each.status) for each in of_postfix[number]} == {(kind, status)}


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        (UNKNOWN, Kind.HARD),
        (NOWHERE, Kind.HARD),
        (FULL, Kind.TEMPORARY),
        (LATER, Kind.TEMPORARY),
        (CLUB, Kind.DELIVERED),
    ],
    ids=["unknown", "nowhere", "full", "later", "club"],
)
def test_what_exim_sends_back_is_understood(
    of_exim: dict[int, list[Reading]], number: int, kind: Kind
) -> None:
    assert {each.kind for each in of_exim[number]} == {kind}
