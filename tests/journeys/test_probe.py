"""Whether a recipient can answer: by itself, before the first mail, and in the plan."""

from __future__ import annotations

import pytest

from tests.journeys.campaign import LISTED, Campaign, row, write_list
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey
_APPROVE = ("approve", "--by", "An Peeters", "--informed", "Jan Claes")


def test_a_probe_tells_that_a_recipient_can_answer_and_touches_nobody(asked: Campaign) -> None:
    before = asked.status()
    with asked.serving():
        said = asked.run("probe")
        told = asked.here("probe", "--json").json
        plan = asked.here("send", "--plan")

    where = f"http://127.0.0.1:{asked.web_port}"
    assert said.out.startswith(f"the answer page works at {where}, on this machine only: ")
    assert said.out.endswith(" ms\n")
    assert said.err == ""
    assert (told["answers"], told["code"], told["warning"]) == (True, None, None)
    assert "the answer page answers" in plan.out
    assert asked.status() == before
    asked.here("proof", "verify")


def test_where_people_could_answer_before_no_mail_leaves_while_they_cannot(
    approved: Campaign, relay: Relay
) -> None:
    """A trial without a server is over once a probe has found one."""
    approved.use(relay.port)
    with approved.serving():
        said = approved.here("send", "--limit", "1").err
    assert "works on this machine only" in said
    assert "nobody could answer" not in said

    refused = approved.run("send", expect=1)
    assert "nobody could answer the mails" in refused.err
    assert "the connection is refused" in refused.err
    assert "start `repermit serve`" in refused.err
    assert len(relay.taken) == 1
    with approved.serving():
        approved.here("send")
    assert len(set(relay.mailboxes)) == len(relay.taken) == LISTED


def test_where_recipients_cannot_reach_the_pages_no_mail_leaves(
    begun: Campaign, relay: Relay
) -> None:
    """Unlike on this machine alone, where that is a trial."""
    begun.use(relay.port)
    begun.edit('public_url = ".*"', 'public_url = "https://answer.nowhere.invalid"')
    begun.here("import", write_list(begun.outside / "list.csv", [row(1)]))
    begun.here("suppress", "--none", "nobody ever did")
    begun.here(*_APPROVE)

    told = begun.run("send", "--json", expect=1).json

    assert "its name does not resolve" in told["error"]
    assert "web.public_url" in told["hint"]
    assert relay.taken == []


def test_a_trial_says_that_nobody_could_answer(approved: Campaign, relay: Relay) -> None:
    approved.use(relay.port)

    said = approved.run("send")

    assert "A trial: nobody could answer" in said.err
    assert len(relay.taken) == LISTED
