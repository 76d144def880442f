"""The first evening: a person at a terminal begins a campaign, with nothing but this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from repermit.config import Config, load
from repermit.ledger import keys
from tests.journeys.terminal import SOURCES, typed

pytestmark = pytest.mark.journey

# What is asked, by a part of each question, and what a person then types; "" is Enter.
SENDER = [
    ("In which country", ""),
    ("Under which name", "Tuinvrienden"),
    ("reached by post", "Straat 1, 1000 Brussel"),
    ("register of companies", ""),
    ("with a question about their data", "info@tuin.example"),
    ("Where is your privacy notice", ""),
    ("supervisory authority", ""),
]
ASKING = [
    ("How do you call", ""),
    ("In which languages", "nl"),
    ("How many kinds of mail", ""),
    ("short name", ""),
    ("In Dutch: what", ""),
    ("In Dutch: how often", ""),
    ("How many days", ""),
    ("time zone", ""),
    ("Does being on the list say", ""),
]
PEOPLE = [
    ("What are the people on your list", "2"),
    ("Why do you need to ask them", "de formulieren zijn verloren"),
    ("Would they expect", "1"),
    ("How long ago", "2"),
    ("What harm", "1"),
    ("Why may you ask", ""),
    ("Who accepts the policy table", "An Peeters"),
    ("On which day", ""),
]
PLACES = [
    ("Which server sends", ""),
    ("Which sender do people see", ""),
    ("mails come back", ""),
    ("At which web address", ""),
    ("Who is told by mail", ""),
    ("How many firms", ""),
]
ALL = [*SENDER, *ASKING, *PEOPLE, *PLACES, ("Enter writes it", "")]


def replaced(part: str, *instead: tuple[str, str]) -> list[tuple[str, str]]:
    """Return what is typed, with other lines in the place of that question."""
    return [line for each in ALL for line in (instead if part in each[0] else (each,))]


def of(folder: Path) -> Config:
    """Return the config that was written there; its keys are whole."""
    config = load(folder / "config.toml")
    assert keys.load(config.keys_dir).campaign
    return config


def test_a_person_answers_one_question_after_the_other(tmp_path: Path) -> None:
    said = typed(["init", "garden"], ALL, cwd=tmp_path)

    config = of(tmp_path / "garden")
    assert config.controller.name == "Tuinvrienden"
    assert config.campaign.languages == ("nl",)
    assert config.policy.accepted_by == "An Peeters"
    assert config.policy.reasons["signed_up_no_proof"].startswith("De formulieren zijn verloren. ")
    assert config.relay.from_.address == "info@tuin.example"
    assert config.relay.is_on_this_machine
    assert "Whoever has not answered by then is erased." in said
    assert said.count("== Your answers ==") == 1
    assert f"cp -R {tmp_path}/garden/keys/keep /media/STICK1/garden" in said
    assert "Never copy keys/burn" in said
    assert "Not said yet: controller.privacy_url, relay.url, web.public_url." in said


def test_everything_fits_a_plain_terminal_of_80_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No colour, nothing that moves the cursor, no line over the edge."""
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setenv("COLUMNS", "80")
    explained = [("Answer", what) for _, answer in ALL[:-1] for what in ("?", answer)]

    said = typed(["init", "garden"], [*explained, ("Answer", "")], cwd=tmp_path)

    asked = said.partition("written: ")[0]
    assert "\x1b" not in said
    assert [line for line in asked.split("\n") if len(line) > 80] == []
    assert "company_mailbox      exempt   ask" in asked
    assert of(tmp_path / "garden").controller.name == "Tuinvrienden"


def test_what_does_not_fit_is_asked_again_with_why(tmp_path: Path) -> None:
    wrong = [
        ("How many days", "3"),
        ("is too small; expected", "soon"),
        ("is not a whole number in digits", "20"),
    ]

    typed(["init", "garden"], replaced("How many days", *wrong), cwd=tmp_path)

    assert of(tmp_path / "garden").campaign.answer_days == 20


def test_a_password_in_the_relay_is_not_taken(tmp_path: Path) -> None:
    wrong = [
        ("Which server sends", "smtp://an:geheim@smtp.example.org"),
        ("holds a password", "smtp://an@smtp.example.org"),
    ]

    typed(["init", "garden"], replaced("Which server sends", *wrong), cwd=tmp_path)

    assert of(tmp_path / "garden").relay.user == "an"
    assert "geheim" not in (tmp_path / "garden" / "config.toml").read_text("utf-8")


def test_what_must_be_answered_is_asked_until_it_is(tmp_path: Path) -> None:
    wrong = [("Under which name", ""), ("An answer is needed here.", "Zoo")]

    typed(["init", "garden"], replaced("Under which name", *wrong), cwd=tmp_path)

    assert of(tmp_path / "garden").controller.name == "Zoo"


def test_weak_answers_withhold_unless_a_person_writes_why(tmp_path: Path) -> None:
    said = typed(["init", "garden"], replaced("Would they expect", ("Would", "no")), cwd=tmp_path)

    assert "Your own answers speak against asking" in said
    config = of(tmp_path / "garden")
    assert dict(config.policy.reasons) == {}
    assert "# Would they expect a mail from you? no" in config.path.read_text("utf-8")


def test_an_answer_is_changed_by_its_number_before_anything_is_written(tmp_path: Path) -> None:
    changed = [
        ("Enter writes it", "99"),
        ("no number from 1 to", "2"),
        ("Under which name", "Zoo"),
        ("Enter writes it", ""),
    ]

    said = typed(["init", "garden"], replaced("Enter writes it", *changed), cwd=tmp_path)

    assert of(tmp_path / "garden").controller.name == "Zoo"
    assert said.count("== Your answers ==") == 2


