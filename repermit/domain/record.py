"""The record of one consent, as its giver and a third party can read it.

The structure is that of ISO/IEC TS 27560:2023 (header, processing, parties, events), in the terms
of the W3C Data Privacy Vocabulary as its guide to that standard maps them; the log that proves it
is our own addition. `consent-record.schema.json` beside this file says what holds of every record.
It names no address, only the masked one.

Source: ISO/IEC TS 27560:2023 (by the DPV guide of 2024-08-01); GDPR art. 7(1) and 13.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID, uuid5

from repermit.domain.clock import iso
from repermit.domain.policy import EEA
from repermit.domain.purpose import Purpose
from repermit.domain.question import Question

SCHEMA: Final = Path(__file__).with_name("consent-record.schema.json")
VERSION: Final = "1"  # of that schema
_PROFILE = "https://w3id.org/dpv/schema/dpv-27560#record"
_CONTEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "dpv": "https://w3id.org/dpv#",
        "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
        "loc": "https://w3id.org/dpv/loc#",
        "pd": "https://w3id.org/dpv/pd#",
        "dct": "http://purl.org/dc/terms/",
        "schema": "https://schema.org/",
        "repermit": "urn:repermit:",
    }
)
_CONSENT = "eu-gdpr:A6-1-a"
_RIGHTS = ("A7-3", "A15", "A16", "A17", "A18", "A20", "A77")


@dataclass(frozen=True)
class Consent:
    """One yes that stands, with what was shown and where the log proves it."""

    campaign: str  # the UUID of the campaign
    recipient_id: int
    masked: str
    country: str | None
    purposes: tuple[str, ...]
    language: str  # of the page: "nl", or several below each other: "nl+fr+de"
    asked_at: datetime | None
    answered_at: datetime
    button: str  # the words on it, verbatim
    way: str
    mail: str | None  # content hash of the mail
    page: str | None  # content hash of the page
    notice: str | None  # content hash of the text of the privacy notice
    release: str
    leaf: int
    leaf_hash: str
    log_size: int
    log_root: str
    approved: Mapping[str, Any] | None = None  # the facts of the approval that was in force

    @property
    def number(self) -> str:
        """Return the UUID of the record, the same whenever it is made."""
        return str(uuid5(UUID(self.campaign), f"consent:{self.leaf}"))


def record(consent: Consent, question: Question, *, public_url: str) -> dict[str, Any]:
    """Return the record of *consent* as JSON-LD; *public_url* is where the answer pages are.

    Who asked and for what is as it was approved before the yes, whatever *question* says today.
    The person's own link is not in it: that is a key, and a record is handed on as proof.
    """
    question = as_approved(consent, question)
    return {
        **_header(consent),
        **_processing(consent, question, public_url),
        **_parties(consent, question),
        "dpv:hasConsentStatus": _events(consent),
        "repermit:proof": {
            "repermit:leaf": consent.leaf,
            "repermit:leafHash": consent.leaf_hash,
            "repermit:logSize": consent.log_size,
            "repermit:logRoot": consent.log_root,
            "repermit:release": consent.release,
        },
    }


def as_approved(consent: Consent, question: Question) -> Question:
    """Return *question* with the controller and the purposes of the approval that was in force
    at that yes; as it is where there was none."""
    facts = consent.approved
    if facts is None or "controller" not in facts:
        return question
    said = facts["controller"]
    controller = replace(
        question.controller,
        name=said["name"],
        postal_address=said["postal_address"],
        registration=said["registration"],
        email=said["email"],
        privacy_url=said["privacy_url"] or f"{facts['public_url']}/privacy",
        authority=said["authority"],
    )
    purposes = tuple(Purpose(**each) for each in facts["purposes"])
    return replace(question, controller=controller, purposes=purposes)


def _header(consent: Consent) -> dict[str, Any]:
    return {
        "@context": dict(_CONTEXT),
        "@id": f"urn:uuid:{consent.number}",
        "@type": "dpv:ConsentRecord",
        "dct:identifier": consent.number,
        "dct:conformsTo": _PROFILE,
        "dct:hasVersion": VERSION,
        "dct:created": iso(consent.answered_at),
        "dct:language": consent.language.split("+"),
    }


def _processing(consent: Consent, question: Question, public_url: str) -> dict[str, Any]:
    languages = consent.language.split("+")
    law = {"dpv:hasApplicableLaw": "eu-gdpr:GDPR"} if consent.country in EEA else {}
    return {
        "dpv:hasNotice": _notices(consent, question),
        "dpv:hasLegalBasis": _CONSENT,
        "dpv:hasProcess": [
            {
                "@type": "dpv:Process",
                "dct:identifier": purpose.id,
                "dpv:hasPurpose": {
                    "@type": "dpv:DirectMarketing",
                    "dct:description": _said(purpose.text, languages),
                },
                "dpv:hasFrequency": _said(purpose.frequency, languages),
                "dpv:hasPersonalData": "pd:EmailAddress",
                "dpv:hasProcessing": "dpv:Use",
                "schema:availableChannel": "e-mail",
                "dpv:hasLegalBasis": _CONSENT,
            }
            for purpose in question.purposes
            if purpose.id in consent.purposes
        ],
        "dpv:hasStorageCondition": [
            {"@type": "dpv:StorageDuration", "dpv:hasDuration": "until the consent is withdrawn"},
            {
                "@type": "dpv:StorageLocation",
                "dpv:hasLocation": [question.controller.postal_address, *question.processors],
            },
        ],
        "dpv:hasJurisdiction": [f"loc:{consent.country}"] if consent.country else [],
        **law,
        "dpv:hasConsentControl": {
            "@type": "dpv:WithdrawConsent",
            "schema:url": public_url,
            "dct:description": "one press on the page there to which the person's own link leads,"
            " or on unsubscribe in any mail",
        },
        "dpv:hasRight": [f"eu-gdpr:{article}" for article in _RIGHTS],
    }


def _said(texts: Mapping[str, str], languages: Sequence[str]) -> list[dict[str, str]]:
    """Return *texts* in those of *languages* that they have, in any where they have none."""
    found = [one for one in languages if one in texts] or list(texts)
    return [{"@language": one, "@value": texts[one]} for one in found]


def _notices(consent: Consent, question: Question) -> list[dict[str, Any]]:
    """Return what was shown: by content hash, the mail and the page, and the privacy notice."""
    shown = (("mail", consent.mail), ("page", consent.page))
    kept = {"dct:identifier": f"sha256:{consent.notice}"} if consent.notice else {}
    return [
        *(
            {
                "@type": "dpv:ConsentNotice",
                "dct:type": kind,
                "dct:identifier": f"sha256:{hashed}",
                "dct:language": consent.language.split("+"),
            }
            for kind, hashed in shown
            if hashed
        ),
        {"@type": "dpv:PrivacyNotice", "schema:url": question.controller.privacy_url, **kept},
    ]


def _parties(consent: Consent, question: Question) -> dict[str, Any]:
    said = question.controller
    return {
        "dpv:hasDataSubject": {
            "@type": "dpv:DataSubject",
            "dct:identifier": f"{consent.campaign}/{consent.recipient_id}",
            "schema:email": consent.masked,
        },
        "dpv:hasDataController": {
            "@type": "dpv:DataController",
            "dpv:hasName": said.name,
            "dpv:hasAddress": said.postal_address,
            "dpv:hasContact": said.email,
            "dct:identifier": said.registration,
        },
        "dpv:hasDataProcessor": [
            {"@type": "dpv:DataProcessor", "dpv:hasName": name} for name in question.processors
        ],
        "dpv:hasRecipient": [said.name, *question.processors],
        "dpv:hasAuthority": {
            "@type": "dpv:DataProtectionAuthority",
            "dpv:hasName": said.authority,
        },
    }


def _events(consent: Consent) -> list[dict[str, Any]]:
    """Return what happened, in its order: who asked, and who said yes by which act."""
    asked = {
        "@type": "dpv:ConsentRequested",
        "dpv:isIndicatedBy": "dpv:DataController",
        "dpv:isIndicatedAtTime": iso(consent.asked_at),
        "dpv:hasIndicationMethod": "e-mail",
    }
    given = {
        "@type": "dpv:ConsentGiven",
        "dpv:isIndicatedBy": "dpv:DataSubject",
        "dpv:isIndicatedAtTime": iso(consent.answered_at),
        "dpv:hasIndicationMethod": consent.way,
        "schema:text": consent.button,
        "dpv:hasDuration": "until the consent is withdrawn",
    }
    return [asked, given] if consent.asked_at else [given]
