"""What comes next: each situation of a campaign's life has exactly one step, which can be typed."""

from __future__ import annotations

import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.situation import Approval, Situation
from repermit.domain.step import Step, next_step
from tests.builders import NOW
from tests.typed import require_typable

LATER = NOW + timedelta(days=3)
LISTED = Situation(NOW, admitted=9, knows_opt_outs=True, listed=9)
READY = replace(
    LISTED,
    is_tried=True,
    is_previewed=True,
    is_page_up=True,
    has_inbound=True,
    approval=Approval.GIVEN,
)
ASKING = replace(READY, has_asked=True, open=4, first_due=LATER)
ASKED = replace(ASKING, listed=0, open=9)
OVER = replace(ASKED, open=0, first_due=None, due=5, yes=4)
ENDING = replace(OVER, due=0, is_exported=True)
CLOSED = replace(ENDING, is_closed=True)

LIFE: list[tuple[str, Situation, str]] = [
    ("nothing here", Situation(NOW, has_config=False), "repermit init"),
    ("a config and no list", Situation(NOW), "repermit import LIST"),
    ("no word of opt-outs", replace(LISTED, knows_opt_outs=False), "repermit suppress LIST"),
    ("all withheld", replace(LISTED, listed=0, withheld=9), "repermit screen"),
    ("unfinished config", replace(LISTED, unfinished_config="do this"), "repermit check"),
    ("not tried", LISTED, "repermit check"),
    ("not looked at", replace(LISTED, is_tried=True), "repermit preview"),
    (
        "not approved",
        replace(LISTED, is_tried=True, is_previewed=True),
        "repermit approve --by NAME --informed NAME",
    ),
    (
        "approval void",
        replace(ASKING, approval=Approval.VOID, why_void="12 added"),
        "repermit approve --by NAME --informed NAME",
    ),
    ("nobody serves", replace(READY, is_page_up=False), "repermit serve"),
    ("ready", READY, "repermit send"),
    ("paused", replace(ASKING, is_paused=True), "repermit resume"),
    ("paused while people answer", replace(ASKED, is_paused=True), "repermit resume"),
    ("stopped", replace(ASKING, why_stopped="many bounces"), "repermit send --continue"),
    ("nobody can answer", replace(ASKED, is_page_up=False), "repermit serve"),
    ("more may leave", ASKING, "repermit send"),
    ("only tries are left", replace(ASKING, listed=0, deferred=1), "repermit send"),
    ("the date of the next has come", replace(ASKING, next_mail=NOW), "repermit send"),
    ("the next wave is later", replace(ASKING, next_mail=LATER), "repermit send"),
    ("a sender works", replace(ASKING, is_sending=True), "repermit status"),
    ("a sender ends", replace(ASKED, is_sending=True, in_hand=1), "repermit status"),
    ("a sender has nothing in hand", replace(ASKED, is_sending=True), "repermit purge --dry-run"),
    ("a sender was lost", replace(ASKED, in_hand=1), "repermit doubt list"),
    ("doubtful", replace(ASKED, doubtful=2), "repermit doubt list"),
    ("doubtful between waves", replace(ASKING, next_mail=LATER, doubtful=2), "repermit doubt list"),
    ("replies", replace(ASKED, replies=1), "repermit inbound review"),
    ("bounces unread", replace(ASKED, is_unread=True), "repermit inbound"),
    ("owed", replace(ENDING, owed=1), "repermit send --limit 0"),
    ("people can answer", ASKED, "repermit purge --dry-run"),
    ("due", OVER, "repermit purge --dry-run"),
    ("due, and elsewhere", replace(OVER, must_hand_over=True), "repermit handover DIR"),
    ("purge cut off", replace(OVER, is_purge_cut_off=True), "repermit purge"),
    ("import cut off", replace(LISTED, is_importing=True), "repermit import LIST"),
    ("a yes to take out", replace(ENDING, is_exported=False), "repermit export --out opted-in.csv"),
    ("not handed over", replace(ENDING, why_hand_over="nobody yet"), "repermit handover DIR"),
    (
        "a place is not clean",
        replace(ENDING, undone_place="the shop"),
        "repermit handover --done 'the shop' --by NAME",
    ),
    ("the end", ENDING, "repermit close --by NAME"),
    ("the end, some withheld", replace(ENDING, withheld=2), "repermit close --by NAME"),
    ("closed", CLOSED, "repermit proof verify"),
    ("closed, nobody said yes", replace(CLOSED, yes=0), "repermit proof verify"),
    ("closed, somebody due", replace(CLOSED, due=1), "repermit purge --dry-run"),
    ("closed, something owed", replace(CLOSED, owed=2), "repermit send --limit 0"),
    (
        "closed, a place is not clean",
        replace(CLOSED, undone_place="the shop"),
        "repermit handover --done 'the shop' --by NAME",
    ),
    (
        "closed, everybody erased",
        replace(CLOSED, yes=0, may_certify=True),
        "repermit papers certificate --out certificate.html",
    ),
    ("closed while paused", replace(CLOSED, owed=2, is_paused=True), "repermit resume"),
]


