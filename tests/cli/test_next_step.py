"""`repermit` without a command, along the whole life of a campaign."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from repermit.cli.look import is_previewed
from repermit.domain.clock import SystemClock
from tests.cli.test_help import program
from tests.journeys.campaign import ACCEPTED, Campaign, Later
from tests.journeys.relay import Relay, free_port

_OVER = Later(timedelta(days=40))


def next_of(campaign: Campaign, later: Later | None = None) -> dict[str, Any]:
    """Return the step that comes next, as `--json` tells it."""
    found: dict[str, Any] = campaign.at(later or SystemClock(), "--json").json["next"]
    return found


def see_the_page(campaign: Campaign) -> None:
    """Note that the answer page works, as `serve` does."""
    campaign.change_ledger(
        "INSERT INTO probe (since, until, probes, vantage, code)"
        " SELECT x, x, 1, 'server', '' FROM"
        " (SELECT (1 + CAST(strftime('%s', 'now') AS INTEGER)) * 1000000 AS x)"
    )


def content_of(folder: Path) -> dict[str, str]:
    """Return every file in *folder* with the hash of what is in it."""
    return {
        str(path.relative_to(folder)): sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_where_nothing_is_it_names_init(tmp_path: Path) -> None:
    """In a process of its own; the help stays one option away."""
    ended = program("-m", "repermit", folder=tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "Next: `repermit init`" in ended.stdout
    assert "`repermit demo`" in ended.stdout
    assert "`repermit --help`" in ended.stdout
    assert list(tmp_path.iterdir()) == []


def test_where_nothing_is_json_is_one_object(tmp_path: Path) -> None:
    ended = program("-m", "repermit", "--json", folder=tmp_path)

    assert json.loads(ended.stdout)["next"]["command"] == "repermit init"


def test_a_config_that_was_named_must_be_there(tmp_path: Path) -> None:
    ended = program("-m", "repermit", "--config", "other.toml", folder=tmp_path)

    assert ended.returncode == 2
    assert "what to do: " in ended.stderr


def test_the_first_evening(tmp_path: Path) -> None:
    """From the config that `init` leaves on: whose name is missing in it is asked first."""
    assert program("-m", "repermit", "init", "--yes", ".", folder=tmp_path).returncode == 0

    ended = program("-m", "repermit", folder=tmp_path)

    assert ended.returncode == 0, ended
    assert "Next: `repermit import LIST`" in ended.stdout
    assert "policy.accepted_by" in ended.stdout


def test_an_approved_campaign_is_served_first_and_then_sent(
    approved: Campaign, relay: Relay
) -> None:
    approved.use(relay.port)
    assert next_of(approved)["command"] == "repermit serve"

    see_the_page(approved)
    step = next_of(approved)

    assert step["command"] == "repermit send"
    assert "repermit send --plan" in step["first"]


def test_a_pause_is_ended_first(approved: Campaign) -> None:
    approved.here("pause")

    assert next_of(approved)["command"] == "repermit resume"


def test_changed_words_void_the_approval(approved: Campaign) -> None:
    approved.edit("answer_days = .*", "answer_days = 21")

    step = next_of(approved)

    assert step["code"] == "approve_again"
    assert "answer_days" in step["why"]


def test_the_deadline_is_named_and_then_the_purge_and_the_end(asked: Campaign) -> None:
    """The days pass in the test's own process. Nobody looks at the page, so it is told first."""
    assert next_of(asked)["command"] == "repermit serve"
    see_the_page(asked)
    waits = next_of(asked)
    assert waits["command"] == "repermit purge --dry-run"
    assert waits["from"] == asked.status()["due"]["first"]
    assert "Next, from 20" in asked.here().out

    over = next_of(asked, _OVER)
    assert (over["command"], over["from"]) == ("repermit purge --dry-run", None)
    assert over["then"] == "repermit purge"

    asked.at(_OVER, "purge", "--at-most", "24", *ACCEPTED)
    assert next_of(asked, _OVER)["command"] == "repermit handover DIR"

    asked.at(_OVER, "handover", asked.outside / "leaving")
    assert next_of(asked, _OVER)["command"] == "repermit close --by NAME"

    asked.at(_OVER, "close", "--by", "An", "--keep", "withheld")
    assert next_of(asked, _OVER)["command"] == "repermit proof verify"


