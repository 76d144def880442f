"""Who runs a mailbox, and how many mails it may get in an hour and a day."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.provider import PROVIDERS, Cap, provider_of, reopens, room


@pytest.mark.parametrize(
    ("domain", "provider"),
    [
        ("gmail.com", "gmail"),
        ("googlemail.com", "gmail"),
        ("hotmail.com", "microsoft"),
        ("live.co.uk", "microsoft"),
        ("outlook.be", "microsoft"),
        ("yahoo.fr", "yahoo"),
        ("yahoo.com.br", "yahoo"),
        ("telenet.be", "telenet"),
        ("skynet.be", "proximus"),
        ("home.nl", "ziggo"),
        ("xs4all.nl", "kpn"),
        ("wanadoo.fr", "orange"),
        ("free.fr", "free"),
        ("gmx.at", "gmx"),
        ("web.de", "webde"),
        ("tuinvrienden.example", None),
        ("live.example", None),  # no ending of a country
        ("mail.yahoo.com", None),
        ("gmail.com.evil.example", None),
    ],
)
def test_the_domain_says_who_runs_the_mailbox(domain: str, provider: str | None) -> None:
    assert provider_of(domain) == provider
    assert provider is None or provider in PROVIDERS


def test_a_cap_leaves_room_for_what_has_not_left_yet() -> None:
    day = (Cap(4000, 24),)

    assert room({}, day, 500) == 4000
    assert room({500: 1000, 490: 2500}, day, 500) == 500
    assert room({500: 5000}, day, 500) == 0


def test_of_several_caps_the_one_that_leaves_least_room_holds() -> None:
    caps = (Cap(500, 1), Cap(4000, 24))

    assert room({}, caps, 500) == 500
    assert room({499: 500}, caps, 500) == 500
    assert room({499: 3800}, caps, 500) == 200


def test_an_hour_is_over_with_the_hour_and_a_day_after_24_whole_hours() -> None:
    assert reopens({500: 500}, (Cap(500, 1),), 500) == 501
    assert reopens({500: 4000}, (Cap(4000, 24),), 500) == 525
    assert reopens({500: 3999}, (Cap(4000, 24),), 500) == 500


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 300)), max_size=60),
    st.integers(1, 500),
)
def test_in_no_24_hours_more_leave_than_the_cap_says(
    wishes: list[tuple[int, int]], most: int
) -> None:
    """Wherever the 24 hours begin: mails of an hour may all have left at its end or its start."""
    caps, sent, hour = (Cap(most, 24),), dict[int, int](), 100
    for later, wanted in wishes:
        hour += later
        sent[hour] = sent.get(hour, 0) + min(wanted, room(sent, caps, hour))

    for first in sent:
        assert sum(count for at, count in sent.items() if first <= at <= first + 24) <= most