def test_answers_that_do_not_fit_together_are_told_before_anything_is_written(
    tmp_path: Path,
) -> None:
    options = [f"purposes[{number}].{key}.nl" for number in (1, 2) for key in ("text", "frequency")]
    words = [word for key in options for word in ("--answer", f"{key}=soms")]
    kinds = [("short name", "one"), ("short name", "two")]
    given = {"How many kinds of mail", "In Dutch: what", "In Dutch: how often"}
    before = [each for each in replaced("short name", *kinds) if each[0] not in given]
    number = (
        1 + [each[0] for each in before].index("short name") + 1
    )  # how many kinds stands before
    changed = [
        *(("Enter writes it", str(number)), ("short name", "two"), ("Enter writes it", "")),
        *(("do not fit together yet: purposes[2].id", str(number)), ("short name", "one")),
        ("Enter writes it", ""),
    ]

    typed(["init", "garden", *words], [*before[:-1], *changed], cwd=tmp_path)

    assert [each.id for each in of(tmp_path / "garden").purposes] == ["one", "two"]


@pytest.mark.parametrize("key", ["\x03", "\x04"], ids=["Ctrl-C", "Ctrl-D"])
@pytest.mark.parametrize("at", ["In which country", "What harm", "Enter writes it"])
def test_who_ends_it_leaves_nothing_behind(tmp_path: Path, at: str, key: str) -> None:
    until = next(number for number, each in enumerate(ALL) if each[0] == at)

    said = typed(["init", "garden"], [*ALL[:until], (at, key)], cwd=tmp_path, code=130)

    assert "stopped: nothing was written" in said
    assert list(tmp_path.iterdir()) == []


def test_a_terminal_of_windows_letters_writes_them_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it sends are bytes of cp1252; one that means nothing there is asked again."""
    monkeypatch.setenv("PYTHONIOENCODING", "cp1252")
    wrong = [("Under which name", "Á"), ("cannot be read as text", "Cliché €")]  # Á: C3 81

    typed(["init", "garden"], replaced("Under which name", *wrong), cwd=tmp_path)

    name = of(tmp_path / "garden").controller.name
    assert name == "Cliché €".encode().decode("cp1252")


def test_a_terminal_of_plain_letters_shows_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    typed(["init", "tuin-é"], replaced("reached by post", ("post", "Straat 1")), cwd=tmp_path)

    config = of(tmp_path / "tuin-é")
    assert config.purposes[0].frequency["nl"] == "ongeveer één mail per maand"


def test_what_is_given_as_an_option_is_not_asked(tmp_path: Path) -> None:
    options = ["--answer", "controller.name=Zoo", "--answer", "campaign.answer_days=20"]
    left = [each for each in ALL if each[0] not in {"Under which name", "How many days"}]

    said = typed(["init", "garden", *options], left, cwd=tmp_path)

    config = of(tmp_path / "garden")
    assert (config.controller.name, config.campaign.answer_days) == ("Zoo", 20)
    assert "Under which name" not in said.partition("== Your answers ==")[0]


def test_a_wrong_option_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    said = typed(["init", "x", "--answer", "campaign.answer_days=3"], [], cwd=tmp_path, code=2)

    assert "--answer campaign.answer_days: is too small" in said
    assert "In which country" not in said


def ran(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the program where nobody sits at a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "repermit", "init", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(SOURCES)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_script_gives_answers_and_takes_the_defaults_for_the_rest(tmp_path: Path) -> None:
    ended = ran(
        *("garden", "--yes", "--answer", "country=NL", "--answer", "controller.name=Zoo"),
        *("--answer", 'purposes[1].text.nl=onze "krant"\\n'),
        cwd=tmp_path,
    )

    assert (ended.returncode, ended.stdout) == (
        0,
        "written: garden/config.toml and garden/keys\n",
    )
    config = of(tmp_path / "garden")
    assert config.purposes[0].text["nl"] == 'onze "krant"\\n'
    assert config.campaign.timezone == "Europe/Amsterdam"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (("--answer", "country=NL"), 1, "nobody is there to answer: controller.name, "),
        (("--answer", "country=XX", "--yes"), 2, "country: is not the code of a country"),
        ((), 1, "--answer KEY=VALUE"),
        (("--answer", "controller.nam=x", "--yes"), 2, "did you mean controller.name?"),
        (("--answer", "policy.recent_days=9", "--yes"), 2, "is not asked"),
        (("--answer", "relay.url=smtp://a:geheim@b.example", "--yes"), 2, "holds a password"),
    ],
)
def test_a_script_is_refused_with_which_and_why(
    tmp_path: Path, words: tuple[str, ...], code: int, why: str
) -> None:
    ended = ran("garden", *words, cwd=tmp_path)

    assert ended.returncode == code
    assert why in ended.stderr
    assert "what to do: " in ended.stderr
    assert "geheim" not in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_a_service_synchronises_is_refused_before_anything_is_asked(
    tmp_path: Path,
) -> None:
    (tmp_path / "OneDrive - Stad Voorbeeld").mkdir()

    said = typed(["init", "garden"], [], cwd=tmp_path / "OneDrive - Stad Voorbeeld", code=1)

    assert "lies in a synchronised folder (OneDrive)" in said
    assert "what to do: begin it in a folder of this machine only, outside OneDrive" in said
    assert "In which country" not in said
