"""Mails that are signed here, and bounce to a domain of their own."""

from __future__ import annotations

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from repermit.dispatch.dkim import Signer
from repermit.domain.envelope import SignedNames
from repermit.ledger import keys
from tests.journeys.campaign import LISTED, Campaign
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey

FROM, BOUNCES = "tuinvrienden.example", "bounces.tuinvrienden.example"


def switched_on(campaign: Campaign, relay: Relay) -> None:
    """Let the campaign sign, and its mails bounce elsewhere; there is no key yet."""
    campaign.use(relay.port)
    campaign.edit('#dkim_key = ".*"', 'dkim_key = "dkim.pem"')
    campaign.edit('#dkim_selector = ".*"', 'dkim_selector = "s2026"')
    campaign.edit('#envelope_domain = ".*"', f'envelope_domain = "{BOUNCES}"')


def test_every_mail_verifies_and_bounces_to_an_address_that_tells_whose_it_was(
    approved: Campaign, relay: Relay
) -> None:
    switched_on(approved, relay)
    path, senders = approved.folder / "dkim.pem", list[str]()
    path.touch(mode=0o600)
    path.write_bytes(
        generate_private_key(65537, 2048).private_bytes(
            Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
        )
    )

    def noted(sender: str) -> str:
        senders.append(sender)
        return "250 2.1.0 fine"

    relay.to_sender = noted
    approved.run("send")

    record = Signer.load(path, domain=FROM, selector="s2026").record.encode()
    mails = [taken.content for taken in relay.taken]
    assert len(mails) == LISTED
    assert all(dkim.verify(mail, dnsfunc=lambda *_, **__: record) for mail in mails)
    names = SignedNames(keys.load(approved.folder / "keys").message, BOUNCES)
    whose = [names.at(sender) for sender in senders]
    assert None not in whose
    assert len(set(whose)) == LISTED


def test_without_its_key_nothing_leaves(approved: Campaign, relay: Relay) -> None:
    switched_on(approved, relay)

    refused = approved.run("send", "--json", expect=1).json

    assert refused["error"] == "the DKIM key dkim.pem cannot be read (No such file or directory)"
    assert approved.standings()["listed"] == LISTED
    assert relay.taken == []
