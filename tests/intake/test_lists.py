"""Lists as they come out of Excel, Outlook, a dead newsletter tool or a phone.

Each file in `lists` carries one trouble; the table says what a careful officer expects of it.
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from repermit.cli import main
from repermit.domain.address import parse
from repermit.errors import AddressRejected, ListUnreadable, ListUnsure
from repermit.intake.listfile import ListFile, Reading, open_lists
from tests.builders import FakeClock

LISTS = Path(__file__).parent / "lists"
_ADDRESS = re.compile(r"\w@\w")  # a masked one has a dot before its @
_NOT_LISTS = {".gitattributes", "README.md"}

_WHO = ("--relationship", "signed_up_no_proof")
_WHERE = ("--country", "BE")
_FROM = ("--source", "ledenformulier")
_SINCE = ("--collected", "2025-03-01")
WHOLE = (*_WHO, *_WHERE, *_FROM, *_SINCE)  # lets everyone be asked of whom a row says nothing

Cells = Mapping[str, Mapping[str, Any]]  # by mailbox, then by field


@dataclass(frozen=True)
class Case:
    """One file, and what must come of it when it is imported with *words*."""

    file: str
    rows: int
    admitted: int
    duplicates: int = 0
    rejected: int = 0
    suppressed: int = 0
    withheld: int = 0
    exempt: int = 0
    fields: str | None = ""  # those that a column is read for; None: whatever the format tells
    lists: int = 1
    words: tuple[str, ...] = WHOLE
    reading: Reading = field(default_factory=Reading)
    said: Cells = field(default_factory=dict)  # what cells say, as written
    known: Cells = field(default_factory=dict)  # what is on file of them afterwards
    reasons: Mapping[str, int] = field(default_factory=dict)  # why the withheld are withheld
    told: str = ""  # a pattern of what the operator must be told

    def __str__(self) -> str:
        return self.file

    @property
    def listed(self) -> int:
        """Return how many may be asked: everybody else who was admitted."""
        return self.admitted - self.withheld - self.exempt


@dataclass(frozen=True)
class NoList:
    """One file that must be refused, and a pattern of why."""

    file: str
    why: str

    def __str__(self) -> str:
        return self.file


ENCODED = (
    Case(
        *("comma-utf8.csv", 8, 8),
        fields="country language",
        said={"zoe.verzonnen@telenet.be": {"country": "België", "language": "nl"}},
        known={
            "celine.inventee@orange.fr": {"country": "FR", "language": "fr"},
            "juergen.erfunden@gmx.de": {"country": "DE", "language": "de"},
        },
    ),
    Case(
        *("semicolon-cp1252.csv", 6, 6),
        fields="source",
        said={
            "zoe.verzonnen@telenet.be": {"source": "beurs Liège – 5 €"},
            "andre.nepnaam@skynet.be": {"source": "tuindag ’24"},
        },
    ),
    Case(
        *("utf8-bom-quoted.csv", 5, 5),
        fields="country language",
        known={"max.erfunden@gmx.de": {"country": "DE", "language": "de"}},
    ),
    *(
        Case(
            *(name, 5, 5),
            fields="source",
            said={"zoe.verzonnen@telenet.be": {"source": "opendeurdag café"}},
        )
        for name in (
            "excel-unicode-text-utf16le.txt",
            "utf16be-bom.csv",
            "utf16le-without-bom.tsv",
        )
    ),
    Case(
        *("pipe-iso8859-15.txt", 6, 6),
        fields="source",
        said={
            "odile.inventee@orange.fr": {"source": "carte de vœux, 5 €"},
            "rene.exemple@orange.fr": {"source": "fête des fleurs"},
        },
    ),
    Case(
        *("mac-roman-cr.csv", 5, 5),
        fields="source",
        said={
            "zoe.inventee@orange.fr": {"source": "foire de Liège, été"},
            "juergen.erfunden@gmx.de": {"source": "Gärtnertag Düsseldorf"},
        },
    ),
    Case(
        *("dos-cp850.csv", 5, 5),
        fields="source",
        said={
            "juergen.erfunden@gmx.de": {"source": "Frühlingsmarkt Köln"},
            "kaethe.beispiel@gmx.de": {"source": "Straßenfest"},
        },
    ),
    Case(
        *("emoji.csv", 5, 5),
        fields="source",
        said={"an.verzonnen@telenet.be": {"source": "markt 🌻"}},
    ),
    Case("windows-eof.csv", 5, 5),
)

DELIMITED = (
    Case("tab-lf.tsv", 5, 5),
    Case("sep-line.csv", 5, 5, fields="language"),
    Case("sep-line-quoted-pipe.csv", 5, 5),
    Case(
        *("semicolon-names-with-commas.csv", 5, 5),
        fields="country",
        said={"an.verzonnen@telenet.be": {"country": "BE"}},
    ),
    Case(
        *("quoted-line-breaks.csv", 5, 5),
        fields="country",
        said={"bo.nepnaam@skynet.be": {"country": "BE"}},
    ),
    Case("stray-quotes.csv", 6, 6, fields="country"),
    Case("unclosed-quote.csv", 8, 8, fields="country"),
    Case(
        *("ragged-rows.csv", 7, 5),
        rejected=2,
        fields="country language",
        said={"bo.nepnaam@skynet.be": {"country": "", "language": ""}},
        known={"els.bedacht@telenet.be": {"country": "BE", "language": "fr"}},
    ),
    Case("blank-and-comment-lines.csv", 5, 4, rejected=1, fields="country"),
    Case("trailing-delimiters.csv", 5, 5, fields="country"),
    Case("long-cells.csv", 5, 4, rejected=1),
    Case("formula-cells.csv", 6, 5, rejected=1, fields="source"),
    Case("no-header.csv", 6, 5, rejected=1),
    Case(
        *("no-header.csv", 6, 5),
        rejected=1,
        fields="source",
        words=(*WHOLE, "--map", "source=3"),
        reading=Reading(mapping={"source": "3"}),
        said={"emile.exemple@skynet.be": {"source": "4000 Liège"}},
    ),
    Case("title-lines.csv", 5, 5, fields="country"),
    Case("title-with-contact-address.csv", 5, 5, fields="language"),
    Case("footer-total.csv", 5, 4, rejected=1),
    Case("address-last.csv", 5, 4, rejected=1),
)

SEVERAL = (
    Case("outlook-two-addresses.csv", 8, 5, duplicates=1, rejected=2),
    Case("google-contacts.csv", 7, 6, rejected=1),
    Case(
        *("several-addresses-in-a-cell.csv", 18, 16),
        duplicates=1,
        rejected=1,
        fields="country",
        said={"lot.fictief@ziggo.nl": {"country": "NL"}},
        known={"els.bedacht@telenet.be": {"country": "BE"}},
    ),
    Case("name-and-address-cells.csv", 9, 9),
    Case("pasted-from-outlook.txt", 8, 8),
    Case("pasted-from-gmail.txt", 8, 7, duplicates=1),
    Case("pasted-name-without-address.txt", 6, 5, rejected=1),
    Case("one-address-a-line.txt", 11, 9, duplicates=1, rejected=1),
)

OTHER_FORMATS = (
    Case(
        *("newsletter-tool.jsonl", 7, 4),
        duplicates=1,
        rejected=1,
        suppressed=1,
        withheld=2,
        fields="collected country language opted_out source",
        words=_WHO,
        said={"bo.nepnaam@skynet.be": {"source": "café Liège"}},
        known={"Chloe.Inventee@orange.fr": {"collected": "2019-12-31", "language": "fr"}},
        reasons={"contact_too_old": 1, "collected_missing": 1},
    ),
    Case(
        *("late-keys-and-broken-line.jsonl", 9, 5),
        rejected=2,
        suppressed=2,
        fields="opted_out",
    ),
    Case(
        *("contacts-vcard3.vcf", 5, 5),
        fields=None,
        told="1 card",
        known={"bo.met.een.heel.lang.verzonnen.adres.dat.niet.past@skynet.be": {}},
    ),
    Case(
        *("phone-vcard4.vcf", 6, 4),
        duplicates=1,
        rejected=1,
        fields=None,
        known={"zoe.werk@example.org": {"country": "BE"}},
    ),
    Case(
        *("old-phone-vcard21.vcf", 5, 5),
        fields=None,
        known={"juergen.mueller.erfunden@gmx.de": {}},
    ),
    Case(
        *("dates-and-booleans.xlsx", 8, 5),
        duplicates=1,
        rejected=1,
        suppressed=1,
        withheld=1,
        fields="collected country last_contact opted_out",
        words=(*_WHO, *_FROM),
        known={
            "bo.nepnaam@skynet.be": {"collected": "2019-12-31", "last_contact": "2025-05-05"},
            "els.bedacht@telenet.be": {"collected": "2025-02-28", "country": "BE"},
        },
        reasons={"old_contact_not_explained": 1},
    ),
    Case(
        *("title-rows.xlsx", 7, 6),
        rejected=1,
        fields="language",
        known={"max.erfunden@gmx.de": {"language": "de"}},
    ),
    Case(
        *("two-sheets-of-addresses.xlsx", 5, 5),
        fields="country",
        words=(*WHOLE, "--sheet", "Leden 2024"),
        reading=Reading(sheet="Leden 2024"),
    ),
    Case(
        *("two-sheets-of-addresses.xlsx", 5, 5),
        words=(*WHOLE, "--sheet", "Leden 2023"),
        reading=Reading(sheet="Leden 2023"),
    ),
    Case(
        *("excel-2003.xls", 5, 4),
        rejected=1,
        withheld=1,
        fields="collected country",
        words=(*_WHO, *_FROM),
        known={"zoe.verzonnen@telenet.be": {"collected": "2024-12-31", "country": "BE"}},
        reasons={"old_contact_not_explained": 1},
    ),
    Case(
        *("libreoffice-repeated-cells.ods", 6, 4),
        rejected=1,
        suppressed=1,
        withheld=2,
        fields="collected country opted_out",
        words=(*_WHO, *_FROM),
        known={"an.verzonnen@telenet.be": {"collected": "2025-03-01"}},
        reasons={"old_contact_not_explained": 1, "collected_missing": 1},
    ),
    Case("semicolon-cp1252.csv.gz", 5, 5, fields="country"),
    Case("sheet.xlsx.gz", 5, 5),
    Case("one-list.zip", 5, 5, fields="country"),
    Case(
        *("three-lists.zip", 10, 8),
        duplicates=1,
        rejected=1,
        fields=None,
        lists=3,
        known={"emile.exemple@skynet.be": {"language": "fr"}},
    ),
)

ADDRESSES = (
    Case(
        *("troubled-addresses.csv", 21, 10),
        rejected=11,
        fields="country",
        known={
            "fien.nepnaam@skynet.be": {"country": "BE"},
            "Otto.Erfunden@gmx.de": {"country": "DE"},
            "dirk.bedacht@telenet.be": {"country": "BE"},
        },
    ),
    Case(
        *("international-addresses.csv", 9, 5),
        duplicates=4,
        known={
            "jörg.erfunden@xn--mller-beispiel-gsb.example": {},
            "zoë@voorbeeld.example": {},
            "zoe@voorbeeld.example": {},
        },
    ),
    Case(
        *("duplicates.csv", 10, 6),
        duplicates=4,
        known={"an.verzonnen+tuin@telenet.be": {}, "bonepnaam@skynet.be": {}},
    ),
    Case(
        *("duplicates-richer-later.csv", 5, 3),
        duplicates=2,
        withheld=1,
        fields="collected country relationship source",
        words=(),
        known={
            "AN.Verzonnen@telenet.be": {"source": "beurs Gent", "collected": "2025-05-04"},
            "bo.nepnaam@skynet.be": {"source": "tuindag", "collected": "2025-03-01"},
        },
        reasons={"relationship_missing": 1},
    ),
)

EVIDENCE = (
    Case(
        *("relationships.csv", 15, 15),
        withheld=12,
        fields="collected country relationship source",
        words=(),
        reasons={
            "evidence_incomplete": 2,
            "ended_missing": 1,
            "forbidden_here": 2,
            "not_a_legal_person": 1,
            "never_asked": 2,
            "relationship_unknown": 1,
            "relationship_missing": 1,
            "country_not_covered": 1,
            "country_missing": 1,
        },
    ),
    Case(
        *("countries-four-languages.csv", 20, 20),
        withheld=5,
        fields="country",
        words=(*_WHO, *_FROM, *_SINCE),
        known={
            "cas@voorbeeld.example": {"country": "BE"},
            "kim@voorbeeld.example": {"country": "DE"},
            "otto@voorbeeld.example": {"country": "AT"},
        },
        reasons={"forbidden_here": 2, "country_not_covered": 2, "country_missing": 1},
        told="country.*underst|underst.*country",
    ),
    Case(
        *("languages-four-languages.csv", 13, 13),
        fields="language",
        known={
            "dirk@voorbeeld.example": {"language": "nl"},
            "fien@voorbeeld.example": {"language": "fr"},
            "jan@voorbeeld.example": {"language": "de"},
            "leo@voorbeeld.example": {"language": None},
        },
        told="language.*underst|underst.*language",
    ),
    Case(
        *("dates-day-first.csv", 11, 11),
        withheld=4,
        fields="collected",
        words=(*_WHO, *_WHERE, *_FROM),
        known={
            "els.bedacht@telenet.be": {"collected": "2024-04-05"},
            "fien.nepnaam@skynet.be": {"collected": "2023-12-11"},
            "kim.voorbeeld@skynet.be": {"collected": "2024-05-17"},
        },
        reasons={"old_contact_not_explained": 1, "collected_missing": 2, "date_in_future": 1},
        told="collected.*underst|underst.*collected",
    ),
    Case(
        *("dates-iso.csv", 7, 7),
        withheld=3,
        fields="collected last_contact",
        words=(*_WHO, *_WHERE, *_FROM),
        known={"cas.fictief@ziggo.nl": {"collected": "2019-12-31", "last_contact": "2025-06-30"}},
        reasons={"old_contact_not_explained": 1, "collected_missing": 2},
    ),
    Case(
        *("dates-us.csv", 5, 5),
        withheld=2,
        fields="collected",
        words=(*_WHO, *_WHERE, *_FROM),
        known={
            "an.verzonnen@telenet.be": {"collected": "2023-11-12"},
            "bo.nepnaam@skynet.be": {"collected": "2025-02-03"},
        },
        reasons={"old_contact_not_explained": 2},
    ),
    Case(
        *("dates-in-words.csv", 7, 7),
        withheld=5,
        fields="collected",
        words=(*_WHO, *_WHERE, *_FROM),
        told="collected.*underst|underst.*collected",
    ),
    Case(
        *("null-cells.csv", 7, 5),
        rejected=1,
        suppressed=1,
        withheld=3,
        fields="collected country language opted_out source",
        words=_WHO,
        reasons={"country_missing": 1, "collected_missing": 2},
    ),
    Case(
        *("customers-full-evidence.csv", 8, 8),
        withheld=5,
        exempt=3,
        fields="collected country ended given_directly language objection_offered own_products"
        " proof_ref relationship sale_ref source",
        words=(),
        known={
            "remi.exemple@orange.fr": {"objection_offered": False, "given_directly": True},
            "rose.exemple@skynet.be": {"ended": "2025-12-31", "sale_ref": "F 2023/02"},
        },
        reasons={"evidence_incomplete": 3, "recent_days_missing": 1, "ended_missing": 1},
    ),
    Case(
        *("company-mailboxes.csv", 6, 6),
        withheld=4,
        exempt=1,
        fields="collected country legal_person relationship source",
        words=(),
        reasons={"not_a_legal_person": 2, "reason_missing": 1, "forbidden_here": 1},
    ),
)

STOPS = (
    Case("opted-out-nl.csv", 8, 4, suppressed=4, fields="opted_out", told="opted.out"),
    Case("opted-out-fr.csv", 6, 3, suppressed=3, fields="opted_out opted_out"),
    Case("opted-out-de.csv", 6, 3, suppressed=3, fields="opted_out", told="opted.out"),
    Case("opted-out-en.csv", 7, 3, rejected=1, suppressed=3, fields="opted_out opted_out"),
    Case("long-stop-headers.csv", 6, 3, suppressed=3, fields="opted_out opted_out opted_out"),
    Case("newsletter-no.csv", 6, 3, suppressed=3, fields="opted_in"),
    Case("inscrit-a-la-newsletter.csv", 5, 3, suppressed=2, fields="opted_in"),
    Case("newsletter-erwuenscht.csv", 5, 4, suppressed=1, fields="opted_in"),
    Case("opt-in-false.csv", 5, 3, suppressed=2, fields="opted_in"),
    Case(
        *("mailchimp-status.csv", 7, 4),
        suppressed=3,
        withheld=2,
        fields="collected status",
        words=(*_WHO, *_WHERE, *_FROM),
        reasons={"old_contact_not_explained": 1, "collected_missing": 1},
    ),
    Case("contradicting-opt-outs.csv", 6, 2, suppressed=4, fields="opted_out"),
)

CASES = (
    *ENCODED,
    *DELIMITED,
    *SEVERAL,
    *OTHER_FORMATS,
    *ADDRESSES,
    *EVIDENCE,
    *STOPS,
)

NO_LISTS = (
    NoList("empty.csv", "empty"),
    NoList("header-only.csv", "no rows|header"),
    NoList("no-address-column.csv", "address"),
    NoList("html-table.xls", "html|web page"),
    NoList("picture.csv", "picture|image|not text|binary|no list"),
    NoList("password.xlsx", "password|encrypt|protected"),
    NoList("password.zip", "password|encrypt|protected"),
    NoList("zip-in-zip.zip", "archive|zip"),
    NoList("two-sheets-of-addresses.xlsx", "Leden 2023.*Leden 2024"),
)


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign with a config and keys, never written to again."""
    folder = tmp_path_factory.mktemp("lists") / "campaign"
    with _captured() as (_, err):
        code = main(["init", str(folder), "--yes"], clock=FakeClock())
    assert code == 0, err.getvalue()
    config = folder / "config.toml"
    text = config.read_text("utf-8").replace('accepted_by = ""', 'accepted_by = "An Peeters"')
    config.write_text(text, "utf-8")
    return folder


