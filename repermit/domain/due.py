"""Why a recipient is erased."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """Why a recipient may be erased; each is counted apart."""

    SILENT = "silent"  # asked, and said nothing by the date in their mail
    DOUBTFUL = "doubtful"  # may have been asked, and said nothing by that date
    OPTED_OUT = "opted_out"  # said no, and the date has passed
    WITHDRAWN = "withdrawn"  # said yes once, then no, so long ago that the proof is not needed
    UNDELIVERABLE = "undeliverable"  # could not be reached, and the date has passed
    WITHHELD = "withheld"  # the policy forbids asking; only when the campaign is closed
    NEVER_SENT = "never_sent"  # no mail has left; only when the campaign is closed
    CONTRACT_ENDED = "contract_ended"  # is left, and the contract of the client has ended


BY_DATE: Final = (
    Reason.SILENT,
    Reason.DOUBTFUL,
    Reason.OPTED_OUT,
    Reason.WITHDRAWN,
    Reason.UNDELIVERABLE,
)
BY_CLOSE: Final = (Reason.WITHHELD, Reason.NEVER_SENT)
BY_CONTRACT: Final = (Reason.CONTRACT_ENDED,)  # everybody who is left
