"""Whose DMARC policy holds, and which domains belong together."""

from __future__ import annotations

import pytest

from repermit.published.lookup import Lookup
from repermit.published.treewalk import Walk, steps, walk
from tests import dns
from tests.dns import NameServer, Said


def txt(*texts: str) -> Said:
    return Said({"TXT": tuple(f'"{text}"' for text in texts)})


async def walked(domain: str, names: dict[str, Said], otherwise: Said = dns.NXDOMAIN) -> Walk:
    named = {f"_dmarc.{name}": said for name, said in names.items()}
    async with NameServer(named, otherwise=otherwise).running() as server:
        return await walk(domain, Lookup(server.resolver(lifetime=1.0)))


def test_a_long_name_takes_eight_questions() -> None:
    """The example of RFC 9989 section 4.10."""
    assert steps("a.b.c.d.e.f.g.h.i.j.mail.example.com") == [
        *("a.b.c.d.e.f.g.h.i.j.mail.example.com", "g.h.i.j.mail.example.com"),
        *("h.i.j.mail.example.com", "i.j.mail.example.com", "j.mail.example.com"),
        *("mail.example.com", "example.com", "com"),
    ]
    assert steps("Voorbeeld.be.") == ["voorbeeld.be", "be"]
    assert len(steps("a.b.c.d.e.f.g.h")) == 8


NONE = txt("v=DMARC1; p=none")


@pytest.mark.parametrize(
    ("names", "organisation", "policy_of"),
    [
        ({"voorbeeld.be": NONE}, "voorbeeld.be", "voorbeeld.be"),
        ({"mail.voorbeeld.be": NONE, "voorbeeld.be": NONE}, "voorbeeld.be", "voorbeeld.be"),
        ({"a.mail.voorbeeld.be": NONE}, "a.mail.voorbeeld.be", "a.mail.voorbeeld.be"),
        (
            {"mail.voorbeeld.be": txt("v=DMARC1; p=none; psd=n"), "voorbeeld.be": NONE},
            *("mail.voorbeeld.be", "mail.voorbeeld.be"),
        ),
        ({"be": txt("v=DMARC1; p=reject; psd=y")}, "voorbeeld.be", "be"),
        ({"be": txt("v=DMARC1; psd=y"), "voorbeeld.be": NONE}, "voorbeeld.be", "voorbeeld.be"),
        ({}, "a.mail.voorbeeld.be", None),
        ({"voorbeeld.be": txt("v=spf1 -all", "hello")}, "a.mail.voorbeeld.be", None),
    ],
)
async def test_the_organisation_and_the_policy_are_found_above(
    names: dict[str, Said], organisation: str, policy_of: str | None
) -> None:
    found = await walked("a.mail.voorbeeld.be", names)

    assert found.organisation == organisation
    assert (found.policy[0] if found.policy else None) == policy_of


async def test_of_several_records_at_one_name_none_counts() -> None:
    found = await walked("voorbeeld.be", {"voorbeeld.be": txt("v=DMARC1; p=none", "v=DMARC1")})

    assert (found.found, found.several) == ((), ("voorbeeld.be",))


async def test_a_registry_is_no_organisation_for_itself() -> None:
    """Its own psd=y is passed over where the walk began."""
    found = await walked("be", {"be": txt("v=DMARC1; p=none; psd=y")})
    assert found.organisation == "be"


async def test_what_the_dns_did_not_say_is_told() -> None:
    found = await walked("voorbeeld.be", {"voorbeeld.be": dns.SERVFAIL, "be": dns.NXDOMAIN})
    assert found.unknown == ("voorbeeld.be",)
