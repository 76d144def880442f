"""A suppressed address is never mailed, by no command, whenever the no came in."""

from __future__ import annotations

import pytest

from tests.journeys.campaign import LISTED, Campaign, address, row, write_list
from tests.journeys.relay import Relay

pytestmark = pytest.mark.journey


def test_who_is_suppressed_before_the_mail_never_gets_one(approved: Campaign, relay: Relay) -> None:
    """Also from a list in another spelling, also for a test mail, also when listed again."""
    approved.use(relay.port)
    stop = approved.outside / "stop.txt"
    stop.write_text(f"{address(2).upper()}\n<{address(8)}>\nno address at all\n", "utf-8")

    said = approved.run("suppress", stop).out
    sent = approved.run("send", "--json").json
    refused = approved.run("test-mail", stdin=address(2), expect=1)

    assert "2 addresses newly suppressed" in said
    assert "2 recipients moved to opted_out, 1 not understood" in said
    assert sent["asked"] == LISTED - 2
    assert "suppressed" in refused.err
    assert not {address(2), address(8)} & set(relay.mailboxes)
    assert approved.standings()["opted_out"] == 2


def test_who_is_suppressed_after_the_mail_is_opted_out(asked: Campaign) -> None:
    """The file comes in through standard input; the same once more changes nothing."""
    given = f"email\n{address(2)}\n{address(77)}\n"

    asked.run("suppress", "-", "--reason", "called us", stdin=given)
    once = asked.status()
    again = asked.here("suppress", "-", "--reason", "called us", stdin=given).out

    assert once["standings"]["opted_out"] == 1
    assert once["standings"]["asked"] == LISTED - 1
    assert "0 addresses newly suppressed, 2 were so before" in again
    assert asked.status() == once
    told = asked.here("person", "--json", stdin=address(2)).json
    assert told["suppressed"]["reason"] == "called us"
    assert asked.here("proof", "verify", "--json").json["holds"] is True


def test_who_once_said_stop_in_the_list_itself_is_suppressed(begun: Campaign) -> None:
    """And stays so when another list has the same address without that mark."""
    path = begun.outside / "list.csv"
    path.write_text(f"email;uitgeschreven\n{address(1)};ja\n{address(2)};\n", "utf-8")

    first = begun.run("import", path, "--json").json
    second = begun.here(
        "import", write_list(begun.outside / "second.csv", [row(1), row(3)]), "--json"
    ).json

    assert (first["admitted"], first["suppressed"]) == (1, 1)
    assert (second["admitted"], second["suppressed"]) == (1, 1)
    exported = begun.outside / "hashes.txt"
    begun.here("suppress", "--export", exported)
    assert len(exported.read_text("utf-8").splitlines()) == 2
    assert begun.status()["admitted"] == 2
