"""Whether a recipient can answer: by itself, before the first mail, and in the plan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repermit.domain.token import MONITOR, Scope, Tokens
from tests.cli.refusals import assert_explained
from tests.journeys.campaign import LISTED, Campaign, Result, row, wait_until, write_list
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey
MONITORS = Tokens([b"x" * 32]).issue(Scope.ANSWER, MONITOR)
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
    assert told["vantage"] == "here"
    assert "the answer page answers" in plan.out
    assert asked.status() == before
    asked.here("proof", "verify")


def test_a_machine_with_nothing_but_the_link_can_probe(
    asked: Campaign, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither config, nor keys, nor ledger; what it found, and from where, is on record."""
    link = asked.run("probe", "--link").out.strip()
    assert asked.here("probe", "--link", "--json").json == {"link": link}
    bare = tmp_path / "bare"
    bare.mkdir()
    monkeypatch.chdir(bare)
    with asked.serving():
        said = elsewhere("probe", link)
        told = elsewhere("probe", link, "--json").json
        seen = asked.here("status", "--json").json["page"]
        line = asked.here("status").out

    assert said.code == 0, said
    assert said.out.startswith(f"the answer page works at http://127.0.0.1:{asked.web_port}, on th")
    assert list(told) == [
        *("url", "vantage", "answers", "code", "milliseconds", "certificate_ends", "warning")
    ]
    assert (told["vantage"], told["answers"], told["warning"]) == ("elsewhere", True, None)
    assert seen["vantage"] in ("elsewhere", "server")
    assert "\nanswer page: last seen to work at 20" in line
    assert list(bare.iterdir()) == []

    asked.here("probe", expect=1)
    line = asked.here("status").out
    assert "seen from this machine: the connection is refused; last seen to work at 20" in line
    refused = elsewhere("probe", link)
    assert_explained(refused, why=", seen from elsewhere: the connection is refused")
    token = link.rpartition("/")[2]
    assert token not in refused.err
    failed = elsewhere("probe", link, "--json").json
    assert (failed["vantage"], failed["answers"], failed["code"]) == ("elsewhere", False, "refused")
    assert token not in str(failed)


def elsewhere(*words: str) -> Result:
    """Run a command where there is no campaign."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-m", "repermit", *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=environment,
    )
    return Result(words, done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize(
    ("words", "why", "what"),
    [
        (("https://answer.example.org",), "no such config file", "`repermit probe --link`"),
        (("https://answer.example.org/yes/AQ." + "x" * 43,), "not the one for a monitor", ""),
        (("https://answer.example.org/yes/AQ." + "x" * 43 + "/record",), "not the one for a", ""),
        (("https://answer.example.org/u/AQ." + "x" * 43 + "/?a=b#c",), "not the one for a", ""),
        (("https://answer.example.org/u/" + MONITORS,), "not the one for a monitor", ""),
        (("http://answer.example.org/yes/" + MONITORS,), "the URL is not https", ""),
        (("--link", "https://answer.example.org"), "--link takes no URL", ""),
    ],
)
def test_a_probe_without_a_campaign_and_without_the_right_link_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], why: str, what: str
) -> None:
    """Above all with the link of a person: the probe would press Yes for them."""
    monkeypatch.chdir(tmp_path)
    refused = elsewhere("probe", *words)

    assert_explained(refused, why=why, code=2)
    assert what in refused.err
    assert MONITORS not in refused.err
    assert "AQ." not in refused.err


def test_a_server_looks_at_itself(asked: Campaign) -> None:
    """Over the address in the mails; it goes on record, and ends no later for it."""
    with asked.serving():
        wait_until(lambda: asked.here("status", "--json").json["page"]["vantage"] == "server")

    assert "by the server itself" in asked.here("status").out
    asked.here("proof", "verify")


def test_a_server_that_nobody_reaches_says_so_and_serves_on(asked: Campaign) -> None:
    asked.edit('public_url = ".*"', 'public_url = "https://answer.nowhere.invalid"')
    with asked.serving() as server:
        wait_until(lambda: "its name does not resolve" in server.err.read_text())

    assert "seen by the server itself" in server.err.read_text()
    page = asked.here("status", "--json").json["page"]
    assert (page["seen"], page["vantage"], page["why"]) == (None, None, "its name does not resolve")
    assert f"answer page: did not work at {page['failed']}, seen by" in asked.here("status").out


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
    begun.edit("privacy_url = .*", 'privacy_file = "privacy.txt"')
    (begun.folder / "privacy.txt").write_text("Wij bewaren uw adres.", "utf-8")
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
