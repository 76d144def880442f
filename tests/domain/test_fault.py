"""What is wrong: each thing is named by itself, with a cure that can be typed."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace

import pytest

from repermit.domain.fault import faults
from repermit.domain.situation import Approval, Situation
from tests.builders import NOW
from tests.domain.test_step import ASKED
from tests.typed import require_typable

WRONG: list[tuple[Situation, str, str, str]] = [
    (replace(ASKED, is_paused=True), "paused", "is paused", "resume"),
    (
        replace(ASKED, why_stopped="many bounces", look_at="look at the list"),
        *("stopped by itself", "many bounces", "look at the list; then `repermit send --continue`"),
    ),
    (
        replace(ASKED, approval=Approval.VOID, why_void="12 added"),
        *("approval void", "12 added", "repermit preview"),
    ),
    (replace(ASKED, is_page_up=False), "page not seen", "nobody is seen to serve", "serve"),
    (
        replace(ASKED, is_page_up=False, why_page="the connection is refused"),
        *("page not seen", "did not work: the connection is refused", "repermit probe"),
    ),
    (replace(ASKED, is_purge_cut_off=True), "purge cut off", "a purge was", "repermit purge"),
    (replace(ASKED, is_importing=True), "import cut off", "an import was", "the same one again"),
    (replace(ASKED, doubtful=1), "1 doubtful", "1 mail may or may not", "repermit doubt list"),
    (replace(ASKED, doubtful=1200), "1,200 doubtful", "1,200 mails may", "repermit doubt list"),
    (replace(ASKED, is_unread=True), "bounces not read", "not read for a day", "repermit inbound"),
    (replace(ASKED, replies=1), "1 to read", "1 reply waits for", "repermit inbound review"),
    (replace(ASKED, replies=2), "2 to read", "2 replies wait for", "repermit inbound review"),
    (replace(ASKED, bad_trial="ask them"), "bounces unproven", "went wrong", "ask them"),
]


@pytest.mark.parametrize(("now", "short", "what", "do"), WRONG)
def test_each_thing_that_is_wrong_comes_with_what_to_do(
    now: Situation, short: str, what: str, do: str
) -> None:
    (found,) = faults(now)

    assert found.short == short
    assert what in found.what
    assert do in found.do


@pytest.mark.parametrize("now", [Situation(NOW), ASKED, replace(ASKED, open=0, is_page_up=False)])
def test_where_nothing_is_wrong_nothing_is_said(now: Situation) -> None:
    assert faults(now) == []


@pytest.mark.parametrize("now", [each[0] for each in WRONG])
def test_every_cure_can_be_typed(now: Situation) -> None:
    (found,) = faults(now)

    for line in re.findall("`([^`]*)`", found.do):
        require_typable(shlex.split(line))
