"""The config: everything that is wrong with a file, at once and with its line."""

from __future__ import annotations

import os
import re
import tempfile
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from repermit.config import Config, Mailbox, load, read, secret
from repermit.config.lines import Lines
from repermit.config.problems import syntax
from repermit.config.tables import Table, Tables
from repermit.domain.policy import CAN_BE_ASKED, TABLE_VERSION, Outcome, Rules
from repermit.domain.purpose import Purpose
from repermit.errors import ConfigInvalid

EXAMPLE = Path(__file__).parents[1] / "config.example.toml"
BAD = sorted((Path(__file__).parent / "bad_configs").glob("*.toml"))
SMALLEST = """
[campaign]
name = "Members 2026"
languages = ["nl"]
default_language = "nl"
timezone = "Europe/Brussels"
[controller]
name = "Tuinvrienden Voorbeeld vzw"
postal_address = "Voorbeeldstraat 1, 1000 Brussel"
email = "privacy@tuinvrienden.example"
privacy_url = "https://www.tuinvrienden.example/privacy"
authority = "Gegevensbeschermingsautoriteit, Brussel"
[[purposes]]
id = "newsletter"
text.nl = "onze nieuwsbrief"
frequency.nl = "ongeveer één mail per maand"
[policy]
table = "2026-11"
[relay]
url = "smtp://127.0.0.1:1025"
from = "nieuws@tuinvrienden.example"
[web]
public_url = "http://127.0.0.1:8080"
"""


def a_config(path: str | Path = "/srv/repermit/config.toml", **changes: str) -> Config:
    """Return the smallest config with some lines changed: `name="relay.url = …"` by their key."""
    text = SMALLEST
    for old, new in changes.items():
        text = re.sub(rf"(?m)^{old} = .*$", new, text)
    return read(text, path=Path(path))


def a_table(table: str, lines: str) -> Config:
    """Return the smallest config with *lines* added to *table*, which may be a new one."""
    header = f"[{table}]\n"
    if header not in SMALLEST:
        return read(f"{SMALLEST}\n{header}{lines}\n", path=Path("/srv/repermit/config.toml"))
    text = SMALLEST.replace(header, f"{header}{lines}\n")
    return read(text, path=Path("/srv/repermit/config.toml"))


def the_problems(text: str) -> tuple[str, ...]:
    """Return what is wrong with *text*, which must be something."""
    with pytest.raises(ConfigInvalid) as refused:
        read(text, path=Path("config.toml"))
    return refused.value.problems


@pytest.mark.parametrize("file", BAD, ids=lambda file: file.stem)
def test_each_bad_config_gets_exactly_its_problems_with_their_lines(file: Path) -> None:
    """The lines marked `# <--` are those of the first problems expected; the rest have none."""
    lines = file.read_text(encoding="utf-8").splitlines()
    expected = [line.removeprefix("# expect: ") for line in lines if line.startswith("# expect: ")]
    marked = [number for number, line in enumerate(lines, start=1) if line.endswith("# <--")]
    places = [f"{file.name}:{number}: " for number in marked]
    places += [f"{file.name}: "] * (len(expected) - len(marked))

    with pytest.raises(ConfigInvalid) as refused:
        load(file)

    found = refused.value.problems
    assert len(found) == len(expected), found
    for problem, place, sentence in zip(found, places, expected, strict=True):
        assert problem.startswith(place + sentence)
    assert refused.value.exit_code == 2
    assert "hunter2" not in f"{refused.value} {refused.value.hint}"


def with_logo(folder: Path, octets: bytes) -> Config:
    """Return the smallest config with a logo beside it."""
    (folder / "logo.png").write_bytes(octets)
    text = SMALLEST.replace("[controller]", 'logo = "logo.png"\n[controller]')
    return read(text, path=folder / "config.toml")


@pytest.mark.parametrize(
    ("start", "kind"), [(b"\x89PNG\r\n\x1a\n", "png"), (b"\xff\xd8\xff", "jpeg")]
)
def test_a_logo_is_written_out(tmp_path: Path, start: bytes, kind: str) -> None:
    campaign = with_logo(tmp_path, start.ljust(4096, b"\0")).campaign
    assert campaign.logo.startswith(f"data:image/{kind};base64,")
    assert campaign.logo.isascii()


