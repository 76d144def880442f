"""What the organisation is to a recipient, and the plain question that finds it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Relationship(StrEnum):
    """What the organisation is to a recipient."""

    SIGNED_UP_WITH_PROOF = "signed_up_with_proof"
    SIGNED_UP_NO_PROOF = "signed_up_no_proof"
    CUSTOMER = "customer"
    PAST_CUSTOMER = "past_customer"
    GAVE_ADDRESS_ONLY = "gave_address_only"
    COMPANY_MAILBOX = "company_mailbox"
    BOUGHT_OR_UNKNOWN = "bought_or_unknown"
    UNFINISHED_FORM = "unfinished_form"


# The plain question that finds each relationship, put to the officer.
QUESTIONS: Mapping[Relationship, str] = MappingProxyType(
    {
        Relationship.SIGNED_UP_WITH_PROOF: "Did they sign up, and do you still have the proof "
        "(date, where)?",
        Relationship.SIGNED_UP_NO_PROOF: "Did they sign up, but the proof is gone?",
        Relationship.CUSTOMER: "Did they buy from you and give the address then?",
        Relationship.PAST_CUSTOMER: "Were they customers, and until when?",
        Relationship.GAVE_ADDRESS_ONLY: "Did you get it for something else (quote, card)?",
        Relationship.COMPANY_MAILBOX: "Is it the shared mailbox of a company or association?",
        Relationship.BOUGHT_OR_UNKNOWN: "Bought, given, copied, or you do not know?",
        Relationship.UNFINISHED_FORM: "Did they leave a form before agreeing?",
    }
)
