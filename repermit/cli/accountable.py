"""What `check` says of what the organisation has to answer for: who else handles the addresses, why
people may be asked, and a sensitive list."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from repermit.cli.finding import Said, State, together
from repermit.cli.session import counted

if TYPE_CHECKING:
    from repermit.config import Config
    from repermit.ledger.engine import Ledger
    from repermit.runtime import Runtime

_FEWEST_WORDS = 6
# Of GDPR art. 45 to 47 and 49: what lets addresses leave the EEA.
_GROUNDS = re.compile(
    r"adequa|adéqua|angemessen|adequaat|contract\w* clause|clauses? contract|\bscc\b|\bdpf\b"
    r"|data privacy framework|modelcontract|standaardcontract|standardvertrag|\bbcr\b|binding",
    re.IGNORECASE,
)


async def processors(runtime: Runtime) -> Said:
    """Return whether it is said who else handles the addresses, where, and under which agreement.

    Source: GDPR art. 28 (agreement), 30(1)(d) (the record names them), 44 to 46 (outside the EEA).
    """
    config = runtime.config
    named = counted(len(config.processors), "processor")
    found = list(_of_processors(config))
    if config.campaign.sensitive:  # a sensitive list is not asked on a maybe
        found = [(State.FAIL, says, do) for _, says, do in found]
    return together(found, otherwise=(State.OK, f"{named} with country and agreement", ""))


def _of_processors(config: Config) -> Iterator[Said]:
    from repermit.cli.declared import names_relay
    from repermit.domain.policy import EEA

    if not config.processors:
        says = "none is named: not who sends the mails, nor who hosts this"
        yield State.WARN, says, "name each under [[processors]]: the relay, the hosting"
    elif not names_relay(config):
        do = "name it under [[processors]], with the word relay in its role"
        yield State.WARN, "who sends the mails is not named", do
    for each in config.processors:
        if not each.agreement:
            do = "write where it is kept: agreement, under [[processors]] (GDPR art. 28)"
            yield State.WARN, f"no agreement with {each.name}", do
        elif each.country not in EEA and not _GROUNDS.search(each.agreement):
            says = f"{each.name} is outside the EEA ({each.country}), on no ground that is named"
            do = 'say on which, beside its agreement: "adequacy decision", "SCC" (GDPR art. 45, 46)'
            yield State.WARN, says, do


async def reasons(runtime: Runtime, ledger: Ledger) -> Said:
    """Return whether each relationship that somebody has is asked for a reason of one's own.

    Source: GDPR art. 5(2) and 6(1)(f): the interests are weighed, and that can be shown.
    """
    from repermit.ledger.store import campaign

    cells = await ledger.read(campaign.cells)
    asked = {cell.partition(".")[2] for cell, standing, _, _ in cells if standing == "listed"}
    found = [*_of_reasons(runtime, asked), *_left_out(cells)]
    written = counted(len(runtime.config.policy.reasons), "reason")
    return together(found, otherwise=(State.OK, f"{written} written", ""))


def _of_reasons(runtime: Runtime, asked: set[str]) -> Iterator[Said]:
    from repermit.runtime import example_config

    examples = tomllib.loads(example_config())["policy"]["reasons"].values()
    is_trial = runtime.config.relay.is_on_this_machine
    for name, why in runtime.config.policy.reasons.items():
        key = f"policy.reasons.{name}"
        if why in examples:
            state = State.WARN if is_trial else State.FAIL
            yield state, f"{key} is that of the example", f"write your own in {key}"
        elif (name in asked or name == "old_contacts") and len(why.split()) < _FEWEST_WORDS:
            do = f"say in {key} why you need them, and why they would expect it"
            yield State.WARN, f"{key} says little ({json.dumps(why, ensure_ascii=False)})", do


def _left_out(cells: list[tuple[str, str, str, int]]) -> Iterator[Said]:
    from repermit.domain.policy import CURES, Reason

    for reason in (Reason.REASON_MISSING, Reason.OLD_CONTACT_NOT_EXPLAINED):
        if count := sum(number for _, _, why, number in cells if why == reason):
            says = f"{counted(count, 'recipient')} withheld for want of a reason"
            yield State.WARN, says, CURES[reason]


async def sensitive(runtime: Runtime, ledger: Ledger) -> Said:
    """Return whether a sensitive list is prepared for: a DPO, a DPIA, a relay in the EEA.

    Source: GDPR art. 9, 35 and 37.
    """
    from repermit.domain.policy import Reason
    from repermit.ledger.store import campaign

    config, cells = runtime.config, await ledger.read(campaign.cells)
    waiting = sum(count for _, _, why, count in cells if why == Reason.SENSITIVE_UNPREPARED)
    is_meant = bool(waiting or config.campaign.sensitive)
    if not is_meant:
        return State.OK, "nobody is on one", ""
    if config.sensitive_prepared:
        return State.OK, "a DPO, a DPIA and a relay in the EEA are named", ""
    do = (
        "name controller.dpo, controller.dpia, and under [[processors]] a relay in the EEA with its"
        " agreement; then `repermit screen`"
    )
    return State.FAIL, f"{counted(waiting, 'recipient')} withheld: the list is sensitive", do