def test_a_logo_that_would_make_every_page_large_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        with_logo(tmp_path, b"\x89PNG\r\n\x1a\n".ljust(4097, b"\0"))
    assert "is too large, 4097 bytes" in refused.value.problems[0]


def test_a_campaign_without_a_logo_has_the_default_colour() -> None:
    assert (a_config().campaign.logo, a_config().campaign.colour) == ("", "#17506b")


def test_every_problem_is_printed_in_order_of_line_and_those_without_a_line_last() -> None:
    text = SMALLEST.replace('name = "Members 2026"', "").replace("[web]", "[webb]")
    text = text.replace('table = "2026-11"', 'table = "2025-01"').replace("[relay]", "[relay]\na=1")

    found = the_problems(text)

    assert [problem.split(": ")[:2] for problem in found] == [
        ["config.toml:2", "campaign.name"],
        ["config.toml:18", "policy.table"],
        ["config.toml:20", "relay.a"],
        ["config.toml:23", "webb"],
        ["config.toml", "web"],
    ]


def test_an_empty_file_misses_every_table_that_is_required() -> None:
    found = the_problems("")
    assert [problem.split(": ")[1] for problem in found] == [
        *("campaign", "controller", "purposes", "policy", "relay", "web")
    ]


def test_one_place_gets_one_problem() -> None:
    found = the_problems(SMALLEST.replace("[web]", '[policy.override]\nNL.customer = "ask"\n[web]'))
    assert [problem.split(": ")[1] for problem in found] == ["policy.override.NL"]


def test_a_key_that_is_not_bare_is_quoted_on_one_line() -> None:
    (found,) = the_problems(SMALLEST + '"two\\nlines" = 1')
    assert found.startswith(r'config.toml:24: web."two\nlines": is not known; expected one of')


@pytest.mark.parametrize("text", ["x = " + "9" * 5000, "x = " + "[" * 100_000])
def test_toml_without_bounds_is_a_problem_and_no_crash(text: str) -> None:
    (found,) = the_problems(text)
    assert found.startswith("config.toml")
    assert "this is not TOML" in found


def test_a_fault_at_the_end_of_the_text_has_the_last_line() -> None:
    (found,) = the_problems('a = 1\nb = """\n')
    assert found.startswith("config.toml:3: this is not TOML: ")


def test_a_parser_that_names_no_line_gets_none() -> None:
    assert syntax(RecursionError(), "", file="config.toml").startswith("config.toml: this is")


def test_the_example_loads_as_it_stands() -> None:
    config = load(EXAMPLE)
    assert config.policy.accepted_by == ""
    assert config.relay.tls == "none"
    assert [purpose.id for purpose in config.purposes] == ["newsletter"]


def test_the_example_documents_every_key_that_is_used() -> None:
    documented = all_keys(tomllib.loads(switched_on(EXAMPLE)))
    assert documented == used_keys(Tables)


def test_the_example_loads_with_every_option_switched_on() -> None:
    text = re.sub(r"(?m)^(privacy_file|logo|maildir) = .*$", "", switched_on(EXAMPLE))
    config = read(text, path=EXAMPLE)
    assert config.sensitive_prepared
    assert config.policy.accepted_on == date(2026, 11, 21)


def test_the_example_has_each_value_that_init_fills_in_on_a_line_of_its_own() -> None:
    lines = EXAMPLE.read_text(encoding="utf-8").splitlines()
    starts = [line.split(" = ")[0] for line in lines if re.fullmatch(r'[a-z_]+ = "[^"]*"', line)]
    wanted = ["name", "name", "postal_address", "email", "url", "url", "from", "public_url"]
    assert [key for key in starts if key in wanted] == wanted


def switched_on(example: Path) -> str:
    """Return the text of *example* with every option that is off switched on."""
    return re.sub(r"(?m)^#(?=[\w\[\"])", "", example.read_text(encoding="utf-8"))


def all_keys(table: dict[str, Any]) -> set[str]:
    """Return `section.key` for every key of the file, without what lies deeper."""
    keys = set()
    for name, value in table.items():
        tables = value if isinstance(value, list) else [value]
        keys |= {f"{name}.{key}" for each in tables for key in each}
    return keys


