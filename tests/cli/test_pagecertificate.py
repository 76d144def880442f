"""A certificate that ends too early is told of while there is time, by one rule."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from repermit.cli.finding import State
from repermit.cli.pagecertificate import certificate_of, certificate_warning
from repermit.ledger.store.probing import Vantage
from repermit.respond.exchange import Fault
from repermit.respond.probe import Found
from tests.builders import NOW

URL = "https://answer.example.org"


def seen(days: int | None, url: str = URL, fault: Fault | None = None) -> Found:
    ends = None if days is None else NOW + timedelta(days=days)
    return Found(url, Vantage.HERE, 0.1, fault, certificate_ends=ends)


@pytest.mark.parametrize(
    ("days", "until", "state"),
    [
        (9, 9, State.OK),
        (9, None, State.OK),
        (9, 10, State.WARN),
        (6, 10, State.FAIL),
        (6, 5, State.FAIL),
        (6, None, State.FAIL),
        (7, 7, State.OK),
    ],
)
def test_what_check_holds_against_it_probe_warns_of(
    days: int, until: int | None, state: State
) -> None:
    last: datetime | None = None if until is None else NOW + timedelta(days=until)

    said = certificate_of(seen(days), last, NOW)

    assert (said[0], bool(said[2])) == (state, state is not State.OK)
    assert said[1].startswith(f"for answer.example.org, {days} days left")
    assert bool(certificate_warning(seen(days), last, NOW)) is (state is not State.OK)


def test_the_warning_says_when_it_ends_and_until_when_people_may_answer() -> None:
    found, until = seen(9), NOW + timedelta(days=10)
    assert certificate_warning(found, until, NOW) == (
        f"The certificate of {URL} ends at 2026-11-30T09:30:00Z, and people may answer until"
        " 2026-12-01T09:30:00Z: see that it is renewed before."
    )
    assert certificate_warning(seen(2), None, NOW) == (
        f"The certificate of {URL} ends at 2026-11-23T09:30:00Z: see that it is renewed before."
    )


@pytest.mark.parametrize(
    ("found", "state"),
    [
        (seen(None, "http://localhost:8080"), State.OK),
        (seen(None, fault=Fault("refused")), State.WARN),
        (seen(None, fault=Fault("certificate", "expired")), State.FAIL),
    ],
)
def test_of_one_that_was_not_seen_only_check_speaks(found: Found, state: State) -> None:
    """`probe` tells why the page did not answer in any case."""
    assert certificate_of(found, NOW, NOW)[0] is state
    assert certificate_warning(found, NOW, NOW) == ""