@pytest.fixture
def campaign(begun: Path, tmp_path: Path) -> Path:
    """The config of a copy of that campaign, for this test alone."""
    return shutil.copytree(begun, tmp_path / "campaign") / "config.toml"


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_row_of_the_file_is_found(case: Case) -> None:
    found: dict[str, dict[str, str]] = {}
    with _opened(case) as lists:
        rows = 0
        for each in lists:
            for row in each.rows():
                rows += 1
                assert len(row.said) == len(each.fields)
                with contextlib.suppress(AddressRejected):
                    cells = dict(zip(each.fields, row.said, strict=True))
                    found.setdefault(parse(row.address).mailbox, cells)
        fields = sorted(field for each in lists for field in each.fields)

    assert (len(lists), rows) == (case.lists, case.rows)
    if case.fields is not None:
        assert fields == case.fields.split()
    for mailbox, said in case.said.items():
        assert found[mailbox].items() >= said.items()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_comes_of_the_file_is_what_an_officer_expects(case: Case, campaign: Path) -> None:
    result, told = imported(case, campaign)

    counts = ("read", "admitted", "duplicates", "rejected", "suppressed")
    standings = ("listed", "withheld", "exempt")
    wanted = {"read": case.rows} | {name: getattr(case, name) for name in counts[1:] + standings}
    assert {name: result[name] for name in wanted} == wanted
    assert result["read"] == sum(result[name] for name in counts[1:])
    assert result["admitted"] == sum(result[name] for name in standings)
    assert result["reasons"].items() >= case.reasons.items()
    assert re.search(case.told, told, re.IGNORECASE)
    for mailbox, known in case.known.items():
        assert _on_file(campaign, mailbox).items() >= known.items()