def used_keys(tables: type[Table]) -> set[str]:
    """Return `section.key` for every key that this release uses."""
    keys = set()
    for name, section in tables.model_fields.items():
        kind: Any = section.annotation
        kind = kind if isinstance(kind, type) and issubclass(kind, Table) else kind.__args__[0]
        for key, field in kind.model_fields.items():
            if not field.json_schema_extra:
                keys.add(f"{name}.{field.alias or key}")
    return keys


def test_what_the_smallest_config_leaves_out_has_its_default() -> None:
    config = a_config()
    assert (config.campaign.answer_days, config.campaign.sensitive) == (30, False)
    assert config.campaign.zone.key == "Europe/Brussels"
    assert config.controller.registration == config.controller.signup_url == ""
    assert config.controller.privacy_file is None
    assert config.relay.reply_to == config.relay.from_
    assert (config.relay.connections, config.relay.give_up_hours) == (10, 72)
    assert config.relay.per_second == 50
    assert (config.web.bind_host, config.web.bind_port) == ("127.0.0.1", 8080)
    assert config.policy.rules(False) == Rules()
    assert config.processors == ()


def test_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    config = a_config(tmp_path / "config.toml")
    assert config.path == tmp_path / "config.toml"
    assert config.folder == tmp_path
    assert config.ledger_path == tmp_path / "repermit.db"
    assert config.keys_dir == tmp_path / "keys"


def test_absolute_paths_stay_as_they_are() -> None:
    assert a_table("keys", 'dir = "/var/keys"').keys_dir == Path("/var/keys")
    ledger = a_table("database", 'url = "sqlite:////var/lib/a.db"').ledger_path
    assert ledger == Path("/var/lib/a.db")


def test_a_relative_path_to_the_file_becomes_absolute() -> None:
    assert a_config("config.toml").path == Path.cwd() / "config.toml"


def test_mails_are_signed_here_or_by_the_relay() -> None:
    config = a_table("relay", 'dkim_key = "keep/dkim.pem"\ndkim_selector = "S2026"')
    assert config.dkim_key == Path("/srv/repermit/keep/dkim.pem")
    assert config.relay.dkim_selector == "s2026"
    assert a_config().dkim_key is None


def test_bounces_may_have_a_domain_of_their_own() -> None:
    config = a_table("relay", 'envelope_domain = "Bounces.Tuinvrienden.example"')
    assert config.relay.envelope_domain == "bounces.tuinvrienden.example"
    assert a_config().relay.envelope_domain == ""


def test_a_privacy_notice_may_be_a_file_beside_the_config(tmp_path: Path) -> None:
    (tmp_path / "notice.txt").write_text("Wij bewaren uw adres.", encoding="utf-8")
    config = a_config(tmp_path / "config.toml", privacy_url='privacy_file = "notice.txt"')
    assert config.controller.privacy_file == tmp_path / "notice.txt"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "is not a file with text in it"),
        (b"\n", "is not a file with text in it"),
        (b"\xef\xbb\xbf", "is not a file with text in it"),
        (b"\xff\xfe", "is not a file with text that can be read"),
        (b"x" * 2_000_001, "is too large, 2000001 bytes; expected .* at most 2 MB"),
    ],
)
def test_a_privacy_notice_without_text_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    (tmp_path / "notice.txt").write_bytes(content)
    with pytest.raises(ConfigInvalid, match=why):
        a_config(tmp_path / "config.toml", privacy_url='privacy_file = "notice.txt"')


def test_an_empty_privacy_file_counts_as_none() -> None:
    assert a_table("controller", 'privacy_file = ""').controller.privacy_file is None


@pytest.mark.parametrize(
    ("url", "host", "port", "user", "tls"),
    [
        ("smtp://localhost", "localhost", 587, None, "none"),
        ("smtp://127.9.0.1:25", "127.9.0.1", 25, None, "none"),
        ("smtp://anna@[::1]:2525", "::1", 2525, "anna", "none"),
        ("smtp://relay.example", "relay.example", 587, None, "starttls"),
        ("smtp://anna@relay.example:25/", "relay.example", 25, "anna", "starttls"),
        ("smtp://anna%40list.example@relay.example", "relay.example", 587, "anna@list.example", 0),
        ("smtp://anna@list.example@relay.example", "relay.example", 587, "anna@list.example", 0),
        ("smtp://10.0.0.1", "10.0.0.1", 587, None, "starttls"),
        ("smtps://relay.example", "relay.example", 465, None, "tls"),
        ("smtps://anna@localhost:4650", "localhost", 4650, "anna", "tls"),
    ],
)
def test_a_relay_is_reached_in_the_clear_on_this_machine_only(
    url: str, host: str, port: int, user: str | None, tls: str | int
) -> None:
    relay = read(SMALLEST.replace("smtp://127.0.0.1:1025", url), path=Path("config.toml")).relay
    assert (relay.host, relay.port, relay.user) == (host, port, user)
    assert relay.tls == (tls or "starttls")


