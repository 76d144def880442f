"""Bad input: one line why, one line what to do, nothing half done, never a traceback."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest

from tests.cli.refusals import (
    Case,
    Outcome,
    assert_explained,
    assert_explained_as_json,
    make_stranger,
    outcome,
)
from tests.journeys.campaign import Campaign, Templates, address, everybody, write_list
from tests.journeys.relay import Relay, babbling, free_port

pytestmark = pytest.mark.journey

_AT_ONCE = 6  # those of an absent relay wait most of the time

Processes = Mapping[tuple[str, bool], Future[Outcome]]


class Run(Protocol):
    """Runs one case."""

    def __call__(self, name: str, *, as_json: bool, here: bool = False) -> Outcome:
        """Return what came of it."""


def given(name: str, content: bytes) -> Callable[[Campaign], None]:
    """Return what puts a file of that name where the command is typed."""

    def prepare(campaign: Campaign) -> None:
        (campaign.outside / name).write_bytes(content)

    return prepare


def a_list(campaign: Campaign) -> None:
    """Put a good list where the command is typed."""
    write_list(campaign.outside / "list.csv", everybody())


def a_list_and_its_rejects(campaign: Campaign) -> None:
    """And a file in the place where the rejects would go."""
    a_list(campaign)
    given("there.csv", b"mine")(campaign)


def altered(statement: str) -> Callable[[Campaign], None]:
    """Return what alters the ledger by hand."""

    return lambda campaign: campaign.change_ledger(statement)


def overwritten(content: bytes) -> Callable[[Campaign], None]:
    """Return what puts something else in the place of the ledger."""

    def prepare(campaign: Campaign) -> None:
        campaign.ledger.write_bytes(content)

    return prepare


def config_binary(campaign: Campaign) -> None:
    """The config is no text."""
    campaign.config.write_bytes(b"\xff\xfe")


def config_edited(pattern: str, replacement: str) -> Callable[[Campaign], None]:
    """Return what changes one line of the config."""
    return lambda campaign: campaign.edit(pattern, replacement)


def without_keys(campaign: Campaign) -> None:
    """The key folder is gone."""
    shutil.rmtree(campaign.folder / "keys")


def foreign_keys(campaign: Campaign) -> None:
    """The key folder is that of another campaign."""
    without_keys(campaign)
    shutil.copytree(campaign.outside / "stranger" / "keys", campaign.folder / "keys")


def foreign_ledger(campaign: Campaign) -> None:
    """The ledger is that of another campaign."""
    shutil.copy(campaign.outside / "stranger" / "repermit.db", campaign.ledger)


def wording_broken(campaign: Campaign) -> None:
    """A sentence of the campaign's own asks for something that nobody fills in."""
    words = campaign.folder / "templates" / "wording" / "nl.toml"
    words.parent.mkdir(parents=True)
    words.write_text('[mail]\nsubject = "Dag {voornaam}"\n', "utf-8")


_APPROVE = ("approve", "--by", "An Peeters", "--informed")
_AWAY = "the relay cannot be reached: "
_ALTER_STANDING = "UPDATE recipient SET standing = 'opted_in' WHERE id = 1"