@pytest.mark.parametrize("case", NO_LISTS, ids=str)
def test_what_is_no_list_is_refused_and_says_why(case: NoList, campaign: Path) -> None:
    with pytest.raises(ListUnreadable) as refused:
        open_lists(LISTS / case.file, Reading())

    told = f"{refused.value} {refused.value.hint}"
    assert re.search(case.why, told, re.IGNORECASE)
    assert refused.value.hint
    assert not _ADDRESS.search(told)
    with _captured() as (out, _):
        code = main(
            ["--config", str(campaign), "import", str(LISTS / case.file), "--json"],
            clock=FakeClock(),
        )
    assert (code, json.loads(out.getvalue())["error"]) == (1, str(refused.value))


def test_a_book_with_two_lists_shows_both_readings() -> None:
    with pytest.raises(ListUnsure) as unsure:
        open_lists(LISTS / "two-sheets-of-addresses.xlsx", Reading())

    assert unsure.value.option == "sheet"
    assert [value for value, _ in unsure.value.readings] == ["Leden 2023", "Leden 2024"]


def test_every_file_is_in_the_table_and_in_the_readme() -> None:
    files = {path.name for path in LISTS.iterdir()} - _NOT_LISTS
    readme = (LISTS / "README.md").read_text("utf-8")

    assert files == {case.file for case in CASES} | {case.file for case in NO_LISTS}
    assert files == set(re.findall(r"^- `([^`]+)`: ", readme, re.MULTILINE))


