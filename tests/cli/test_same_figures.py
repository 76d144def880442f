"""`repermit`, `status DIR`, `status --watch` and `report` count the same people alike."""

from __future__ import annotations

from tests.journeys.campaign import LISTED, Campaign

_AS = (  # each of one person who was asked
    "standing = 'claimed'",
    "standing = 'doubtful'",
    "suspect = TRUE",
    "standing = 'doubtful', suspect = TRUE",
    "standing = 'undeliverable'",
    "standing = 'opted_in'",
    "standing = 'opted_out'",
    "standing = 'opted_out', intent_at = NULL, due_at = NULL",  # before any mail
)


def mixed(campaign: Campaign) -> Campaign:
    """Return a campaign with one person each of `_AS`; all others are asked and silent."""
    for change in _AS:
        campaign.change_ledger(
            f"UPDATE recipient SET {change} WHERE id ="
            " (SELECT min(id) FROM recipient WHERE standing = 'asked' AND NOT suspect)"
        )
    return campaign


def _funnel_of(watched: str) -> list[str]:
    """Return the lines of the bars, without the one of everybody imported."""
    lines = watched.partition("\nimported ")[2].partition("\n\n")[0]
    return lines.splitlines()[1:]


def test_all_that_count_people_show_the_same_numbers(asked: Campaign) -> None:
    mixed(asked)
    funnel = asked.run("report", "--json").json["funnel"]
    there = {name: step["on_file"] for name, step in funnel.items()}
    silent = LISTED - len(_AS)
    assert (there["silent"], there["yes"], there["no"], there["suspect"]) == (silent, 1, 1, 2)
    assert (there["leaving"], there["doubtful"], there["stopped"]) == (1, 1, 1)

    alone = asked.run("--json").json
    (one,) = asked.run("status", asked.folder, "--json").json["campaigns"]
    watched = asked.run("status", "--watch").out
    bars = {each[:15].rstrip(): each[15:27].strip() for each in _funnel_of(watched)}

    for told in (alone, one):
        assert {name: told[name] for name in ("asked", "yes", "no", "silent")} == {
            name: there[name] for name in ("asked", "yes", "no", "silent")
        }
    assert {name: int(count) for name, count in bars.items()} == {
        "to be asked": there["waiting"] + there["leaving"],
        "not asked": there["withheld"] + there["exempt"] + there["stopped"],
        "asked, silent": there["silent"],
        "said yes": there["yes"],
        "said no": there["no"],
        "yes and no": there["suspect"],
        "not reached": there["undeliverable"],
        "doubtful": there["doubtful"],
        "erased": 0,
    }


def test_all_that_name_what_is_wrong_and_what_comes_next_name_the_same(asked: Campaign) -> None:
    mixed(asked)
    alone = asked.run("--json").json

    (one,) = asked.run("status", asked.folder, "--json").json["campaigns"]
    watched = asked.run("status", "--watch").out

    assert (one["wrong"], one["next"]) == (alone["wrong"], alone["next"])
    assert alone["wrong"] == ["page not seen", "2 doubtful"]
    assert [line for line in watched.splitlines() if line.startswith("! ")] == [
        "! the answer page did not work: the connection is refused",
        "! 2 mails may or may not be out",
    ]
    assert f"Next: `{alone['next']['command']}`" in watched
    assert watched.splitlines()[0].endswith(f": {alone['stands']}")
