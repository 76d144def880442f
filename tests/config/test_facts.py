"""What the configs of two machines are compared by."""

from __future__ import annotations

from pathlib import Path

import pytest

from repermit.config import Config, load
from repermit.config.facts import config_facts
from tests.test_config import SMALLEST

_MORE = """
[purge]
proof_days = 400
[[processors]]
name = "Relay Ltd"
role = "mail relay"
country = "BE"
"""
_FACTS = (
    *("[campaign]", "[controller]", "[[purposes]]", "[policy]", "[relay]", "[web]", "[purge]"),
    "[[processors]]",
)


def config_of(folder: Path, text: str) -> Config:
    folder.mkdir(exist_ok=True)
    (folder / "config.toml").write_text(text, "utf-8")
    (folder / "notice.txt").write_text("What we do with addresses.", "utf-8")
    return load(folder / "config.toml")


def differing(tmp_path: Path, old: str, new: str) -> list[str]:
    """Return what differs when *old* stands in the config of one machine and *new* in that of the
    other."""
    text = SMALLEST.replace("privacy_url", "privacy_file").replace(
        "https://www.tuinvrienden.example/privacy", "notice.txt"
    )
    assert old in text + _MORE
    one = config_facts(config_of(tmp_path / "one", text + _MORE))
    two = config_facts(config_of(tmp_path / "two", (text + _MORE).replace(old, new)))
    assert tuple(one) == tuple(two) == _FACTS
    return [part for part in one if one[part] != two[part]]


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('name = "Members 2026"', 'name = "Members 2027"', ["[campaign]"]),
        ('"Europe/Brussels"', '"Europe/Berlin"', ["[campaign]"]),
        ('authority = "Geg', 'authority = "De Geg', ["[controller]"]),
        ('text.nl = "onze', 'text.nl = "de', ["[[purposes]]"]),
        ('table = "2026-11"', 'table = "2026-11"\naccepted_by = "An"', ["[policy]"]),
        ('table = "2026-11"', 'table = "2026-11"\naccepted_on = 2026-11-21', ["[policy]"]),
        (
            'table = "2026-11"',
            'table = "2026-11"\n[policy.override]\n"BE.signed_up_no_proof" = "withhold"',
            ["[policy]"],
        ),
        ('from = "nieuws@', 'from = "brief@', ["[relay]"]),
        ("[relay]", "[relay]\nper_second = 3", ["[relay]"]),
        ("[relay]", '[relay]\ncaps = { gmail = "10/day" }', ["[relay]"]),
        ("[relay]", '[relay]\nhours = "07:00-21:00"', ["[relay]"]),
        (":8080", ":8081", ["[web]"]),
        ("proof_days = 400", "proof_days = 401", ["[purge]"]),
        ('country = "BE"', 'country = "NL"', ["[[processors]]"]),
    ],
)
def test_what_must_be_the_same_everywhere_differs(
    tmp_path: Path, old: str, new: str, parts: list[str]
) -> None:
    assert differing(tmp_path, old, new) == parts


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[relay]", "# a remark\n[relay]"),
        ("smtp://127.0.0.1:1025", "smtp://127.0.0.1:1026"),
        ("[relay]", "[relay]\nconnections = 3"),
        ("[web]", '[web]\nbind = "127.0.0.1:9999"'),
        ("[web]", '[web]\ntrusted_proxy = "10.0.0.0/24"'),
        ("[web]", '[keys]\ndir = "elsewhere"\n[web]'),
        ("[web]", '[inbound]\nmaildir = "box"\n[web]'),
    ],
)
def test_what_is_each_machines_own_does_not_count(tmp_path: Path, old: str, new: str) -> None:
    assert differing(tmp_path, old, new) == []


def test_a_privacy_notice_counts_by_its_text(tmp_path: Path) -> None:
    """Not by where it lies; one that cannot be read is another one."""
    assert differing(tmp_path, "[relay]", "[relay]") == []
    one = config_of(tmp_path / "one", (tmp_path / "one" / "config.toml").read_text("utf-8"))
    before = config_facts(one)
    (tmp_path / "one" / "notice.txt").write_text("Something else.", "utf-8")
    changed = config_facts(one)
    (tmp_path / "one" / "notice.txt").unlink()

    three = [each["[controller]"] for each in (before, changed, config_facts(one))]
    assert len(set(three)) == 3
