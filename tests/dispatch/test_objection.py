"""Why sending stopped, in words, and what to look at by the code of what came back."""

from __future__ import annotations

import pytest

from repermit.dispatch.about_us import hint_of
from repermit.dispatch.objection import Objection


@pytest.mark.parametrize(
    ("status", "provider", "named"),
    [
        ("5.7.515", "microsoft", "DKIM"),
        ("5.7.26", "gmail", "DMARC"),
        ("5.7.23", "", "SPF"),
        ("5.7.606", "microsoft", "blocklist"),
        ("5.7.649", "microsoft", "blocklist"),
        ("5.7.511", "", "blocklist"),
        ("5.7.25", "gmail", "reverse DNS"),
        ("5.7.28", "gmail", "relay.per_second"),
        ("5.7.29", "gmail", "TLS"),
        ("5.7.1", "gmail", "Postmaster"),
        ("5.7.1", "microsoft", "SNDS"),
        ("5.7.1", "yahoo", "Sender Hub"),
        ("554", "telenet", "read the report"),
        ("", "", "blocklists"),
        ("5.7.26\n", "", "read the report"),
    ],
)
def test_the_hint_says_what_to_look_at_by_the_code(status: str, provider: str, named: str) -> None:
    assert named in hint_of(status, provider)
    assert Objection("about_us", 1, 10, 1, provider=provider, status=status).hint == hint_of(
        status, provider
    )


@pytest.mark.parametrize(
    ("count", "provider", "status", "says"),
    [
        (1, "", "", "a mail came back because of us, not of the recipient"),
        (2, "gmail", "5.7.26", "2 mails came back from gmail because of us, not of the recipient"),
    ],
)
def test_what_came_back_because_of_us_is_told_in_words(
    count: int, provider: str, status: str, says: str
) -> None:
    told = str(Objection("about_us", 1, 10, count, provider=provider, status=status))
    assert told == says + (f" ({status})" if status else "")


def test_a_provider_is_named() -> None:
    hard = Objection("provider_bounces", 2, 90, 12, provider="gmail")
    complaints = Objection("provider_complaints", 2, 900, 4, provider="yahoo")
    assert str(hard) == (
        "12 mails to gmail came back within a day because the address is dead, of 90 that left"
        " within 7 days"
    )
    assert str(complaints) == (
        "4 recipients at yahoo complained within a day, of 900 mails that left for it within 7 days"
    )
    assert hard.hint
    assert complaints.hint
