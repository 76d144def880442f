"""One SPF record, read as RFC 7208 writes it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.published.spf import Broken, SpfRecord, is_spf, parsed


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("v=spf1", True), ("V=SPF1 -all", True), ("v=spf10 -all", False), ("v=DMARC1", False)],
)
def test_a_record_of_spf_is_known_by_its_version(text: str, is_one: bool) -> None:
    assert is_spf(text) is is_one


def test_each_mechanism_is_read_with_its_networks() -> None:
    read = parsed(
        "v=spf1  ip4:192.0.2.0/24 ip6:2001:db8::/32 a:mail.voorbeeld.be/24//64 mx ~mx/28"
        " include:_spf.voorbeeld.be exists:%{i}._spf.voorbeeld.be ?ptr -all redirect=x.be"
    )

    assert isinstance(read, SpfRecord)
    assert [(each.qualifier, each.kind) for each in read.terms] == [
        *(("+", "ip4"), ("+", "ip6"), ("+", "a"), ("+", "mx"), ("~", "mx")),
        *(("+", "include"), ("+", "exists"), ("?", "ptr"), ("-", "all")),
    ]
    a, exists = read.terms[2], read.terms[6]
    assert (a.name, a.v4_bits, a.v6_bits) == ("mail.voorbeeld.be", 24, 64)
    assert exists.has_macro
    assert read.redirect == ""  # behind `all` nothing is read


def test_without_all_it_leads_on_and_unknown_modifiers_are_passed_over() -> None:
    read = parsed("v=spf1 unknown=thing exp=why.voorbeeld.be redirect=_spf.voorbeeld.be")

    assert read == SpfRecord((), "_spf.voorbeeld.be")


@pytest.mark.parametrize(
    "part",
    [
        *("ip4:999.0.2.1", "ip4:192.0.2.0/255.255.255.0", "ip4", "ip6:192.0.2.1", "include:"),
        *("include", "exists", "all:x.be", "mx/33", "a//129", "frob:x.be", "a:x..be", "a=", "!all"),
        *("a:%x.be", "redirect=", "include:localhost", "+redirect=x.be", "mx:voorbeeld.123"),
    ],
)
def test_a_part_that_is_wrong_is_named(part: str) -> None:
    if part == "a=":  # a modifier of an unknown name
        assert parsed(f"v=spf1 {part}") == SpfRecord(())
    else:
        assert parsed(f"v=spf1 mx {part} -all") == Broken(part)


def test_redirect_stands_once() -> None:
    assert parsed("v=spf1 redirect=a.be redirect=b.be") == Broken("redirect=b.be")


@given(st.text() | st.text(alphabet="v=spf1 aimx:/.%{}-+~?0123456789clude").map("v=spf1 ".__add__))
def test_whatever_stands_there_is_read_or_named(text: str) -> None:
    read = parsed(text)
    assert isinstance(read, SpfRecord | Broken)
    if isinstance(read, Broken):
        assert read.part in text
