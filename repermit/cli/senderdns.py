"""What `check` says of what the DNS publishes for the sender's domain: SPF, DKIM, DMARC, MX.

A DNS that cannot be asked is "not known", never a failure: a mail may still be fine.

Source: RFC 7208, RFC 6376, RFC 8301, RFC 9989, RFC 7505; what Google, Yahoo and Microsoft ask of
whoever sends many mails (SPF, DKIM and DMARC, one of them aligned with From).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from repermit.cli import senderspf
from repermit.cli.finding import Finding, Said, State, together
from repermit.cli.senderalignment import alignment
from repermit.cli.senderspf import ASK_AGAIN, UNKNOWN
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

    from repermit.dispatch.dkim import Signer
    from repermit.published.lookup import Lookup
    from repermit.published.treewalk import Walk
    from repermit.runtime import Runtime

_NAMES = {
    "spf": "SPF",
    "dkim": "DKIM signature",
    "dmarc": "DMARC policy",
    "alignment": "alignment with From",
    "mx": "domains take mail",
}
_SECONDS = 30.0  # for all of it
_NO_ANSWER = f"see that this machine's DNS answers (/etc/resolv.conf names it); then {ASK_AGAIN}"
_OWN = "have the sender's own domain in relay.from: nobody can publish anything for this one"


@dataclass(frozen=True)
class Sender:
    """Under which domains the mails leave: From, the envelope, and where answers go."""

    visible: str
    envelope: str
    replies: str
    relay: str  # its host

    @property
    def domains(self) -> list[str]:
        """Return each of them once."""
        return list(dict.fromkeys((self.visible, self.replies, self.envelope)))


def sender_of(runtime: Runtime) -> Sender:
    """Return under which domains the mails of a campaign leave, as the DNS has them."""
    from repermit.domain.address import parse

    relay = runtime.config.relay
    visible = parse(relay.from_.address).domain
    replies = parse(relay.reply_to.address).domain
    return Sender(visible, relay.envelope_domain or visible, replies, relay.host)


async def sender_domain(
    runtime: Runtime, resolver: Resolver, *, seconds: float = _SECONDS
) -> list[Finding]:
    """Return what was found of the sender's domain within so many *seconds*; what was not is not
    known. Never raises for what does not hold."""
    from repermit.published.lookup import Lookup, is_reserved

    sender = sender_of(runtime)
    signer, broken = _signer(runtime, sender.visible)
    if is_reserved(sender.visible):
        trial: Said = (State.WARN, "a trial: the domain in relay.from is for examples only", "")
        said = dict.fromkeys(_NAMES, trial) | {"spf": (*trial[:2], _OWN)}
        said |= {"dkim": broken} if broken else {}
        return [Finding(code, _NAMES[code], *each) for code, each in said.items()]
    slow: Said = (State.WARN, f"not known: the DNS took longer than {seconds:g} s", ASK_AGAIN)
    found = dict.fromkeys(_NAMES, slow) | ({"dkim": broken} if broken else {})
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await _look(found, sender, Lookup(resolver), signer=signer, broken=broken)
    return [Finding(code, name, *found[code]) for code, name in _NAMES.items()]


async def _look(
    found: dict[str, Said],
    sender: Sender,
    lookup: Lookup,
    *,
    signer: Signer | None,
    broken: Said | None,
) -> None:
    """Put into *found* one thing after the other, so that what is there stays when time is up."""
    from repermit.published.treewalk import walk

    known, (found["spf"], allowed) = await asyncio.gather(
        walk(sender.visible, lookup), senderspf.spf(sender.envelope, sender.relay, lookup)
    )
    found["dkim"] = broken or await _dkim(signer, sender, lookup)
    found["dmarc"] = await _dmarc(known, sender, lookup)
    signs = found["dkim"][0] if signer or broken else None
    found["alignment"] = await alignment(
        known, sender.visible, sender.envelope, lookup, signs=signs, allowed=allowed
    )
    found["mx"] = await _mx(sender, lookup)


def _signer(runtime: Runtime, domain: str) -> tuple[Signer | None, Said | None]:
    from repermit.cli.assembly import signer_of

    try:
        return signer_of(runtime, domain), None
    except RepermitError as failure:
        return None, (State.FAIL, str(failure), failure.hint)


async def _dkim(signer: Signer | None, sender: Sender, lookup: Lookup) -> Said:
    """Source: RFC 6376 section 3.6."""
    if signer is None:
        do = (
            f"see in the headers of a mail to yourself (`repermit test-mail`) that it is signed"
            f" with d={sender.visible}; or set relay.dkim_key and relay.dkim_selector"
        )
        return State.WARN, "not known: signing is left to the relay", do
    from repermit.published import dkim

    name = f"{signer.selector}._domainkey.{sender.visible}"
    publish = f"publish this TXT record at {name}: {signer.record}"
    looked = await lookup.of(name, "TXT")
    if not looked.is_known:
        return State.WARN, f"the key loads; {UNKNOWN.format(name)} ({looked.heard})", ASK_AGAIN
    if looked.is_void:
        return State.FAIL, f"the key loads, but {name} has no record", publish
    if len(looked.records) > 1:
        return State.FAIL, f"{name} has several records, so none counts", "leave one of them"
    published, own = dkim.parsed(looked.records[0]), dkim.parsed(signer.record)
    if isinstance(published, dkim.Unusable):
        return State.FAIL, f"{name}: {published.why}", publish
    if isinstance(own, dkim.Unusable) or (published.kind, published.octets) != (
        own.kind,
        own.octets,
    ):
        return State.FAIL, f"{name} is the other half of another key", publish
    if published.is_testing:
        return State.WARN, f"{name} is marked as a test (t=y)", "take t=y out of it"
    if published.kind == "ed25519":
        do = "sign with an RSA key of 2048 bits: large mailbox providers verify no other yet"
        return State.WARN, f"{name}: Ed25519, which few receivers verify", do
    return State.OK, f"{name}: RSA of {published.bits} bits, the other half of ours", ""


async def _dmarc(known: Walk, sender: Sender, lookup: Lookup) -> Said:
    """Source: RFC 9989 sections 4.7 and 4.10."""
    from repermit.published.lookup import Heard

    publish = f'publish a TXT record at _dmarc.{known.organisation}: "v=DMARC1; p=none"'
    if known.several and (known.policy is None or known.start in known.several):
        at = f"_dmarc.{known.several[0]}"
        return State.FAIL, f"{at} has several DMARC records, so none counts", "leave one of them"
    if known.policy is None:
        if known.unknown:
            return State.WARN, UNKNOWN.format(f"_dmarc.{known.unknown[0]}"), ASK_AGAIN
        says = (
            f"neither {known.start} nor a domain above it has one: Google, Yahoo and Microsoft turn"
            " away many mails of such a domain"
        )
        return State.FAIL, says, publish
    at, record = known.policy
    if not record.is_applied:
        return State.FAIL, f"that of _dmarc.{at} has no valid policy (p=)", publish
    exists = (await lookup.of(sender.visible, "MX")).heard is not Heard.NO_NAME  # section 3.2.13
    asks = record.policy(below=at != known.start, exists=exists)
    found: list[Said] = []
    if record.wrong or not record.p:
        wrong = ", ".join(record.wrong) or "p"
        do = f"write p=none, p=quarantine or p=reject at _dmarc.{at}"
        found.append((State.WARN, f"{wrong} is missing or wrong in _dmarc.{at}", do))
    if record.old:
        do = f"take {', '.join(record.old)} out of _dmarc.{at}: receivers pass it over (RFC 9989)"
        found.append((State.WARN, f"{', '.join(record.old)} is no longer read", do))
    if record.is_testing:
        found.append((State.WARN, f"_dmarc.{at} is in test mode (t=y)", "take t=y out of it"))
    return together(found, otherwise=(State.OK, f"{asks}, from _dmarc.{at}", ""))


async def _mx(sender: Sender, lookup: Lookup) -> Said:
    """Source: RFC 5321 section 5.1; RFC 7505."""
    from repermit.published.mailhosts import Takes, takes

    states = {Takes.MAIL: State.OK, Takes.WITHOUT_MX: State.WARN, Takes.UNKNOWN: State.WARN}
    found: list[Said] = []
    for domain in sender.domains:
        what = await takes(domain, lookup)
        lost = "answers" if domain == sender.replies else "bounces"
        do = f"give {domain} an MX that leads to a mailbox, or {lost} are lost"
        do = _NO_ANSWER if what is Takes.UNKNOWN else do
        found.append((states.get(what, State.FAIL), f"{domain} {what}", do))
    return together(found, otherwise=(State.OK, ", ".join(sender.domains), ""))