@pytest.mark.parametrize(
    ("now", "command"), [each[1:] for each in LIFE], ids=[each[0] for each in LIFE]
)
def test_each_situation_has_its_command(now: Situation, command: str) -> None:
    step = next_step(now)

    assert step.command == command
    assert step.why
    assert step.stands


def test_a_wait_names_the_date_until_which_it_is_waited() -> None:
    waves, answers = next_step(replace(ASKING, next_mail=LATER)), next_step(ASKED)

    assert (waves.after, answers.after) == (LATER, LATER)
    assert "repermit inbound" in waves.meanwhile
    assert "repermit status" in answers.meanwhile


def test_what_can_be_done_now_has_no_date() -> None:
    assert next_step(replace(ASKING, next_mail=NOW)).after is None
    assert next_step(OVER).after is None


def test_what_people_wrote_is_read_before_they_are_erased() -> None:
    step = next_step(replace(OVER, replies=1))
    assert (step.command, step.stands) == ("repermit inbound review", "time is over")


def test_the_purge_asks_for_the_number_itself() -> None:
    """Its guard may put some of them off."""
    assert next_step(OVER).then == "repermit purge"


def test_where_nothing_comes_in_nobody_is_told_to_read_it() -> None:
    for now in (ASKED, replace(ASKING, next_mail=LATER)):
        step = next_step(replace(now, has_inbound=False))
        assert step.meanwhile == ("repermit serve", "repermit status")


def test_a_withdrawal_is_spoken_of_only_where_somebody_said_yes() -> None:
    assert "may withdraw" in next_step(CLOSED).why
    for now in (replace(CLOSED, yes=0), replace(CLOSED, yes=0, may_certify=True)):
        step = next_step(now)
        assert step.why == "the campaign is closed: nothing is left to do but to keep the papers"
        assert step.meanwhile == ()


def test_what_a_person_must_do_before_stands_there() -> None:
    stopped = next_step(replace(ASKING, why_stopped="many bounces", look_at="look at the list"))

    assert stopped.first == "look at the list"
    assert "many bounces" in stopped.why
    assert next_step(Situation(NOW, unfinished_config="do this")).first == "do this"


def test_a_pause_is_not_said_to_keep_a_person_from_erasing() -> None:
    """It holds the purge of the schedule; `purge` that somebody types goes on."""
    assert "nobody is erased by schedule" in next_step(replace(ASKED, is_paused=True)).why


def test_one_person_is_one_person() -> None:
    assert "1 person " in next_step(replace(ASKED, open=1)).why
    assert "1 mail " in next_step(replace(ENDING, owed=1)).why


counts = st.integers(0, 2)
texts = st.sampled_from(["", "a reason", 'with "quotes" in it'])
moments = st.none() | st.sampled_from([NOW - timedelta(days=1), NOW, LATER])
_BY_TYPE = {"bool": st.booleans(), "int": counts, "str": texts, "datetime | None": moments}


def situations() -> st.SearchStrategy[Situation]:
    """Return any situation, also what cannot be."""
    drawn: dict[str, Any] = {
        name: _BY_TYPE[kind] for name, kind in Situation.__annotations__.items() if kind in _BY_TYPE
    }
    return st.builds(Situation, now=st.just(NOW), approval=st.sampled_from(Approval), **drawn)


@given(situations())
def test_every_situation_has_one_step_that_can_be_typed(now: Situation) -> None:
    step = next_step(now)

    assert isinstance(step, Step)
    for line in filter(None, (step.command, step.then, *step.meanwhile)):
        require_typable(shlex.split(line))
