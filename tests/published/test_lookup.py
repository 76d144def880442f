"""One question to the DNS, and what was heard."""

from __future__ import annotations

import pytest
from dns.asyncresolver import Resolver

from repermit.published.lookup import Heard, Looked, Lookup, is_reserved
from repermit.published.mailhosts import Takes, takes
from tests import dns
from tests.dns import NameServer, Said


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        (dns.TXT_ONLY, Heard.FOUND),
        (dns.A_ONLY, Heard.NO_RECORD),
        (dns.NXDOMAIN, Heard.NO_NAME),
        (dns.SERVFAIL, Heard.FAILED),
        (dns.REFUSED, Heard.FAILED),
        (dns.YXDOMAIN, Heard.FAILED),
        (dns.SILENT, Heard.SILENT),
    ],
)
async def test_what_was_heard_is_told_apart(said: Said, heard: Heard) -> None:
    async with NameServer({"x.be": said}).running() as server:
        assert (await Lookup(server.resolver(lifetime=0.5)).of("x.be", "TXT")).heard is heard


async def test_the_strings_of_a_record_are_joined_and_each_question_is_asked_once() -> None:
    async with NameServer({"x.be": Said({"TXT": ('"v=spf1 " "-all"',)})}).running() as server:
        lookup = Lookup(server.resolver())
        for name in ("x.be", "X.be."):
            assert await lookup.of(name, "TXT") == Looked(Heard.FOUND, ("v=spf1 -all",))
        assert server.asked == [("x.be", "TXT")]


async def test_after_two_questions_without_a_word_nobody_is_asked_any_more() -> None:
    async with NameServer(otherwise=dns.SILENT).running() as server:
        lookup = Lookup(server.resolver(lifetime=0.2))
        heard = [(await lookup.of(f"{at}.be", "TXT")).heard for at in range(5)]
        assert heard == [Heard.SILENT] * 5
        assert {name for name, _ in server.asked} == {"0.be", "1.be"}


async def test_without_a_name_server_or_with_a_name_that_is_none_nothing_is_raised() -> None:
    lookup = Lookup(Resolver(configure=False))
    assert (await lookup.of("x.be", "TXT")).heard is Heard.SILENT
    assert (await lookup.of("x..be", "TXT")).heard is Heard.NO_NAME
    assert (await lookup.of(f"{'x' * 64}.be", "TXT")).heard is Heard.NO_NAME


@pytest.mark.parametrize(
    ("domain", "reserved"),
    [("tuin.example", True), ("localhost", True), ("x.test.", True), ("voorbeeld.be", False)],
)
def test_a_domain_for_examples_is_known(domain: str, reserved: bool) -> None:
    assert is_reserved(domain) is reserved


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"x.be": dns.mx("mx.x.be"), "mx.x.be": dns.A_ONLY}, Takes.MAIL),
        ({"x.be": dns.mx("a.be", "mx.be"), "mx.be": dns.AAAA_ONLY}, Takes.MAIL),
        ({"x.be": dns.mx("gone.be")}, Takes.LOST_HOST),
        ({"x.be": dns.mx("mx.be"), "mx.be": dns.SERVFAIL}, Takes.UNKNOWN),
        ({"x.be": dns.NULL_MX}, Takes.NULL_MX),
        ({"x.be": dns.A_ONLY}, Takes.WITHOUT_MX),
        ({"x.be": dns.TXT_ONLY}, Takes.NO_HOST),
        ({}, Takes.NO_NAME),
        ({"x.be": dns.SERVFAIL}, Takes.UNKNOWN),
        ({"x.be MX": dns.TXT_ONLY, "x.be": dns.SERVFAIL}, Takes.UNKNOWN),
    ],
)
async def test_whether_a_domain_takes_mail(names: dict[str, Said], expected: Takes) -> None:
    async with NameServer(names).running() as server:
        assert await takes("x.be", Lookup(server.resolver(lifetime=1.0))) is expected
