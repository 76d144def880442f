"""What `check` says of the sender's domain, against a real name server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from repermit.cli.finding import Finding, State
from repermit.cli.senderdns import sender_domain
from repermit.dispatch.dkim import Signer
from repermit.domain.clock import SystemClock
from repermit.runtime import Runtime
from tests import dns
from tests.dns import NameServer, Said
from tests.test_config import a_config

DOMAIN = "voorbeeld.be"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
RECORD = Signer(KEY, domain=DOMAIN, selector="s1").record
OTHER = Signer(
    rsa.generate_private_key(public_exponent=65537, key_size=2048), domain=DOMAIN, selector="s1"
).record


def txt(*texts: str, **more: tuple[str, ...]) -> Said:
    """Say these texts, each in strings of 255 octets at most."""
    cut = (" ".join(f'"{t[at : at + 200]}"' for at in range(0, len(t), 200)) for t in texts)
    return Said({"TXT": tuple(cut), **more})


FINE = {
    DOMAIN: txt("v=spf1 ip4:8.8.4.0/24 -all", MX=("10 mx.voorbeeld.be.",)),
    "mx.voorbeeld.be": dns.A_ONLY,
    "_dmarc.voorbeeld.be": txt("v=DMARC1; p=none"),
    "s1._domainkey.voorbeeld.be": txt(RECORD),
    "relay.be": Said({"A": ("8.8.4.4",)}),
}


def a_runtime(folder: Path, *, signs: bool = True, more: str = "") -> Runtime:
    relay = 'url = "smtp://relay.be:587"'
    if signs:
        path = folder / "dkim.pem"
        pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.touch(mode=0o600)
        path.write_bytes(pem)
        relay += '\ndkim_key = "dkim.pem"\ndkim_selector = "s1"'
    config = a_config(
        folder / "config.toml",
        **{
            r'url(?= = "smtp)': f"{relay}\n{more}",
            'from(?= = "nieuws)': f'from = "nieuws@{DOMAIN}"',
        },
    )
    return Runtime(config, SystemClock())


async def found(
    runtime: Runtime, names: dict[str, Said], otherwise: Said = dns.NXDOMAIN
) -> dict[str, Finding]:
    async with NameServer(names, otherwise=otherwise).running() as server:
        several = await sender_domain(runtime, server.resolver(lifetime=1.0))
    return {each.code: each for each in several}


async def test_a_domain_that_is_published_as_it_should_holds(tmp_path: Path) -> None:
    said = await found(a_runtime(tmp_path), FINE)

    assert list(said) == ["spf", "dkim", "dmarc", "alignment", "mx"]
    assert {each.state for each in said.values()} == {State.OK}
    assert said["spf"].says == "voorbeeld.be: 0 of 10 lookups; the relay's own addresses pass"
    assert said["alignment"].says == "DKIM signs for voorbeeld.be; SPF, too"


@pytest.mark.parametrize("otherwise", [dns.SILENT, dns.SERVFAIL])
async def test_a_dns_that_cannot_be_asked_fails_nothing(tmp_path: Path, otherwise: Said) -> None:
    said = await found(a_runtime(tmp_path), {}, otherwise)
    assert {each.state for each in said.values()} == {State.WARN}
    assert "this machine's DNS" in said["mx"].do


async def test_a_slow_dns_fails_nothing(tmp_path: Path) -> None:
    async with NameServer(otherwise=Said(wait=60.0)).running() as server:
        several = await sender_domain(a_runtime(tmp_path), server.resolver(), seconds=0.2)

    assert {each.state for each in several} == {State.WARN}
    assert {each.says for each in several} == {"not known: the DNS took longer than 0.2 s"}


async def test_a_key_that_cannot_be_loaded_is_told_however_slow_the_dns_is(tmp_path: Path) -> None:
    runtime = a_runtime(tmp_path)
    (tmp_path / "dkim.pem").write_text("no key")
    async with NameServer(otherwise=Said(wait=60.0)).running() as server:
        several = await sender_domain(runtime, server.resolver(), seconds=0.2)

    states = {each.code: each.state for each in several}
    assert states.pop("dkim") is State.FAIL
    assert set(states.values()) == {State.WARN}


@pytest.mark.parametrize(
    ("key", "spf", "state", "says"),
    [
        (dns.NXDOMAIN, "ip4:8.8.4.0/24", State.WARN, "by SPF only: the DKIM signature does not"),
        (dns.NXDOMAIN, "mx:x", State.FAIL, "not by SPF (voorbeeld.be), and the DKIM signature"),
        (dns.NXDOMAIN, "include:slow.be", State.WARN, "not known: the DNS says nothing of"),
        (dns.SERVFAIL, "ip4:8.8.4.0/24", State.WARN, "by SPF only: DKIM may not count"),
        (txt(f"{RECORD}; t=y"), "mx:x", State.WARN, "not by SPF (voorbeeld.be), and DKIM may"),
        (txt(RECORD), "mx:x", State.OK, "DKIM signs for voorbeeld.be; not SPF"),
        (txt(RECORD), "include:slow.be", State.OK, "whether SPF does is not known"),
    ],
)
async def test_alignment_rests_on_no_signature_that_is_not_known_to_hold(
    tmp_path: Path, key: Said, spf: str, state: State, says: str
) -> None:
    names = {
        DOMAIN: txt(f"v=spf1 {spf} -all", MX=("10 mx.voorbeeld.be.",)),
        "s1._domainkey.voorbeeld.be": key,
        "slow.be": dns.SERVFAIL,
    }
    one = (await found(a_runtime(tmp_path), FINE | names))["alignment"]
    assert (one.state, bool(one.do)) == (state, state is not State.OK)
    assert says in one.says


CASES: list[tuple[str, dict[str, Said], State, str]] = [
    ("spf", {DOMAIN: dns.A_ONLY}, State.FAIL, "has no SPF record"),
    ("spf", {DOMAIN: txt("v=spf1 +all")}, State.FAIL, "lets everybody send"),
    ("spf", {DOMAIN: txt("v=spf1 ptr")}, State.WARN, "has ptr"),
    ("spf", {DOMAIN: txt("v=spf1 mx:x")}, State.FAIL, "cannot be read at mx:x"),
    ("spf", {DOMAIN: txt("v=spf1 -all")}, State.WARN, "relay.be (8.8.4.4) is not in it"),
    ("spf", {"relay.be": dns.NXDOMAIN}, State.WARN, "sends from is not known"),
    ("dkim", {"s1._domainkey.voorbeeld.be": dns.NXDOMAIN}, State.FAIL, "has no record"),
    ("dkim", {"s1._domainkey.voorbeeld.be": txt(RECORD, OTHER)}, State.FAIL, "several records"),
    ("dkim", {"s1._domainkey.voorbeeld.be": txt(OTHER)}, State.FAIL, "half of another key"),
    ("dkim", {"s1._domainkey.voorbeeld.be": txt("v=DKIM1; p=")}, State.FAIL, "withdrawn"),
    ("dkim", {"s1._domainkey.voorbeeld.be": txt(f"{RECORD}; t=y")}, State.WARN, "as a test"),
    ("dmarc", {"_dmarc.voorbeeld.be": dns.NXDOMAIN}, State.FAIL, "Google, Yahoo and Microsoft"),
    ("dmarc", {"_dmarc.voorbeeld.be": txt("v=DMARC1; p=none", "v=DMARC1")}, State.FAIL, "several"),
    ("dmarc", {"_dmarc.voorbeeld.be": txt("v=DMARC1; p=x")}, State.FAIL, "no valid policy"),
    ("dmarc", {"_dmarc.voorbeeld.be": txt("v=DMARC1; p=none; pct=9")}, State.WARN, "pct"),
    ("dmarc", {"_dmarc.voorbeeld.be": txt("v=DMARC1; p=none; t=y")}, State.WARN, "test mode"),
    (
        *("dmarc", {"_dmarc.voorbeeld.be": txt("v=DMARC1; rua=mailto:a@b.be")}),
        *(State.WARN, "p is missing or wrong"),
    ),
    ("alignment", {"_dmarc.voorbeeld.be": dns.NXDOMAIN}, State.WARN, "no DMARC policy"),
    ("mx", {DOMAIN: dns.NULL_MX}, State.FAIL, "takes no mail (null MX)"),
    ("mx", {"mx.voorbeeld.be": dns.NXDOMAIN}, State.FAIL, "host does not exist"),
]


@pytest.mark.parametrize(("code", "names", "state", "says"), CASES)
async def test_what_does_not_hold_is_told_with_what_to_do(
    tmp_path: Path, code: str, names: dict[str, Said], state: State, says: str
) -> None:
    one = (await found(a_runtime(tmp_path), FINE | names))[code]
    assert one.state is state, one
    assert says in one.says
    assert one.do


async def test_several_records_above_do_not_count_where_the_domain_has_its_own(
    tmp_path: Path,
) -> None:
    """Receivers discard those, and go by the one of the domain itself (RFC 9989 section 4.10)."""
    above = {"_dmarc.be": txt("v=DMARC1; p=none", "v=DMARC1; p=reject")}
    one = (await found(a_runtime(tmp_path), FINE | above))["dmarc"]
    assert (one.state, one.says) == (State.OK, "none, from _dmarc.voorbeeld.be")


async def test_a_domain_without_an_mx_exists_all_the_same(tmp_path: Path) -> None:
    """Only a name that is not there at all does not exist (RFC 9989 section 3.2.13)."""
    names = {
        DOMAIN: txt("v=spf1 ip4:8.8.4.0/24 -all"),
        "_dmarc.voorbeeld.be": dns.NXDOMAIN,
        "_dmarc.be": txt("v=DMARC1; p=none; sp=quarantine; np=reject; psd=y"),
    }
    one = (await found(a_runtime(tmp_path), FINE | names))["dmarc"]
    assert one.says == "quarantine, from _dmarc.be"


@pytest.mark.parametrize(
    ("more", "names", "says"),
    [
        ("", {}, "by SPF; whether DKIM is, only the relay knows"),
        ('envelope_domain = "bounces.voorbeeld.be"', {}, "by SPF; whether DKIM is"),
        (
            'envelope_domain = "bounces.voorbeeld.be"',
            {"_dmarc.voorbeeld.be": txt("v=DMARC1; p=none; aspf=s")},
            "not by SPF (bounces.voorbeeld.be)",
        ),
        ('envelope_domain = "dienst.be"', {"dienst.be": txt("v=spf1 -all")}, "not by SPF"),
    ],
)
async def test_without_a_key_of_ours_only_spf_is_known_to_be_aligned(
    tmp_path: Path, more: str, names: dict[str, Any], says: str
) -> None:
    bounces: dict[str, Said] = {
        "bounces.voorbeeld.be": txt("v=spf1 ip4:8.8.4.4 -all", MX=("1 mx.voorbeeld.be.",))
    }
    said = await found(a_runtime(tmp_path, signs=False, more=more), FINE | bounces | names)

    assert said["dkim"].says == "not known: signing is left to the relay"
    assert (said["alignment"].state, said["dkim"].state) == (State.WARN, State.WARN)
    assert says in said["alignment"].says