def test_the_files_are_small_and_named_for_their_trouble() -> None:
    for path in LISTS.iterdir():
        assert path.stat().st_size < 12_288, path.name
        assert path.name in _NOT_LISTS or re.fullmatch(r"[a-z0-9.-]+", path.name)


def imported(case: Case, config: Path) -> tuple[dict[str, Any], str]:
    """Import the file of *case* as an operator does; return its figures and what was told."""
    words = ["--config", str(config), "import", str(LISTS / case.file), *case.words, "--json"]
    with _captured() as (out, err):
        code = main(words, clock=FakeClock())
    assert code == 0, out.getvalue() + err.getvalue()
    assert not _ADDRESS.search(out.getvalue() + err.getvalue())
    result = json.loads(out.getvalue())
    assert isinstance(result, dict)
    return result, err.getvalue()


def _on_file(config: Path, mailbox: str) -> dict[str, Any]:
    """Return what `person` shows of one mailbox; their evidence beside the rest."""
    with _captured(mailbox) as (out, err):
        code = main(["--config", str(config), "person", "--json"], clock=FakeClock())
    assert code == 0, err.getvalue()
    found = json.loads(out.getvalue())["on_file"]
    assert found["address"] == mailbox
    return {**found, **found["evidence"]}


@contextlib.contextmanager
def _opened(case: Case) -> Iterator[list[ListFile]]:
    with ExitStack() as stack:
        lists = open_lists(LISTS / case.file, case.reading)
        yield [stack.enter_context(each) for each in lists]


@contextlib.contextmanager
def _captured(typed: str = "") -> Iterator[tuple[io.StringIO, io.StringIO]]:
    """Give a command *typed* as its standard input, and yield what it prints."""
    before, out, err = sys.stdin, io.StringIO(), io.StringIO()
    sys.stdin = io.TextIOWrapper(io.BytesIO(typed.encode()), encoding="utf-8")
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield out, err
    finally:
        sys.stdin = before
