"""A suppressed address is never mailed, by no command, whenever the no came in."""

from __future__ import annotations

import shutil

import pytest

from repermit.ledger import keys
from tests.journeys.campaign import (
    CONNECTIONS,
    LISTED,
    Campaign,
    address,
    row,
    wait_until,
    write_list,
)
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
    assert asked.status()["standings"] == once["standings"]
    assert asked.status()["log"]["size"] == once["log"]["size"] + 1  # that it came once more
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
    assert begun.status()["admitted"] == 2


def test_several_lists_of_several_kinds_are_taken_in_one_call(approved: Campaign) -> None:
    """A newsletter tool's export says who is still subscribed; the other is pasted from a mail."""
    tool = approved.outside / "tool.csv"
    tool.write_text(
        f"Naam|E-mail|Nieuwsbrief\nA|{address(0)}|nee\nB|{address(1)}|ja\nC|{address(2)}|nee\n",
        "utf-8",
    )
    pasted = approved.outside / "pasted.txt"
    pasted.write_text(f"Lid Vier <{address(4)}>, Lid Vijf <{address(5)}>\n", "utf-8")

    done = approved.run("suppress", tool, pasted)

    assert "2 addresses newly suppressed, 0 were so before, 2 recipients moved" in done.out
    assert "1 row passed over: the list says they did not opt out" in done.err
    assert "The statement that nobody ever opted out is taken back" in done.err
    assert approved.standings()["opted_out"] == 4


def test_a_list_is_read_as_the_operator_says(approved: Campaign) -> None:
    """Two columns hold addresses; the other is that of whoever brought them in."""
    path = approved.outside / "list.csv"
    path.write_text(f"wie;wat\n{address(0)};{address(1)}\n{address(2)};{address(3)}\n", "cp850")

    done = approved.run(
        *("suppress", path, "--map", "email=wat", "--encoding", "cp850", "--delimiter", ";")
    )

    assert "2 addresses newly suppressed" in done.out
    told = approved.here("person", "--json", stdin=address(0)).json
    assert told["suppressed"] is None


def give_new_keys(begun: Campaign) -> None:
    """Make it a campaign of its own: the templates share their keys."""
    shutil.rmtree(begun.folder / "keys")
    keys.create(begun.folder / "keys")


def test_promise_2_an_export_suppresses_the_same_people_in_another_campaign(
    approved: Campaign, begun: Campaign, relay: Relay
) -> None:
    """It names nobody. There a mail is about to leave, here nobody knows them; in a third place
    the export of the second is taken in from a pipe."""
    give_new_keys(begun)
    given = "".join(f"{address(number)}\n" for number in (2, 8, 77))
    begun.here("suppress", "-", stdin=given)
    exported = begun.outside / "hashes.txt"
    begun.run("suppress", "--export", exported)
    text = exported.read_text("utf-8")
    approved.use(relay.port)

    said = approved.run("suppress", exported, "--reason", "from the sister campaign")
    told = approved.here("person", "--json", stdin=address(2)).json["suppressed"]
    sent = approved.run("send", "--json").json
    again = approved.here(
        "import", write_list(approved.outside / "more.csv", [row(77)]), "--json"
    ).json

    assert exported.stat().st_mode & 0o777 == 0o600
    assert text.startswith("repermit suppression 1\nkey ")
    assert "can test whether" in text
    assert "@" not in text
    assert len(text.splitlines()) == 3 + 3 + 3
    assert "3 keyed hashes newly suppressed, 0 were so before, 2 recipients moved" in said.out
    assert "renew your backup of keys/keep" in said.err
    assert (told["source"], told["reason"]) == ("list", "from the sister campaign")
    assert sent["asked"] == LISTED - 2
    assert not {address(2), address(8)} & set(relay.mailboxes)
    assert (again["admitted"], again["suppressed"]) == (0, 1)
    assert approved.here("proof", "verify", "--json").json["holds"] is True
    further = approved.outside / "further.txt"
    approved.here("suppress", "--export", further)
    back = begun.here("suppress", "-", stdin=further.read_text("utf-8"))
    assert "renew your backup of keys/keep" in back.err
    refused = approved.here("suppress", "--export", further, expect=1)
    assert "exists already" in refused.err


def test_a_damaged_export_is_refused_and_nothing_of_it_is_kept(asked: Campaign) -> None:
    exported = asked.outside / "hashes.txt"
    asked.here("suppress", "-", stdin=address(3))
    asked.here("suppress", "--export", exported)
    damaged = asked.outside / "damaged.txt"
    damaged.write_text(exported.read_text("utf-8")[:-9], "utf-8")
    before = asked.status(), keys_of(asked)

    refused = asked.run("suppress", damaged, expect=1)

    assert "damaged.txt: is damaged: line 7 is no keyed hash" in refused.err
    assert "nothing of it was taken in" in refused.err
    assert (asked.status(), keys_of(asked)) == before


def keys_of(campaign: Campaign) -> bytes:
    """Return what the key folder keeps."""
    return (campaign.folder / "keys" / "keep" / "keys.json").read_bytes()


def test_promise_2_a_sender_that_is_running_mails_nobody_of_an_export_taken_in_meanwhile(
    approved: Campaign, begun: Campaign, relay: Relay
) -> None:
    """It had read its keys, and reserved everybody, before the export came."""
    give_new_keys(begun)
    begun.here("suppress", "-", stdin="".join(f"{address(n)}\n" for n in range(LISTED)))
    exported = begun.outside / "hashes.txt"
    begun.here("suppress", "--export", exported)
    approved.use(relay.port)
    relay.holds = True
    sender = approved.start("send")
    wait_until(lambda: len(relay.taken) == CONNECTIONS)

    said = approved.run("suppress", exported)
    relay.holds = False

    assert f"{LISTED} recipients moved to opted_out" in said.out
    assert f"{CONNECTIONS} mails on the way at that moment could not be called back" in said.err
    assert sender.ended().code == 0
    assert len(relay.taken) == CONNECTIONS
    assert approved.standings()["opted_out"] == LISTED
    assert approved.here("proof", "verify", "--json").json["holds"] is True