def test_a_relay_elsewhere_is_reached_in_the_clear_only_when_told() -> None:
    relay = a_config(url='url = "smtp://relay.example"\nwithout_tls = true').relay

    assert relay.tls == "none"
    assert not relay.is_on_this_machine


@pytest.mark.parametrize(
    ("text", "mailbox"),
    [
        ("a@list.example", Mailbox("", "a@list.example")),
        ("<a@list.example>", Mailbox("", "a@list.example")),
        ("Anna Peeters <a@list.example>", Mailbox("Anna Peeters", "a@list.example")),
        (r"\"Peeters, Anna\" <a@list.example>", Mailbox("Peeters, Anna", "a@list.example")),
        ("Zoé <a@café.example>", Mailbox("Zoé", "a@xn--caf-dma.example")),
    ],
)
def test_a_mailbox_has_an_address_and_perhaps_a_name(text: str, mailbox: Mailbox) -> None:
    config = a_table("relay", f'reply_to = "{text}"')
    assert config.relay.reply_to == mailbox
    assert config.relay.from_ == Mailbox("", "nieuws@tuinvrienden.example")


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://answer.example", "https://answer.example"),
        ("https://answer.example:8443/list/", "https://answer.example:8443/list"),
        ("https://answer.example/v1.2/...", "https://answer.example/v1.2/..."),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_public_url_loses_its_last_slash(url: str, kept: str) -> None:
    config = read(SMALLEST.replace("http://127.0.0.1:8080", url), path=Path("config.toml"))
    assert config.web.public_url == kept


def test_the_pages_may_listen_on_ipv6() -> None:
    web = a_table("web", 'bind = "[::1]:8081"').web
    assert (web.bind_host, web.bind_port) == ("::1", 8081)


def test_a_purpose_becomes_the_one_of_the_domain() -> None:
    (purpose,) = a_config().purposes
    assert purpose.domain() == Purpose(
        id="newsletter",
        text={"nl": "onze nieuwsbrief"},
        frequency={"nl": "ongeveer één mail per maand"},
    )


def test_the_policy_becomes_the_rules_of_the_domain() -> None:
    policy = a_table(
        "policy",
        'accepted_by = "An"\naccepted_on = "2026-11-20"\nrecent_days = 365\n'
        'reasons = { customer = "They bought.", old_contacts = "We wrote yearly." }\n'
        'override = { "NL.customer" = "ask", "BE.customer" = "withhold" }',
    ).policy
    assert policy.accepted_on == date(2026, 11, 20)
    assert policy.rules(True) == Rules(
        recent_days=365,
        reasons={"customer": "They bought."},
        old_contacts="We wrote yearly.",
        overrides={"NL.customer": Outcome.ASK, "BE.customer": Outcome.WITHHOLD},
        sensitive_prepared=True,
    )


def test_a_date_may_be_empty() -> None:
    assert a_table("policy", 'accepted_on = ""').policy.accepted_on is None


def test_every_relationship_that_can_be_asked_can_have_its_reason() -> None:
    lines = "\n".join(f'{name} = "Because."' for name in CAN_BE_ASKED)
    assert a_table("policy.reasons", lines).policy.rules(False).reasons.keys() == CAN_BE_ASKED


def test_the_table_of_the_example_is_the_one_of_this_release() -> None:
    assert load(EXAMPLE).policy.table == TABLE_VERSION


PREPARED = ('dpo = "An"\ndpia = "DPIA 7"', "Mail Relay", "be", "contract 14")


