"""One thing that must hold before the first mail, and whether it does."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Whether something holds."""

    OK = "ok"
    WARN = "warn"  # it may hold: nobody can know from here, or a person has to decide
    FAIL = "fail"


class Group(StrEnum):
    """What a thing belongs to, in the order in which it is told."""

    CAMPAIGN = "campaign"
    PLACES = "keys and disk"
    WORDS = "words"
    DOMAIN = "sender's domain"
    RELAY = "relay"
    PAGES = "pages"
    PEOPLE = "people"
    RETURNS = "what comes back"


_GROUPS = {
    Group.CAMPAIGN: ("config", "processors", "sensitive", "database", "ledger", "machine"),
    Group.PLACES: ("keys", "disk"),
    Group.WORDS: ("words", "offers", "notice"),
    Group.DOMAIN: ("spf", "dkim", "dmarc", "alignment", "mx"),
    Group.RELAY: ("relay", "offer"),
    Group.PAGES: ("page", "certificate", "links", "clock"),
    Group.PEOPLE: ("people", "reasons", "approval"),
    Group.RETURNS: ("mailbox", "bounces"),
}
_GROUP_OF = {code: group for group, codes in _GROUPS.items() for code in codes}
_WORST = (State.FAIL, State.WARN, State.OK)

Said = tuple[State, str, str]  # whether it holds, what was found, and what to do
OK: Said = (State.OK, "", "")


@dataclass(frozen=True)
class Finding:
    """Whether something holds: its code and name, what was found, and what to do about it."""

    code: str
    name: str
    state: State
    says: str = ""
    do: str = ""

    @property
    def group(self) -> Group:
        """Return what it belongs to."""
        return _GROUP_OF[self.code]


def together(said: Iterable[Said], *, otherwise: Said = OK) -> Said:
    """Return several remarks on one thing as one: the worst of their states, and what is said of
    each that is in it or near it; *otherwise* when there is none."""
    kept = [each for each in said if each[0] is not State.OK]
    if not kept:
        return otherwise
    kept.sort(key=lambda each: _WORST.index(each[0]))
    says, do = ("; ".join(dict.fromkeys(each[at] for each in kept if each[at])) for at in (1, 2))
    return kept[0][0], says, do