@pytest.mark.parametrize("stage", ["begun", "approved", "asked"])
def test_looking_changes_nothing(stage: str, request: pytest.FixtureRequest) -> None:
    """As a process: no file comes, goes or changes."""
    campaign: Campaign = request.getfixturevalue(stage)
    before = content_of(campaign.folder)

    campaign.run()

    assert content_of(campaign.folder) == before


def test_a_broken_config_ends_with_2_and_says_what_to_do(asked: Campaign) -> None:
    asked.config.write_text("[campaign", "utf-8")

    assert "what to do: " in asked.run(expect=2).err


def test_missing_keys_and_a_ledger_that_is_gone_are_refused(asked: Campaign) -> None:
    asked.ledger.rename(asked.outside / "aside")
    assert "the ledger is gone" in asked.run(expect=1).err

    (asked.outside / "aside").rename(asked.ledger)
    (asked.folder / "keys").rename(asked.outside / "keys")
    refused = asked.run("--json", expect=1)
    assert refused.json["hint"]


def test_an_older_copy_of_the_ledger_is_refused(approved: Campaign, relay: Relay) -> None:
    copy = approved.ledger.read_bytes()
    approved.here("pause")
    approved.here("resume")
    approved.ledger.write_bytes(copy)

    assert "repermit doubt restored" in approved.run(expect=1).err


def test_a_server_that_is_away_is_refused(approved: Campaign) -> None:
    """Nothing listens there; how often it is tried is a matter of `ledger.postgres.engine`."""
    approved.edit("url = .sqlite.*", f'url = "postgresql://me@127.0.0.1:{free_port()}/ledger"')

    refused = approved.run(expect=1)

    assert "the database is not there" in refused.err
    assert "what to do: " in refused.err


def test_several_campaigns_are_a_line_each(asked: Campaign, approved: Campaign) -> None:
    """One is given by its folder, one by its config."""
    said = asked.run("status", asked.folder, approved.config).out.splitlines()

    assert len(said) == 3
    assert [line.split()[0] for line in said[1:]] == [str(asked.folder), str(approved.config)]
    assert said[0].split() == [
        *(
            "folder",
            "campaign",
            "stands",
            "asked",
            "yes",
            "no",
            "silent",
            "deadline",
            "wrong",
            "next",
        )
    ]
    assert "repermit serve" in said[1]
    assert " 24 " in said[1]


def test_a_broken_campaign_does_not_hide_the_others(asked: Campaign) -> None:
    nowhere = asked.outside / "nowhere"

    refused = asked.run("status", asked.folder, nowhere, expect=1)
    told = asked.run("status", asked.folder, nowhere, "--json", expect=1).json

    assert "repermit serve" in refused.out
    assert "cannot be read" in refused.out
    assert "1 of 2 campaigns" in refused.err
    good, broken = told["campaigns"]
    assert good["silent"] == 24
    assert broken["error"]
    assert broken["hint"]


def test_several_campaigns_are_one_object(asked: Campaign) -> None:
    told = asked.run("status", asked.folder, "--json").json

    assert list(told) == ["campaigns"]
    assert told["campaigns"][0]["next"]["command"] == "repermit serve"


def test_a_preview_counts_for_its_own_campaign_alone(begun: Campaign, approved: Campaign) -> None:
    """Wherever the operator is: it lies beside the config, and is looked for there."""
    said = begun.run("preview").out
    (begun.outside / "preview").mkdir()
    (begun.folder / "preview" / "index.html").rename(begun.outside / "preview" / "index.html")

    assert str(begun.folder / "preview") in said
    assert not is_previewed(begun.config)
    begun.run("preview")
    assert is_previewed(begun.config)
    assert not is_previewed(approved.config)
    assert list(begun.outside.glob("preview/*")) == [begun.outside / "preview" / "index.html"]