@pytest.mark.parametrize(
    ("controller", "role", "country", "agreement", "is_prepared"),
    [
        (*PREPARED, True),
        (PREPARED[0], "hosting", "BE", "contract 14", False),
        (PREPARED[0], "relay", "GB", "contract 14", False),
        (PREPARED[0], "relay", "NO", "", False),
        ('dpo = "An"', *PREPARED[1:], False),
        ('dpia = "DPIA 7"', *PREPARED[1:], False),
    ],
)
def test_a_sensitive_list_needs_a_dpo_a_dpia_and_a_relay_in_the_eea(
    controller: str, role: str, country: str, agreement: str, is_prepared: bool
) -> None:
    text = SMALLEST.replace("[controller]", f"[controller]\n{controller}")
    text += f'[[processors]]\nname = "M"\nrole = "{role}"\ncountry = "{country}"\n'
    config = read(text + f'agreement = "{agreement}"\n', path=Path("config.toml"))
    assert config.sensitive_prepared is is_prepared
    assert config.processors[0].country == country.upper()
    assert config.processors[0].date is None


@pytest.mark.parametrize(
    ("url", "host", "port", "tls", "folder"),
    [
        ("imaps://bounces@mail.example.org", "mail.example.org", 993, "tls", "INBOX"),
        (
            "imap://a%40b@mail.example.org:1143/In%20hier",
            "mail.example.org",
            1143,
            "starttls",
            "In hier",
        ),
        ("imap://bounces@127.0.0.1/terug", "127.0.0.1", 143, "none", "terug"),
    ],
)
def test_a_mailbox_is_read_by_imap_in_the_clear_on_this_machine_only(
    url: str, host: str, port: int, tls: str, folder: str
) -> None:
    config = read(SMALLEST + f'[inbound]\nimap = "{url}"\n', path=Path("config.toml"))
    server = config.inbound.server
    assert server is not None
    assert (server.host, server.port, server.tls, config.inbound.folder) == (
        host,
        port,
        tls,
        folder,
    )


def test_a_maildir_stands_beside_the_config() -> None:
    config = read(SMALLEST + '[inbound]\nmaildir = "Maildir"\n', path=Path("/x/config.toml"))
    assert config.maildir == Path("/x/Maildir")
    assert config.inbound_dir == Path("/x/inbound")
    assert config.inbound.is_configured


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("", []),
        ("127.0.0.1", ["127.0.0.1/32"]),
        (" 10.0.0.0/8 ", ["10.0.0.0/8"]),
        ("::1", ["::1/128"]),
    ],
)
def test_a_trusted_proxy_is_an_address_or_a_network(written: str, read_as: list[str]) -> None:
    config = read(f'{SMALLEST}trusted_proxy = "{written}"\n', path=Path("config.toml"))
    assert list(map(str, config.web.trusted_proxy)) == read_as


def test_a_config_cannot_be_changed() -> None:
    config = a_config()
    with pytest.raises(ValueError, match="frozen"):
        config.campaign.name = "Other"
    with pytest.raises(TypeError):
        config.purposes[0].text["nl"] = "anders"  # type: ignore[index]  # that it fails is tested
    with pytest.raises(TypeError):
        config.policy.override["NL.customer"] = "ask"  # type: ignore[index]  # that it fails is tested


