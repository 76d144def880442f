"""What `check` says of what the DNS publishes for the sender's domain: SPF, DKIM, DMARC, MX.

A DNS that cannot be asked is "not known", never a failure: a mail may still be fine.

Source: RFC 7208, RFC 6376, RFC 8301, RFC 9989, RFC 7505; what Google, Yahoo and Microsoft ask of
whoever sends many mails (SPF, DKIM and DMARC, one of them aligned with From).
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from ipaddress import ip_address
from typing import TYPE_CHECKING

from repermit.cli.finding import Finding, Said, State, together
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from dns.asyncresolver import Resolver

    from repermit.dispatch.dkim import Signer
    from repermit.published.allowance import Allowance
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
_ASK_AGAIN = "run `repermit check` again where the DNS can be asked"
_UNKNOWN = "not known: the DNS says nothing of {}"
_OWN = "have the sender's own domain in relay.from: nobody can publish anything for this one"
_LIST = (
    "list the relay in the SPF record of {0}, as its operator tells (include:…), and no more than"
    " it needs"
)


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


async def sender_domain(runtime: Runtime, resolver: Resolver) -> list[Finding]:
    """Return what was found of the sender's domain. Never raises for what does not hold."""
    from repermit.published.lookup import Lookup, is_reserved
    from repermit.published.treewalk import walk

    sender = sender_of(runtime)
    signer, broken = _signer(runtime, sender.visible)
    if is_reserved(sender.visible):
        trial: Said = (State.WARN, "a trial: the domain in relay.from is for examples only", "")
        said = dict.fromkeys(_NAMES, trial) | {"spf": (*trial[:2], _OWN)}
        said |= {"dkim": broken} if broken else {}
        return [Finding(code, _NAMES[code], *each) for code, each in said.items()]
    lookup = Lookup(resolver)
    known, published = await asyncio.gather(walk(sender.visible, lookup), _spf(sender, lookup))
    spf, allowed = published
    dkim = broken or await _dkim(signer, sender, lookup)
    found = {
        "spf": spf,
        "dkim": dkim,
        "dmarc": await _dmarc(known, sender, lookup),
        "alignment": await _alignment(known, sender, lookup, signer=signer, allowed=allowed),
        "mx": await _mx(sender, lookup),
    }
    return [Finding(code, _NAMES[code], *each) for code, each in found.items()]


def _signer(runtime: Runtime, domain: str) -> tuple[Signer | None, Said | None]:
    from repermit.cli.assembly import signer_of

    try:
        return signer_of(runtime, domain), None
    except RepermitError as failure:
        return None, (State.FAIL, str(failure), failure.hint)


async def _spf(sender: Sender, lookup: Lookup) -> tuple[Said, Allowance]:
    from repermit.published.allowance import allowance

    allowed = await allowance(sender.envelope, lookup)
    if allowed.trouble is not None:
        return _troubled(sender.envelope, allowed), allowed
    if allowed.lets_anybody:
        do = "end it with ~all or -all, and list only who sends for you"
        return (State.FAIL, f"that of {sender.envelope} lets everybody send (+all)", do), allowed
    found = [await _relay_passes(sender, allowed, lookup)]
    if allowed.has_ptr:
        do = "replace ptr by the addresses themselves (RFC 7208 section 5.5)"
        found.append((State.WARN, "it has ptr, which many receivers do not read", do))
    counted = f"{sender.envelope}: {allowed.lookups} of 10 lookups"
    fine = (State.OK, f"{counted}; the relay's own addresses pass", "")
    return together(found, otherwise=fine), allowed


def _troubled(domain: str, allowed: Allowance) -> Said:
    """Source: RFC 7208 sections 4.5, 4.6.4 and 5.2."""
    from repermit.published.allowance import Trouble

    at = allowed.detail
    said: dict[Trouble, tuple[str, str]] = {
        Trouble.NONE: (f"{domain} has no SPF record", _LIST.format(domain)),
        Trouble.SEVERAL: (f"{at} has several SPF records, so none counts", "leave one of them"),
        Trouble.BROKEN: (f"it cannot be read at {at}", "correct that part of the record"),
        Trouble.LOOKUPS: (
            "it needs more than 10 lookups, and receivers stop there",
            "take out includes of services that no longer send for you",
        ),
        Trouble.VOIDS: (
            f"more than 2 of its lookups find nothing (the last: {at})",
            "take out the names that are gone",
        ),
        Trouble.NOTHING_THERE: (f"it includes {at}, which has no SPF record", "take that out"),
        Trouble.EXCHANGES: (f"the mx of {at} has more than 10 hosts", "name networks instead"),
    }
    if allowed.trouble is Trouble.UNKNOWN or allowed.trouble is None:
        return State.WARN, _UNKNOWN.format(at), _ASK_AGAIN
    return (State.FAIL, *said[allowed.trouble])


