"""Whom an SPF record allows, with all that it includes, against a real name server."""

from __future__ import annotations

import pytest

from repermit.published.allowance import Allowance, Trouble, allowance
from repermit.published.lookup import Lookup
from tests import dns
from tests.dns import NameServer, Said

DOMAIN = "voorbeeld.be"


def spf(text: str, **more: tuple[str, ...]) -> Said:
    return Said({"TXT": (f'"v=spf1 {text}"', '"hello"'), **more})


async def allowed(
    names: dict[str, Said], *, otherwise: Said = dns.NXDOMAIN, seconds: float = 30.0
) -> Allowance:
    async with NameServer(names, otherwise=otherwise).running() as server:
        return await allowance(DOMAIN, Lookup(server.resolver(lifetime=1.0)), seconds=seconds)


async def test_what_is_included_or_led_on_to_passes() -> None:
    found = await allowed(
        {
            DOMAIN: spf(
                "ip4:192.0.2.1 a mx include:_spf.dienst.be redirect=_more.voorbeeld.be",
                A=("198.51.100.7",),
                MX=("10 mx.voorbeeld.be.",),
            ),
            "mx.voorbeeld.be": Said({"A": ("198.51.100.8",), "AAAA": ("2001:db8::8",)}),
            "_spf.dienst.be": spf("-ip4:203.0.113.9 ip4:203.0.113.0/24 -all"),
            "_more.voorbeeld.be": spf("ip6:2001:db8:1::/48 ~all"),
        }
    )

    assert found.trouble is None
    assert (found.lookups, found.voids) == (4, 0)
    passing = ("192.0.2.1", "198.51.100.7", "198.51.100.8", "2001:db8::8", "203.0.113.4")
    assert all(found.passes(each) for each in (*passing, "2001:db8:1::9"))
    assert not any(found.passes(each) for each in ("203.0.113.9", "192.0.2.2", "2001:db8:2::1"))
    assert not found.lets_anybody


@pytest.mark.parametrize("text", ["+all", "all", "ip4:0.0.0.0/0 ip6:::/0", "include:open.be"])
async def test_a_record_that_lets_everybody_pass_is_known(text: str) -> None:
    assert (await allowed({DOMAIN: spf(text), "open.be": spf("all")})).lets_anybody


async def test_what_depends_on_the_mail_is_not_known() -> None:
    found = await allowed({DOMAIN: spf("exists:%{i}.x.be include:%{d}.x.be ptr -all")})
    assert (found.trouble, found.has_ptr, found.passes("192.0.2.1")) == (None, True, None)
    assert not found.lets_anybody
    led = await allowed({DOMAIN: spf("redirect=%{d}.x.be")})
    assert led.passes("192.0.2.1") is None


async def test_a_name_that_exists_lets_everybody_pass() -> None:
    found = await allowed({DOMAIN: spf("exists:x.voorbeeld.be -all"), "x.voorbeeld.be": dns.A_ONLY})
    assert found.lets_anybody


MANY = {f"n{at}.be": spf(f"include:n{at + 1}.be") for at in range(20)}
HOSTS = tuple(f"10 mx{at}.voorbeeld.be." for at in range(11))


@pytest.mark.parametrize(
    ("names", "trouble", "detail"),
    [
        ({}, Trouble.NONE, DOMAIN),
        ({DOMAIN: dns.A_ONLY}, Trouble.NONE, DOMAIN),
        ({DOMAIN: Said({"TXT": ('"v=spf1"', '"v=spf1 -all"')})}, Trouble.SEVERAL, DOMAIN),
        ({DOMAIN: spf("ip4:nonsense")}, Trouble.BROKEN, "ip4:nonsense in that of voorbeeld.be"),
        ({DOMAIN: spf("include:gone.be")}, Trouble.NOTHING_THERE, "gone.be"),
        ({DOMAIN: spf("redirect=gone.be")}, Trouble.NOTHING_THERE, "gone.be"),
        ({DOMAIN: spf("include:n0.be"), **MANY}, Trouble.LOOKUPS, "include"),
        ({DOMAIN: spf("include:voorbeeld.be")}, Trouble.LOOKUPS, "include"),
        ({DOMAIN: spf("a:x.be a:y.be mx:z.be -all")}, Trouble.VOIDS, "z.be"),
        ({DOMAIN: spf("mx", MX=HOSTS)}, Trouble.EXCHANGES, DOMAIN),
        ({DOMAIN: dns.SERVFAIL}, Trouble.UNKNOWN, DOMAIN),
        ({DOMAIN: spf("a:x.be"), "x.be": dns.SERVFAIL}, Trouble.UNKNOWN, "x.be"),
        ({DOMAIN: spf("mx:x.be"), "x.be": dns.SERVFAIL}, Trouble.UNKNOWN, "x.be"),
    ],
)
async def test_what_a_receiver_would_have_against_it(
    names: dict[str, Said], trouble: Trouble, detail: str
) -> None:
    found = await allowed(names)
    assert (found.trouble, found.detail) == (trouble, detail)


async def test_a_dns_that_takes_too_long_says_nothing() -> None:
    slow = Said({"TXT": ('"v=spf1 -all"',)}, wait=0.9)
    assert (await allowed({DOMAIN: slow}, seconds=0.05)).trouble is Trouble.UNKNOWN