def test_a_file_with_a_byte_order_mark_and_windows_line_ends_loads(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SMALLEST.replace("\n", "\r\n").encode())
    assert load(path).campaign.name == "Members 2026"
    path.write_bytes(path.read_bytes() + b'bind = "x"\r\n')
    with pytest.raises(ConfigInvalid, match=r"^config\.toml:24: web\.bind: "):
        load(path)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no_such.toml", "there is no such config file"),
        (".", "this is a folder, not a file"),
        ("latin1.toml/config.toml", "this file cannot be read"),
        ("nul\0.toml", "this file cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_clear_line(
    tmp_path: Path, name: str, sentence: str
) -> None:
    (tmp_path / "latin1.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(ConfigInvalid) as refused:
        load(tmp_path / name)
    assert refused.value.problems == (f"{tmp_path / name}: {sentence}",)
    assert "repermit init" in refused.value.hint


def test_a_file_that_is_not_utf8_is_to_be_saved_as_it(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b'name = "caf\xe9"')
    with pytest.raises(ConfigInvalid, match="this is not UTF-8 text") as refused:
        load(tmp_path / "config.toml")
    assert "save it with the encoding UTF-8" in refused.value.hint
    assert "init" not in refused.value.hint


@pytest.mark.parametrize("kind", ["pipe", "device", "large"])
def test_what_is_no_config_is_not_read_to_its_end(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "config.toml"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    else:
        path.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(ConfigInvalid, match=r"larger than 1 MB|a device or a pipe") as refused:
        load(path)
    assert "--config FILE" in refused.value.hint


def test_the_line_finder_follows_every_way_to_write_a_key() -> None:
    text = """# a comment with a ' and a [
[a.b]
c."d.e".'f' = 1
g = \"\"\"
x = 1
[not.a.table]\\\"\"\"\"\"\"
h = '''
y = "'''''
i = [ # ]
  "]", [1, 2],
]
[[j]]
k = { l = 1 }   # no line of its own
[[j.m]]
[[j.m]]
n.o = 1
[[j]]
m = []
[a] # after its child
p = ''
[j.q]
"""
    tomllib.loads(text)
    lines = Lines(text)
    places: list[tuple[tuple[str | int, ...], int | None]] = [
        (("a",), 19),
        (("a", "b"), 2),
        (("a", "b", "c", "d.e", "f"), 3),
        (("a", "b", "g"), 4),
        (("a", "b", "h"), 7),
        (("a", "b", "i", 2), 9),
        (("j",), 12),
        (("j", 0, "k", "l"), 13),
        (("j", 0, "m", 1), 15),
        (("j", 0, "m", 1, "n", "o"), 16),
        (("j", 1), 17),
        (("j", 1, "m"), 18),
        (("a", "p"), 20),
        (("j", 1, "q"), 21),
        (("not",), None),
        ((), None),
    ]
    assert [(place, lines.of(place)) for place, _ in places] == places


def test_a_secret_comes_from_the_environment_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "REPERMIT_RELAY_PASSWORD").write_text("from a file\n", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("REPERMIT_RELAY_PASSWORD", "from the environment")
    assert secret("REPERMIT_RELAY_PASSWORD") == "from the environment"
    monkeypatch.delenv("REPERMIT_RELAY_PASSWORD")
    assert secret("REPERMIT_RELAY_PASSWORD") == "from a file"
    assert secret("REPERMIT_OTHER") is None


def test_no_secret_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    monkeypatch.setenv("REPERMIT_RELAY_PASSWORD", "")
    assert secret("REPERMIT_RELAY_PASSWORD") is None


def test_a_secret_that_cannot_be_read_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "REPERMIT_RELAY_PASSWORD").mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    with pytest.raises(ConfigInvalid, match="REPERMIT_RELAY_PASSWORD"):
        secret("REPERMIT_RELAY_PASSWORD")


NUMBERS = ["1", "-1", "1e400", "nan", "inf", "9" * 4000, "2026-11-21", "2026-11-21T10:00:00Z"]
TEXTS = ['""', '"\\u0000"', '"""\n"""', '"smtp://[::1"', '"//"', '"https://x:y"', '"a@b.example"']
NESTED = ["[]", "{}", "[[], {}]", "[1]", "{ nl = 1 }", "{ a.b.c = [] }", '["nl", "nl"]', "true"]
VALUES = st.sampled_from([*NUMBERS, *TEXTS, *NESTED]) | st.text(max_size=20).map('"{}"'.format)
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()
KEYED = [number for number, line in enumerate(LINES) if line and not line.startswith("# ")]


@st.composite
def broken_examples(draw: st.DrawFn) -> str:
    """Return the example with some lines dropped, doubled, moved, switched on or given values."""
    lines = list(LINES)
    for number in draw(st.lists(st.sampled_from(KEYED), min_size=1, max_size=6)):
        key = lines[number].lstrip("#").partition(" = ")[0]
        lines[number] = draw(
            st.sampled_from(["", f"{key}\n{key}", key, lines[number].lstrip("#"), lines[number]])
            | st.sampled_from(LINES)
            | VALUES.map(f"{key} = {{}}".format)
        )
    return "\n".join(lines)


@settings(max_examples=150, deadline=None)
@given(st.text() | broken_examples())
def test_no_text_makes_anything_but_a_config_or_its_problems(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.toml")
        path.write_text(text, encoding="utf-8", newline="")
        try:
            config = load(path)
        except ConfigInvalid as refused:
            problems, config = refused.problems, None
    if config is None:
        assert problems
        assert all(each.startswith("config.toml") for each in problems)
    else:
        assert config.policy.rules(config.sensitive_prepared).sensitive_prepared is False
        assert config.relay.port > 0