async def _relay_passes(sender: Sender, allowed: Allowance, lookup: Lookup) -> Said:
    """Return whether the relay may send, as far as that can be seen: it may hand mails on to other
    machines, whose addresses nobody knows from here."""
    do = f"ask the relay's operator which addresses send, and {_LIST.format(sender.envelope)}"
    addresses = await _addresses(sender.relay, lookup)
    if not addresses:
        says = "the record is fine; which addresses the relay sends from is not known"
        return State.WARN, says, do
    passing = [allowed.passes(each) for each in addresses]
    if all(passing):
        return State.OK, "", ""
    some = next(each for each, passes in zip(addresses, passing, strict=True) if not passes)
    return State.WARN, f"the address of {sender.relay} ({some}) is not in it", do


async def _addresses(host: str, lookup: Lookup) -> list[str]:
    """Return the addresses of the relay as others see them; none when it is on this machine."""
    try:
        found = [str(ip_address(host))]
    except ValueError:
        found = list((await lookup.addresses(host)).records)
    return [each for each in found if ip_address(each).is_global]


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
        return State.WARN, f"the key loads; {_UNKNOWN.format(name)} ({looked.heard})", _ASK_AGAIN
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
    publish = f'publish a TXT record at _dmarc.{known.organisation}: "v=DMARC1; p=none"'
    if known.several:
        at = f"_dmarc.{known.several[0]}"
        return State.FAIL, f"{at} has several DMARC records, so none counts", "leave one of them"
    if known.policy is None:
        if known.unknown:
            return State.WARN, _UNKNOWN.format(f"_dmarc.{known.unknown[0]}"), _ASK_AGAIN
        says = (
            f"neither {known.start} nor a domain above it has one: Google, Yahoo and Microsoft turn"
            " away many mails of such a domain"
        )
        return State.FAIL, says, publish
    at, record = known.policy
    if not record.is_applied:
        return State.FAIL, f"that of _dmarc.{at} has no valid policy (p=)", publish
    exists = not (await lookup.of(sender.visible, "MX")).is_void
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


async def _alignment(
    known: Walk, sender: Sender, lookup: Lookup, *, signer: Signer | None, allowed: Allowance
) -> Said:
    """Return whether SPF or DKIM speaks for the domain in From, which DMARC asks of one of them.

    Source: RFC 9989 sections 4.4 and 4.10.2.
    """
    if known.policy is None:
        do = "mend DMARC first" if not known.unknown else _ASK_AGAIN
        return State.WARN, "not known: no DMARC policy was found", do
    _, record = known.policy
    by_spf = await _is_aligned(known, sender.envelope, lookup, strict=record.is_strict_spf)
    if signer is not None:  # d= is always the very domain in From
        spf = "SPF, too" if by_spf and allowed.trouble is None else "not SPF"
        return State.OK, f"DKIM signs for {sender.visible}; {spf}", ""
    do = (
        f"have the relay sign with d={sender.visible}, or sign here (relay.dkim_key): SPF is lost"
        " when a mail is forwarded"
    )
    if by_spf is None:
        return State.WARN, _UNKNOWN.format(sender.envelope), _ASK_AGAIN
    if by_spf and allowed.trouble is None:
        return State.WARN, "by SPF; whether DKIM is, only the relay knows", do
    says = f"not by SPF ({sender.envelope}); whether DKIM is, only the relay knows"
    return State.WARN, says, do


async def _is_aligned(known: Walk, other: str, lookup: Lookup, *, strict: bool) -> bool | None:
    """Return whether *other* belongs to the domain in From; None when the DNS does not say."""
    from repermit.published.treewalk import walk

    if strict or other == known.start:
        return other == known.start
    its = await walk(other, lookup)
    if its.unknown or known.unknown:
        return None
    return its.organisation == known.organisation


async def _mx(sender: Sender, lookup: Lookup) -> Said:
    """Source: RFC 5321 section 5.1; RFC 7505."""
    from repermit.published.mailhosts import Takes, takes

    states = {Takes.MAIL: State.OK, Takes.WITHOUT_MX: State.WARN, Takes.UNKNOWN: State.WARN}
    found: list[Said] = []
    for domain in sender.domains:
        what = await takes(domain, lookup)
        lost = "answers" if domain == sender.replies else "bounces"
        do = f"give {domain} an MX that leads to a mailbox, or {lost} are lost"
        found.append((states.get(what, State.FAIL), f"{domain} {what}", do))
    return together(found, otherwise=(State.OK, ", ".join(sender.domains), ""))
