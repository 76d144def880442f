"""Several campaigns beside each other: a path each, one list of opt-outs, a mailbox each."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.inbound.desks import put
from tests.journeys.campaign import Campaign, row, write_list
from tests.journeys.relay import Relay, free_port
from tests.journeys.returned import bounce, sent
from tests.journeys.test_inbound import with_maildir
from tests.journeys.web import fetch, links, mailbox

pytestmark = pytest.mark.journey


def another(folder: Path) -> Campaign:
    """Return another campaign, with keys of its own, on a list of two whom the first has, too."""
    made = Campaign(folder / "campaign", folder / "outside", free_port())
    made.outside.mkdir(parents=True)
    made.here("init", made.folder, "--yes")
    made.edit('accepted_by = ""', 'accepted_by = "An Peeters"')
    return made


def below_a_path(campaign: Campaign) -> str:
    """Let a campaign stand below a path, approve that, and return where it is."""
    url = f"http://127.0.0.1:{campaign.web_port}/brand-a"
    campaign.edit('public_url = ".*"', f'public_url = "{url}"')
    campaign.here("approve", "--by", "An Peeters", "--informed", "Jan Claes")
    return url


def test_everything_that_a_mail_leads_to_lies_below_the_path(
    approved: Campaign, relay: Relay
) -> None:
    url = below_a_path(approved)
    approved.use(relay.port)

    with approved.serving():
        approved.run("send")
        ours = [each for each in links(relay.taken[0].content) if "127.0.0.1" in each]
        pages = [fetch(each).status for each in ours]
        mailbox(relay.taken[0].content).press("yes")
        unsubscribed = fetch(
            *(mailbox(relay.taken[1].content).unsubscribe, "POST", b"List-Unsubscribe=One-Click"),
            "application/x-www-form-urlencoded",
        )
        probed = approved.run("probe", "--json").json
        monitor = approved.run("probe", "--link").out.strip()
        watched = approved.run("probe", monitor, "--json").json
        healthy = fetch(f"{url}/healthz").status

    assert ours
    assert all(each.startswith(f"{url}/") for each in ours)
    assert set(pages) == {200}
    assert (unsubscribed.status, healthy) == (200, 200)
    assert (probed["answers"], watched["answers"]) == (True, True)
    assert monitor.startswith(f"{url}/")
    standings = approved.standings()
    assert (standings["opted_in"], standings["opted_out"]) == (1, 1)


def test_who_said_no_to_one_brand_is_not_asked_by_another_of_the_same_controller(
    asked: Campaign,
) -> None:
    with asked.serving():
        mailbox(asked.mails[0].content).press("no")
    file = asked.outside / "opt-outs.txt"
    asked.run("suppress", "--export", file)
    assert "@" not in file.read_text("utf-8")
    other = another(asked.outside / "brand-b")
    number = int(asked.mails[0].mailbox.removeprefix("lid-").partition("@")[0])
    everyone = write_list(other.outside / "list.csv", [row(number), row(number + 100)])

    other.run("suppress", file)
    done = other.run("import", everyone, "--json").json

    assert (done["suppressed"], done["admitted"]) == (1, 1)
    other.end()


def test_a_bounce_of_another_campaign_is_put_aside_and_settles_nobody(
    approved: Campaign, relay: Relay
) -> None:
    """So each campaign needs a mailbox of its own."""
    mails = sent(approved, relay)
    other = another(approved.outside / "brand-b")
    other.here("import", write_list(other.outside / "list.csv", [row(1), row(2)]))
    box = with_maildir(other)
    put(box, bounce(mails[0]))

    done = other.run("inbound", "--json").json

    assert (done["read"], done["quarantined"]) == (1, 1)
    assert done["by_outcome"] == {"forged": 1}, "it is not by a name that this one has signed"
    assert other.standings() == {"listed": 2}
    for aside in (other.folder / "inbound" / "quarantine").iterdir():
        aside.unlink()
    other.end()
