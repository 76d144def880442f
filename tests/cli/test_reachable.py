"""What `check` says of the web: clocks, certificates, links."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime

import pytest

from repermit.cli.finding import State
from repermit.cli.reachable import clock_of, opened
from repermit.respond.exchange import Answered, Fault
from tests.builders import NOW

URL = "https://www.voorbeeld.be/privacy"


def answered(status: int = 200, **headers: str) -> Answered:
    return Answered(status, headers, b"")


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        (answered(date=format_datetime(NOW)), State.OK),
        (answered(date=format_datetime(NOW - timedelta(seconds=59))), State.OK),
        (answered(date=format_datetime(NOW - timedelta(seconds=70))), State.FAIL),
        (answered(date=format_datetime(NOW + timedelta(seconds=70))), State.FAIL),
        (answered(date=format_datetime(NOW - timedelta(days=1)), age="86400"), State.WARN),
        (answered(date="yesterday"), State.WARN),
        (answered(date="Mon, 01 Jan 2026 00:00:00 -0000"), State.FAIL),
        (answered(), State.WARN),
        (Fault("name"), State.WARN),
    ],
)
def test_the_clock_is_compared_with_what_web_servers_tell(
    answer: Answered | Fault, state: State
) -> None:
    """A kept copy tells the time at which it was made."""
    assert clock_of([(URL, answer)], NOW, NOW)[0] is state


@pytest.mark.parametrize(
    ("url", "answer", "says"),
    [
        (URL, answered(404), f"{URL}: it answers 404"),
        (URL, Fault("certificate", "expired"), f"{URL}: its certificate is not valid"),
        (URL, Fault("large"), f"{URL}: large"),
        ("http://voorbeeld.be/", answered(), "http://voorbeeld.be/: it is not https"),
    ],
)
def test_a_link_that_nobody_can_open_is_named(
    url: str, answer: Answered | Fault, says: str
) -> None:
    state, told, do = opened([(url, answer)], trials=0)
    assert (state, told, bool(do)) == (State.FAIL, says, True)


@pytest.mark.parametrize("status", [200, 301, 405])
def test_a_link_that_can_be_opened_or_takes_no_head_holds(status: int) -> None:
    assert opened([(URL, answered(status))], trials=0)[0] is State.OK
    assert opened([(URL, answered(status))], trials=1)[0] is State.WARN