CASES = {
    # The relay first: while it stays away, others run.
    "relay_down": Case(("send",), _AWAY + "nobody takes the connection", "approved", relay="down"),
    "relay_nonsense": Case(
        ("send",), _AWAY + "what answers speaks no SMTP", "approved", relay="nonsense"
    ),
    "relay_closing": Case(("send",), _AWAY + "it hangs up", "approved", relay="closing"),
    "relay_elsewhere_from_trial": Case(
        ("send",),
        "the links lead to this machine",
        "approved",
        prepare=config_edited('url = "smtp.*"', 'url = "smtp://relay.example:587"'),
    ),
    "relay_unwilling": Case(("send",), "refused the connection (554)", "approved", relay="554"),
    "relay_login_refused": Case(
        ("send",),
        "the relay refused the login (535)",
        "approved",
        relay="login",
        environment={"REPERMIT_RELAY_PASSWORD": "wrong"},
    ),
    "relay_no_password": Case(
        ("send",), "wants a password", "approved", relay="login", environment={"LANG": "C"}
    ),
    "relay_no_login": Case(
        ("send",),
        "the relay offers no TLS, or no login",
        "approved",
        relay="plain",
        environment={"REPERMIT_RELAY_PASSWORD": "wrong"},
    ),
    "relay_down_for_a_test": Case(
        ("test-mail",),
        _AWAY + "nobody takes the connection",
        stdin="me@there.example",
        relay="down",
        has_json=False,
    ),
    # What is typed.
    "option_unknown": Case(("status", "--sorrow"), "--sorrow", code=2),
    "command_unknown": Case(("statsu",), "statsu", code=2),
    "argument_missing": Case(("import",), "LIST", code=2),
    "limit_negative": Case(("send", "--limit", "-1"), "--limit", code=2),
    "date_of_words": Case(("import", "x", "--collected", "long ago"), "2024-05-01", code=2),
    "map_without_column": Case(("import", "x", "--map", "email"), "FIELD=COLUMN", code=2),
    "relationship_unknown": Case(
        ("import", "x", "--relationship", "friend"), "past_customer", code=2
    ),
    "country_unknown": Case(("import", "x", "--country", "Utopia"), "--country", code=2),
    "suppress_nothing": Case(("suppress",), "give a LIST", code=2, has_json=False),
    "purpose_unknown": Case(
        ("export", "--out", "x", "--purpose", "y"), "newsletter", code=2, has_json=False
    ),
    # The config, the keys, the ledger.
    "config_missing": Case(
        ("status",), "no such config", code=2, prepare=lambda one: one.config.unlink()
    ),
    "config_binary": Case(("status",), "UTF-8", code=2, prepare=config_binary),
    "keys_missing": Case(("send",), "key folder is missing", prepare=without_keys),
    "keys_foreign": Case(("status",), "different campaigns", prepare=foreign_keys),
    "keys_open": Case(
        ("status",),
        "open to other users (mode 755)",
        prepare=lambda one: (one.folder / "keys").chmod(0o755),
    ),
    "ledger_missing": Case(("status",), "no ledger yet", "begun"),
    "ledger_foreign": Case(("send",), "different campaigns", "approved", prepare=foreign_ledger),
    "ledger_garbage": Case(("status",), "not a ledger", prepare=overwritten(b"garbage!" * 999)),
    "ledger_empty": Case(("purge", "--at-most", "0"), "ledger", prepare=overwritten(b"")),
    "ledger_newer": Case(
        ("status",),
        "newer release",
        prepare=altered("UPDATE alembic_version SET version_num = '0099'"),
    ),
    # Lists.
    "list_empty": Case(("import", "list.csv"), "is empty", prepare=given("list.csv", b"")),
    "list_header_only": Case(
        ("import", "list.csv"), "has no rows", prepare=given("list.csv", b"email;land\r\n")
    ),
    "list_binary": Case(
        ("import", "list.csv"), "binary", "begun", prepare=given("list.csv", bytes(range(256)) * 99)
    ),
    "list_undecodable": Case(
        ("import", "list.csv", "--encoding", "ascii"),
        "from beginning to end",
        prepare=given("list.csv", b"email\nx\x81\x8d@y.be\n"),
    ),
    "list_not_a_list": Case(
        ("import", "list.csv"), "a PDF", prepare=given("list.csv", b"%PDF-1.7\n%\xe2\xe3\n")
    ),
    "list_encoding_unknown": Case(
        ("import", "list.csv", "--encoding", "klingon"), "known encoding", prepare=a_list, code=2
    ),
    "list_answers_odd": Case(
        ("import", "list.csv", "--answers", "a.toml"),
        "a text in quotes",
        prepare=given("a.toml", b"[values]\nLid = ['x']\n"),
    ),
    "list_undo_with_a_list": Case(
        ("import", "list.csv", "--undo", "1"), "takes no list", prepare=a_list, code=2
    ),
    "list_without_addresses": Case(
        ("import", "list.csv"), "no column", prepare=given("list.csv", b"naam;stad\nAn;Gent\n")
    ),
    "list_missing": Case(("import", "list.csv"), "cannot be read", "begun"),
    "list_folder": Case(("import", "."), "is a folder"),
    "list_second_missing": Case(("import", "list.csv", "no.csv"), "no.csv", prepare=a_list),
    "list_from_nowhere": Case(("import", "-"), "is empty"),
    "suppress_missing": Case(("suppress", "no.csv"), "cannot be read", has_json=False),
    "map_unknown_field": Case(
        ("import", "list.csv", "--map", "hair=email"), "unknown field", prepare=a_list, code=2
    ),
    "map_unknown_column": Case(
        ("import", "list.csv", "--map", "email=Mailadres"),
        "names no column",
        prepare=a_list,
        code=2,
    ),
    "rejects_there_already": Case(
        ("import", "list.csv", "--rejects", "there.csv"),
        "there.csv exists already",
        prepare=a_list_and_its_rejects,
    ),
    # Approval and sending.
    "approve_same_person": Case((*_APPROVE, " an peeters "), "two people", has_json=False),
    "approve_no_name": Case((*_APPROVE, " "), "two people", has_json=False),
    "approve_policy_not_accepted": Case(
        (*_APPROVE, "Jan Claes"),
        "accepted the policy table",
        prepare=config_edited("accepted_by = .*", 'accepted_by = ""'),
        has_json=False,
    ),
    "approve_nobody_listed": Case(
        (*_APPROVE, "Jan Claes"),
        "nobody is listed",
        prepare=altered("UPDATE recipient SET standing = 'withheld'"),
        has_json=False,
    ),
    "send_not_approved": Case(("send",), "nobody has approved"),
    "wording_broken": Case(("send",), "nl", "approved", prepare=wording_broken),
    "preview_onto_a_file": Case(
        ("preview", "--out", "list.csv"), "list.csv", prepare=a_list, has_json=False
    ),
    "test_mail_to_nobody": Case(
        ("test-mail",), "not an e-mail address", stdin="nobody\n", has_json=False
    ),
    "doubt_names_nothing": Case(("doubt", "resend"), "say which", "asked", has_json=False),
    "doubt_wrong_count": Case(
        ("doubt", "assume-sent", "--all", "3"), "not 3", "asked", has_json=False
    ),
    "doubt_of_the_outbox_wrong_count": Case(
        ("doubt", "resend", "--outbox", "--all", "3"), "not 3", "asked", has_json=False
    ),
    "doubt_not_doubtful": Case(("doubt", "resend", "1"), "not 1", "asked", has_json=False),
    "doubt_not_restored": Case(("doubt", "restored"), "not an older copy", "asked", has_json=False),
    # Answers, and the end.
    "probe_nobody_there": Case(("probe",), "the connection is refused"),
    "probe_no_url": Case(("probe", "answer.example.org"), "is not a URL", code=2),
    "probe_without_tls": Case(("probe", "http://answer.example.org"), "is not https", code=2),
    "serve_port_in_use": Case(("serve",), "cannot be used", has_json=False),
    "export_there_already": Case(
        ("export", "--out", "there.csv"),
        "there.csv exists already",
        prepare=given("there.csv", b"mine"),
        has_json=False,
    ),
    "export_nowhere": Case(
        ("export", "--out", "no/where.csv"), "the folder no does not exist", has_json=False
    ),
    "export_log_altered": Case(
        ("export", "--out", "yes.csv"),
        "the log does not verify: recipient 1: opted_in",
        "asked",
        prepare=altered(_ALTER_STANDING),
        has_json=False,
    ),
    "handover_there_already": Case(
        ("handover", "there"),
        "there exists already",
        prepare=lambda one: (one.outside / "there").mkdir(),
        has_json=False,
    ),
    "handover_nowhere": Case(
        ("handover", "no/where"), "the folder no does not exist", has_json=False
    ),
    "withdraw_missing": Case(("withdraw", "no.csv"), "cannot be read"),
    "withdraw_nobody": Case(
        ("withdraw", "-"), "holds no address that could be suppressed", stdin="email\nnobody\n"
    ),
    "purge_log_altered": Case(
        ("purge", "--at-most", "0"),
        "log does not verify",
        "asked",
        prepare=altered(_ALTER_STANDING),
        refused=("log",),
    ),
    "proof_altered": Case(
        ("proof", "verify"), "recipient 1: opted_in", "asked", prepare=altered(_ALTER_STANDING)
    ),
    "papers_without_a_ledger": Case(
        ("papers", "register"), "no ledger yet", "begun", has_json=False
    ),
    "papers_suffix": Case(
        ("papers", "breach", "--out", "sheet.pdf"),
        "ends in .md or .html",
        code=2,
        has_json=False,
    ),
    "papers_there_already": Case(
        ("papers", "notice", "--out", "there.md"),
        "there.md exists already",
        prepare=given("there.md", b"mine"),
        has_json=False,
    ),
    "papers_nowhere": Case(
        ("papers", "breach", "--out", "no/where.html"),
        "the folder no does not exist",
        has_json=False,
    ),
    "papers_log_altered": Case(
        ("papers", "register"),
        "log does not verify",
        "asked",
        prepare=altered(_ALTER_STANDING),
        has_json=False,
    ),
    "person_unknown": Case(("person",), "nothing is on file", stdin=address(4242)),
    "person_no_match": Case(("person",), "nobody on file", stdin="An Peeters\n"),
    "person_garbage": Case(("person",), "nobody on file", stdin="\x00\x1b[2J\u202e@@\n"),
    "person_many": Case(("person",), "more than 20 addresses hold that", stdin="ontvangers"),
    "person_several": Case(("person",), "2 addresses hold that", stdin="lid-0090"),
    "person_of_nobody": Case(("person",), "number of none", stdin="lid-0090\n4242\n"),
    "person_erase_by_part": Case(("person", "--erase"), "1 address holds that", stdin="lid-00001"),
    "person_letter_unknown": Case(("person", "--letter", "poem"), "'poem' is not one of", code=2),
    "person_out_alone": Case(("person", "--out", "x.txt"), "--out is for a letter", code=2),
    "person_erase_correct": Case(("person", "--erase", "--correct"), "one at a time", code=2),
    "person_erase_shown": Case(("person", "--erase", "--shown", "x"), "changes nothing", code=2),
    "person_not_erased": Case(("person", "--letter", "erasure"), "is not erased", stdin=address(1)),
    "person_out_there": Case(
        ("person", "--erase", "--letter", "erasure", "--out", "there.txt"),
        "there.txt exists already",
        stdin=address(1),
        prepare=given("there.txt", b"mine"),
    ),
    "person_out_nowhere": Case(
        ("person", "--erase", "--letter", "erasure", "--out", "nowhere/x.txt"),
        "cannot be written",
        stdin=address(1),
    ),
    "person_nothing_shown": Case(("person", "--shown", "x"), "nothing to show", stdin=address(1)),
    "person_shown_there": Case(
        ("person", "--shown", "there"),
        "there exists already",
        "asked",
        stdin=address(1),
        prepare=given("there", b"mine"),
    ),
    "person_correct_nobody": Case(("person", "--correct"), "nothing is", stdin=address(4242)),
    "person_correct_nothing": Case(("person", "--correct"), "no field", stdin=address(1)),
    "person_correct_unknown": Case(
        ("person", "--correct"), "no field", stdin=f"{address(1)}\nemail={address(2)}\n"
    ),
    "person_correct_day": Case(
        ("person", "--correct"), "no date in the past", stdin=f"{address(1)}\nended=2999-01-01\n"
    ),
    "person_correct_no_day": Case(
        ("person", "--correct"), "no date in the past", stdin=f"{address(1)}\nended=May\n"
    ),
    "person_correct_language": Case(
        ("person", "--correct"), "no words in that", stdin=f"{address(1)}\nlanguage=tlh\n"
    ),
    "person_correct_source": Case(
        ("person", "--correct"), "no source", stdin=f"{address(1)}\nsource={'x' * 201}\n"
    ),
    "person_correct_late": Case(
        ("person", "--correct"),
        "may have shown the source",
        "asked",
        stdin=f"{address(1)}\nsource=the market\n",
    ),
    "person_nobody": Case(("person", "--erase"), "not an e-mail address"),
    "keys_unsaid": Case(
        ("keys", "revoke-links"),
        "24 recipients have a link that dies, and nobody said how many may",
        "asked",
        has_json=False,
    ),
    "keys_few": Case(
        ("keys", "revoke-links", "--at-most", "23"), "at most 23 may", "asked", has_json=False
    ),
    "keys_leaving": Case(
        ("keys", "revoke-links", "--at-most", "0"),
        "24 mails may leave at any time",
        "approved",
        has_json=False,
    ),
    "keys_negative": Case(
        ("keys", "revoke-links", "--at-most", "-1"), "equal to 0", code=2, has_json=False
    ),
    "keys_no_ledger": Case(("keys", "rotate"), "there is no ledger", "begun", has_json=False),
    "init_there_already": Case(("init", "../campaign", "--yes"), "exists already", has_json=False),
    "init_asks_a_script": Case(("init", "new"), "nobody is there to answer", has_json=False),
}


