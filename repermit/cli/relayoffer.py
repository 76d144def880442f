"""What `check` says of the relay: whether it lets us in, and what each extension that it lacks
means for the mails."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from repermit.cli.finding import Finding, Said, State, together
from repermit.errors import RepermitError

if TYPE_CHECKING:
    from repermit.dispatch.greeting import Greeting
    from repermit.runtime import Runtime

_OLD_TLS = frozenset({"TLSv1", "TLSv1.1", "SSLv3"})  # RFC 8996
_SOON = timedelta(days=7)
_ASK = "ask the relay's operator for it, or go on as it is"


async def relay_offers(runtime: Runtime) -> list[Finding]:
    """Return what was found of the relay; no mail is begun. Never raises for what does not hold."""
    from repermit.cli.assembly import relay
    from repermit.dispatch.greeting import greeting
    from repermit.dispatch.refusals import relay_away
    from repermit.dispatch.relay import RelayAway

    try:
        try:
            heard = await greeting(relay(runtime))
        except RelayAway as failure:
            raise relay_away(failure.cause) from failure
        return [
            Finding("relay", "TLS and login", *_let_in(runtime, heard)),
            Finding("offer", "what it offers", *_offered(runtime, heard)),
        ]
    except RepermitError as failure:
        return [Finding("relay", "TLS and login", State.FAIL, str(failure), failure.hint)]


def _let_in(runtime: Runtime, heard: Greeting) -> Said:
    at, ends = runtime.config.relay, heard.certificate_ends
    login = "with a login" if at.user else "without a login"
    if not heard.tls:
        if at.is_on_this_machine:
            return State.OK, f"without TLS, on this machine, {login}", ""
        says = "without TLS: who is on the way to it can read the addresses and press the links"
        return State.WARN, says, "use a relay with TLS, unless the network itself encrypts"
    if heard.tls in _OLD_TLS:
        return State.FAIL, f"{heard.tls} is broken (RFC 8996)", "have the relay speak TLS 1.2"
    if ends is None:
        return State.OK, f"{heard.tls}, {login}", ""
    left = ends - runtime.clock.now()
    says = f"{heard.tls}, {login}; its certificate is for {at.host}, {left.days} days left"
    do = "have it renewed: with an invalid one no mail leaves"
    return (State.WARN, says, do) if left < _SOON else (State.OK, says, "")


def _offered(runtime: Runtime, heard: Greeting) -> Said:
    """Source: RFC 1870, RFC 2920, RFC 6152, RFC 3461, RFC 6531."""
    offer = heard.offer
    largest = _largest_mail(runtime)
    if offer.largest_bytes is not None and largest > offer.largest_bytes:
        says = f"it takes {offer.largest_bytes:,} bytes, and the largest mail has {largest:,}"
        return State.FAIL, says, "shorten the words, or ask the relay's operator for more (SIZE)"
    lacking = [
        (name, means)
        for name, has, means in (
            ("PIPELINING", offer.pipelining, "sending takes about twice as long"),
            ("DSN", offer.dsn, "a bounce may come later, or without a code"),
            ("SIZE", offer.size, "a mail that is too large is refused only after it was sent"),
            ("8BITMIME", offer.eightbitmime, "nothing is lost: our mails need no 8-bit bodies"),
            ("SMTPUTF8", offer.smtputf8, "addresses with letters beyond ASCII cannot be asked"),
        )
        if not has
    ]
    if not lacking:
        return State.OK, "all that is of use: PIPELINING, DSN, SIZE, 8BITMIME, SMTPUTF8", ""
    return together((State.WARN, f"no {name}: {means}", _ASK) for name, means in lacking)


def _largest_mail(runtime: Runtime) -> int:
    """Return the bytes of the largest mail; its places are filled as for a test."""
    from repermit.cli.assembly import mailer
    from repermit.cli.preview import asked_relationships, sample_variants, test_person
    from repermit.domain.address import parse
    from repermit.domain.token import TEST_RECIPIENT

    made, person = mailer(runtime, signing=True), test_person(parse("somebody@example.org"))
    now = runtime.clock.now()
    due = runtime.question.due_at(now)
    return max(
        len(made.build(TEST_RECIPIENT, person, variant, due=due, now=now).content)
        for relationship in asked_relationships(runtime)
        for variant in sample_variants(runtime, relationship)
    )
