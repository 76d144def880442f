"""Puts the parts of a stage together from the runtime: the mailer, the pages, the relay.

Also what an approval is given for: everything that decides who reads which words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from itertools import product
from typing import TYPE_CHECKING, Any

from repermit import __version__
from repermit.dispatch.letters import Letters
from repermit.dispatch.mail import Envelope, Mailer, Variant
from repermit.dispatch.relay import RelayAt
from repermit.domain.policy import CAN_BE_ASKED, Rules
from repermit.errors import SendRefused
from repermit.ledger.log import canonical
from repermit.respond.pages import Pages, View
from repermit.runtime import Runtime

if TYPE_CHECKING:
    from repermit.dispatch.dkim import Signer

_WHO_ASKS = (  # of the controller, what the record of a consent or an approval states
    *("name", "postal_address", "registration", "email", "privacy_url", "authority", "dpo"),
)


def mailer(runtime: Runtime, *, signing: bool = False) -> Mailer:
    """Return what makes the mails; *signing*, for those that leave, needs the DKIM key if the
    config names one. Raises: WordingIncomplete, KeysUnusable."""
    envelope = envelope_of(runtime)
    signer = signer_of(runtime, envelope.domain) if signing else None
    tokens = runtime.tokens.as_they_are()
    return Mailer(runtime.question, envelope, tokens, runtime.templates, signer)


def letters(runtime: Runtime, *, signing: bool = True) -> Letters:
    """Return what makes the mails of the outbox, signed if the config names a DKIM key.

    Without *signing*, only to look at them.
    Raises: WordingIncomplete, KeysUnusable.
    """
    question_id, envelope = mailer(runtime).message_id, envelope_of(runtime)
    signer = signer_of(runtime, envelope.domain) if signing else None
    receivers = runtime.config.notices.to
    return Letters(runtime.question, envelope, runtime.templates, question_id, signer, receivers)


def envelope_of(runtime: Runtime) -> Envelope:
    relay = runtime.config.relay
    return Envelope(
        from_name=relay.from_.name,
        from_address=relay.from_.address,
        reply_to=relay.reply_to.address,
        public_url=runtime.config.web.public_url,
        campaign=runtime.keys.campaign,
        message_key=runtime.keys.message,
        bounce_domain=relay.envelope_domain,
        reads_mail=runtime.config.inbound.is_configured,
    )


def signer_of(runtime: Runtime, domain: str) -> Signer | None:
    """Return what signs the mails; None when the relay does. Raises: KeysUnusable."""
    key = runtime.config.dkim_key
    if key is None:
        return None
    from repermit.dispatch.dkim import Signer

    return Signer.load(key, domain=domain, selector=runtime.config.relay.dkim_selector)


def pages(runtime: Runtime) -> Pages:
    """Return what makes the pages. Raises: WordingIncomplete, KeysUnusable."""
    return Pages(runtime.question, runtime.templates, runtime.tokens)


def relay(runtime: Runtime) -> RelayAt:
    """Return where the relay is. Raises: SendRefused when it needs a password and has none."""
    at = runtime.config.relay
    password = runtime.relay_password()
    if at.user is not None and password is None:
        raise SendRefused(
            "the relay wants a password and none is given",
            hint="set REPERMIT_RELAY_PASSWORD in the environment or the credentials folder",
        )
    return RelayAt(host=at.host, port=at.port, tls=at.tls, user=at.user, password=password)


def rules(runtime: Runtime) -> Rules:
    """Return the operator's part of the policy."""
    config = runtime.config
    own = config.policy.rules(config.sensitive_prepared)
    return replace(own, sensitive=config.campaign.sensitive)


def policy_facts(runtime: Runtime) -> dict[str, Any]:
    """Return the policy as the log keeps it: table, who accepted it, overrides and reasons."""
    policy = runtime.config.policy
    return {
        "table": policy.table,
        "accepted_by": policy.accepted_by,
        "accepted_on": policy.accepted_on.isoformat() if policy.accepted_on else None,
        "recent_days": policy.recent_days,
        "reasons": dict(policy.reasons),
        "override": dict(policy.override),
        "sensitive": runtime.config.campaign.sensitive,
        "sensitive_prepared": runtime.config.sensitive_prepared,
    }


def approval_facts(runtime: Runtime, notice: str | None) -> dict[str, Any]:
    """Return what an approval is given for, part by part; a change in any of it voids it.
    *notice* is the content hash of the privacy notice."""
    config, made = runtime.config, mailer(runtime)
    mails = {each: made.skeleton(Variant(*each)).content for each in _variants(runtime)}
    return {
        "campaign": config.campaign.name,
        "offers_reason": config.campaign.offers_reason,
        "mail": _by_language(mails),
        **shown_facts(runtime),
        "controller": {name: getattr(config.controller, name) for name in _WHO_ASKS},
        "notice": notice,
        "policy": policy_facts(runtime),
        "answer_days": config.campaign.answer_days,
        "timezone": config.campaign.timezone,
        "sender": _hash(
            [
                *(config.relay.from_.name, config.relay.from_.address),
                *(config.relay.reply_to.name, config.relay.reply_to.address),
            ]
        ),
        "public_url": config.web.public_url,
        "release": __version__,
    }


def shown_facts(runtime: Runtime) -> dict[str, Any]:
    """Return the part of `approval_facts` that people read on the pages before they answer."""
    made = pages(runtime)
    views = {each: made.shown(View("question", *each)).content for each in _variants(runtime)}
    return {
        "page": _by_language(views),
        "purposes": [
            {"id": each.id, "text": dict(each.text), "frequency": dict(each.frequency)}
            for each in runtime.config.purposes
        ],
    }


def _variants(runtime: Runtime) -> list[tuple[str, Any, bool]]:
    """Return (language, relationship, whether the list is sensitive) of everybody who is asked."""
    return list(product(runtime.question.readings, sorted(CAN_BE_ASKED), (False, True)))


def digest(facts: dict[str, Any]) -> str:
    """Return the one hash over what an approval is given for."""
    return sha256(canonical(facts)).hexdigest()


def _by_language(texts: Mapping[tuple[str, Any, bool], str]) -> dict[str, str]:
    """Return one hash over the texts of each language."""
    return {
        language: _hash([text for variant, text in texts.items() if variant[0] == language])
        for language, _, _ in texts
    }


def _hash(texts: list[str]) -> str:
    return sha256("\0".join(texts).encode()).hexdigest()