@pytest.fixture(scope="module")
def ports() -> Iterator[dict[str, int]]:
    """Relays that are of no use, and a port where somebody else listens, by name."""
    with ExitStack() as stack:
        busy = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        yield {
            "down": free_port(),
            "nonsense": stack.enter_context(babbling(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
            "closing": stack.enter_context(babbling(b"")),
            "554": stack.enter_context(babbling(b"554 5.3.2 go away\r\n")),
            "login": stack.enter_context(Relay(password="right")).port,
            "plain": stack.enter_context(Relay()).port,
            "busy": busy.getsockname()[1],
        }


@pytest.fixture(scope="module")
def run(
    templates: Templates, ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """What runs one case in a campaign of its own."""
    folder, stranger = tmp_path_factory.mktemp("bad"), tmp_path_factory.mktemp("stranger")
    make_stranger(stranger)

    def run_case(name: str, *, as_json: bool, here: bool = False) -> Outcome:
        template: Campaign = getattr(templates, CASES[name].stage)
        campaign = template.copied(folder / f"{name}-{as_json}")
        shutil.copytree(stranger, campaign.outside / "stranger")
        campaign.edit('bind = ".*"', f'bind = "127.0.0.1:{ports["busy"]}"')
        try:
            return outcome(CASES[name], campaign, ports, as_json=as_json, here=here)
        finally:
            campaign.end()

    return run_case


@pytest.fixture(scope="module")
def processes(request: pytest.FixtureRequest, run: Run) -> Iterator[Processes]:
    """The chosen cases, each a process, beside each other: in words all of them, with --json
    those that need one."""
    chosen = [
        name for name in CASES if any(f"[{name}]" in one.name for one in request.session.items)
    ]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        yield {
            (name, as_json): pool.submit(run, name, as_json=as_json)
            for name in chosen
            for as_json in (False, True)
            if not as_json or (CASES[name].has_json and CASES[name].needs_process)
        }


@pytest.mark.parametrize("name", CASES)
def test_it_says_why_and_what_to_do(processes: Processes, name: str) -> None:
    came = processes[name, False].result()

    assert_explained(came.result, why=CASES[name].why, code=CASES[name].code)
    assert came.after == came.before


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.has_json])
def test_it_says_so_in_one_object(processes: Processes, run: Run, name: str) -> None:
    if CASES[name].needs_process:
        came = processes[name, True].result()
    else:
        came = run(name, as_json=True, here=True)

    told = assert_explained_as_json(came.result, why=CASES[name].why, code=CASES[name].code)
    assert came.after == came.before
    assert tuple(each["code"] for each in told.get("refused", ())) == CASES[name].refused


def test_every_fault_of_a_config_is_named_with_its_line(begun: Campaign) -> None:
    """And, with --json, one by one in one object."""
    begun.edit("answer_days = 30", "answer_days = 3")
    begun.edit('timezone = ".*"', 'timezone = "Europe/Brussel"')
    begun.edit("connections = 4", "conections = 4")
    text = begun.config.read_text("utf-8").splitlines()
    faults = ("answer_days = 3", 'timezone = "Europe/Brussel"', "conections = 4")
    lines = [1 + text.index(fault) for fault in faults]

    said = begun.run("status", expect=2)
    told = begun.run("status", "--json", expect=2).json

    assert said.out == ""
    for line in lines:
        assert f"config.toml:{line}: " in said.err
    assert said.err.splitlines()[-1].startswith("  what to do: correct config.toml")
    assert sorted(int(each.split(":")[1]) for each in told["problems"]) == sorted(lines)
    assert told["hint"]


def test_without_any_config_it_says_how_to_begin(tmp_path: Path, begun: Campaign) -> None:
    begun.config.unlink()

    said = begun.run("import", "list.csv", expect=2)

    assert "repermit init" in said.err
