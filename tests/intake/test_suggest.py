from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.address import parse
from repermit.intake.suggest import ROLES, Suggester, Suggestion, contradicted, is_role

TYPING_ERROR = Suggestion("typing_error", "telenet.be")
ROLE = Suggestion("role_mailbox", "company_mailbox")


@pytest.mark.parametrize(
    "local",
    [
        "info",
        "INFO",
        "info.gent",
        "info-be",
        "info_2",
        "info2",
        "info+web",
        "hr",
        "hr.gent",
        "secretariaat",
        "boekhouding",
        "compta",
        "accueil",
        "réception",
        "verkauf",
        "geschäftsführung",
        "customer.service",
        "customerservice",
        "klanten-dienst",
        "no-reply",
        "do-not-reply",
    ],
)
def test_a_function_is_a_role(local: str) -> None:
    assert is_role(local)


@pytest.mark.parametrize(
    "local",
    ["an", "an.peeters", "marie", "dirk", "infante", "an.info", "job.janssens", "infolab", "", "2"],
)
def test_a_person_is_none(local: str) -> None:
    assert not is_role(local)


@pytest.mark.parametrize(
    ("domain", "country", "ending"),
    [
        ("voorbeeld.nl", "BE", ".nl"),
        ("voorbeeld.co.uk", "BE", ".uk"),
        ("voorbeeld.be", "GB", ".be"),
        ("xn--hxajbheg2az3al.xn--qxam", "BE", ".xn--qxam"),
        ("voorbeeld.be", "BE", None),
        ("voorbeeld.co.uk", "GB", None),
        ("voorbeeld.gr", "GR", None),
        ("voorbeeld.be", None, None),
        ("voorbeeld.eu", "BE", None),
        ("voorbeeld.com", "BE", None),
        ("voorbeeld.me", "BE", None),
        ("voorbeeld.nu", "BE", None),
        ("voorbeeld.be", "US", ".be"),
    ],
)
def test_the_ending_of_another_country_contradicts(
    domain: str, country: str | None, ending: str | None
) -> None:
    assert contradicted(domain, country) == ending


@pytest.mark.parametrize(
    ("text", "country", "relationship", "expected"),
    [
        ("an@telenet.be", "BE", "customer", ()),
        ("an@telenet.be", None, None, ()),
        ("an@gmail.com", "BE", None, ()),
        ("an@telent.be", "BE", None, (TYPING_ERROR,)),
        ("info@voorbeeld.be", "BE", "customer", (ROLE,)),
        ("info@voorbeeld.be", "BE", "company_mailbox", ()),
        ("marie@voorbeeld.be", "BE", None, ()),
        ("an@voorbeeld.nl", "BE", None, (Suggestion("ending", ".nl"),)),
        ("Info@telenet.nl", "BE", None, (TYPING_ERROR, ROLE, Suggestion("ending", ".nl"))),
    ],
)
def test_what_deserves_a_second_look_is_pointed_out(
    text: str, country: str | None, relationship: str | None, expected: tuple[Suggestion, ...]
) -> None:
    suggester = Suggester()

    for _ in range(2):  # the second time it remembers the domain
        told = suggester.of(parse(text), country=country, relationship=relationship)
        assert told == expected


@given(st.sampled_from(sorted(ROLES)), st.sampled_from(["", ".x", "-x", "_x", "+x", "7"]))
def test_no_role_is_passed_over_by_the_first_look(role: str, suffix: str) -> None:
    address = parse(f"{role}{suffix}@voorbeeld.be")

    assert Suggester().of(address, country="BE", relationship=None) == (ROLE,)


def test_what_is_remembered_is_limited() -> None:
    suggester = Suggester(remembered=10)

    for number in range(100):
        address = parse(f"an@voorbeeld{number}.nl")
        assert suggester.of(address, country="BE", relationship=None)

    assert len(suggester._seen) <= 10
