from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.domain.policy import (
    CAN_BE_ASKED,
    CURES,
    NEVER_ASKED,
    Decision,
    Evidence,
    Outcome,
    Reason,
    Rules,
    decide,
    is_cell,
    owes_acknowledgement,
)
from repermit.domain.relationship import Relationship

TODAY = date(2026, 11, 21)
ASK, EXEMPT, WITHHOLD = Outcome.ASK, Outcome.EXEMPT, Outcome.WITHHOLD
COUNTRIES = ("BE", "NL", "FR", "DE", "GB", "IT")  # Italy stands for the rest of the EU and EEA
THE_REST = [
    *("AT", "BG", "CY", "CZ", "DK", "EE", "ES", "FI", "GR", "HR", "HU", "IE", "IS", "LI"),
    *("IT", "LT", "LU", "LV", "MT", "NO", "PL", "PT", "RO", "SE", "SI", "SK"),
]
FULL: dict[str, Any] = {
    "source": "the web shop",
    "collected": date(2025, 3, 1),
    "last_contact": date(2026, 1, 10),
    "sale_ref": "invoice 2025-117",
    "proof_ref": "row 12 of the sign-up table",
    "given_directly": True,
    "objection_offered": True,
    "own_products": True,
    "legal_person": True,
}
RULES = Rules(recent_days=730, reasons=dict.fromkeys(CAN_BE_ASKED, "my reason"))
RECENT, LONG_AGO = date(2026, 6, 1), date(2022, 6, 1)
_ALL_EXEMPT = (EXEMPT,) * 6
_ALL_WITHHOLD = (WITHHOLD,) * 6
TABLE: list[tuple[str, date | None, tuple[Outcome, ...]]] = [
    ("bought_or_unknown", None, _ALL_WITHHOLD),
    ("unfinished_form", None, _ALL_WITHHOLD),
    ("signed_up_with_proof", None, _ALL_EXEMPT),
    ("customer", None, _ALL_EXEMPT),
    ("past_customer", RECENT, _ALL_EXEMPT),
    ("past_customer", LONG_AGO, _ALL_WITHHOLD),
    ("signed_up_no_proof", None, (ASK, ASK, ASK, ASK, WITHHOLD, ASK)),
    ("gave_address_only", None, _ALL_WITHHOLD),
    ("company_mailbox", None, (EXEMPT, ASK, ASK, WITHHOLD, WITHHOLD, WITHHOLD)),
]
CELLS = [
    pytest.param(name, ended, country, outcome, id=f"{country}.{name}.{ended or ''}")
    for name, ended, outcomes in TABLE
    for country, outcome in zip(COUNTRIES, outcomes, strict=True)
]


def decided(relationship: str | None, country: str | None, **changes: Any) -> Decision:
    """Return the decision on full evidence with some of it changed; `rules` are RULES."""
    rules = changes.pop("rules", RULES)
    evidence = Evidence(relationship=relationship, country=country, **(FULL | changes))
    return decide(evidence, rules, today=TODAY)


@pytest.mark.parametrize(("relationship", "ended", "country", "outcome"), CELLS)
def test_every_cell_of_the_table_with_full_evidence(
    relationship: str, ended: date | None, country: str, outcome: Outcome
) -> None:
    decision = decided(relationship, country, ended=ended)

    assert decision.outcome is outcome
    assert decision.cell == f"{country}.{relationship}"


def test_the_table_here_names_every_relationship() -> None:
    assert {name for name, _, _ in TABLE} == set(Relationship)


@pytest.mark.parametrize("country", THE_REST)
def test_every_other_country_of_the_eu_and_eea_is_covered(country: str) -> None:
    assert decided("signed_up_no_proof", country).outcome is ASK


@pytest.mark.parametrize("country", ["CH", "US", "UK", "be", "EEA", "EU", "XX", " BE"])
def test_a_country_that_the_table_does_not_cover_withholds(country: str) -> None:
    decision = decided("signed_up_with_proof", country)

    assert (decision.outcome, decision.reason) == (WITHHOLD, Reason.COUNTRY_NOT_COVERED)


@pytest.mark.parametrize(
    ("relationship", "country", "changes", "reason"),
    [
        (None, "BE", {}, Reason.RELATIONSHIP_MISSING),
        ("", "BE", {}, Reason.RELATIONSHIP_MISSING),
        ("lid", "BE", {}, Reason.RELATIONSHIP_UNKNOWN),
        ("signed_up_no_proof", None, {}, Reason.COUNTRY_MISSING),
        ("signed_up_no_proof", "", {}, Reason.COUNTRY_MISSING),
        ("bought_or_unknown", "BE", {}, Reason.NEVER_ASKED),
        ("unfinished_form", "FR", {}, Reason.NEVER_ASKED),
        ("gave_address_only", "NL", {}, Reason.FORBIDDEN_HERE),
        ("signed_up_no_proof", "GB", {}, Reason.FORBIDDEN_HERE),
        ("signed_up_no_proof", "BE", {"source": None}, Reason.SOURCE_MISSING),
        ("signed_up_no_proof", "BE", {"source": ""}, Reason.SOURCE_MISSING),
        ("signed_up_no_proof", "BE", {"collected": None}, Reason.COLLECTED_MISSING),
        ("signed_up_no_proof", "BE", {"rules": Rules()}, Reason.REASON_MISSING),
        (
            "signed_up_no_proof",
            "BE",
            {"rules": Rules(reasons={"signed_up_no_proof": ""})},
            Reason.REASON_MISSING,
        ),
        ("signed_up_no_proof", "BE", {"sensitive": True}, Reason.SENSITIVE_UNPREPARED),
        ("signed_up_with_proof", "BE", {"source": None}, Reason.EVIDENCE_INCOMPLETE),
        ("signed_up_with_proof", "BE", {"collected": None}, Reason.EVIDENCE_INCOMPLETE),
        ("signed_up_with_proof", "BE", {"proof_ref": None}, Reason.EVIDENCE_INCOMPLETE),
        ("customer", "NL", {"sale_ref": None}, Reason.EVIDENCE_INCOMPLETE),
        ("customer", "NL", {"given_directly": None}, Reason.EVIDENCE_INCOMPLETE),
        ("customer", "NL", {"given_directly": False}, Reason.EVIDENCE_INCOMPLETE),
        ("customer", "NL", {"objection_offered": None}, Reason.EVIDENCE_INCOMPLETE),
        ("customer", "NL", {"own_products": None}, Reason.EVIDENCE_INCOMPLETE),
        ("past_customer", "DE", {}, Reason.ENDED_MISSING),
        ("past_customer", "DE", {"ended": RECENT, "rules": Rules()}, Reason.RECENT_DAYS_MISSING),
        ("past_customer", "DE", {"ended": LONG_AGO}, Reason.FORBIDDEN_HERE),
        (
            "past_customer",
            "DE",
            {"ended": RECENT, "sale_ref": None},
            Reason.EVIDENCE_INCOMPLETE,
        ),
        ("company_mailbox", "BE", {"legal_person": False}, Reason.NOT_A_LEGAL_PERSON),
        ("company_mailbox", "NL", {"legal_person": False}, Reason.NOT_A_LEGAL_PERSON),
        ("company_mailbox", "DE", {}, Reason.FORBIDDEN_HERE),
    ],
)
def test_promise_3_what_is_missing_or_forbidden_withholds_and_says_why(
    relationship: str | None, country: str | None, changes: dict[str, Any], reason: Reason
) -> None:
    decision = decided(relationship, country, **changes)

    assert (decision.outcome, decision.reason) == (WITHHOLD, reason)
    assert decision.cure


@pytest.mark.parametrize("country", ["BE", "NL"])
def test_promise_3_a_mailbox_that_nobody_declared_a_legal_persons_is_withheld(
    country: str,
) -> None:
    """Not known is missing: info@ may be a person's own firm."""
    assert decided("company_mailbox", country, legal_person=None).outcome is WITHHOLD


@pytest.mark.parametrize("field", ["collected", "last_contact", "ended"])
@pytest.mark.parametrize("relationship", ["customer", "signed_up_no_proof"])
def test_a_date_in_the_future_withholds(field: str, relationship: str) -> None:
    tomorrow = TODAY + timedelta(days=1)

    assert decided(relationship, "BE", **{field: tomorrow}).reason is Reason.DATE_IN_FUTURE
    assert decided(relationship, "BE", **{field: TODAY}).outcome is not WITHHOLD


@pytest.mark.parametrize(("days", "outcome"), [(730, EXEMPT), (731, WITHHOLD)])
def test_a_past_customer_is_recent_up_to_the_day(days: int, outcome: Outcome) -> None:
    ended = TODAY - timedelta(days=days)

    assert decided("past_customer", "BE", ended=ended).outcome is outcome


def test_a_contact_of_three_years_ago_to_the_day_is_not_old() -> None:
    old = date(2023, 11, 21)

    assert decided("signed_up_no_proof", "FR", collected=old, last_contact=old).outcome is ASK


def test_an_old_collection_with_a_recent_contact_is_not_old() -> None:
    decision = decided("signed_up_no_proof", "FR", collected=date(2009, 1, 1))

    assert decision.outcome is ASK


@pytest.mark.parametrize("last_contact", [None, date(2020, 1, 1), date(2023, 11, 20)])
def test_an_old_contact_needs_one_more_sentence(last_contact: date | None) -> None:
    old = {"collected": date(2019, 1, 1), "last_contact": last_contact}
    explained = Rules(reasons=RULES.reasons, old_contacts="they pay their fee every year")

    without = decided("signed_up_no_proof", "BE", **old)
    assert (without.outcome, without.reason) == (WITHHOLD, Reason.OLD_CONTACT_NOT_EXPLAINED)
    assert decided("signed_up_no_proof", "BE", rules=explained, **old).outcome is ASK


def test_in_france_no_sentence_makes_up_for_a_contact_over_three_years_ago() -> None:
    """Source: CNIL, three years from the last contact that came from the person."""
    explained = Rules(reasons=RULES.reasons, old_contacts="they pay their fee every year")
    old = {"collected": date(2019, 1, 1), "last_contact": None, "rules": explained}

    assert decided("signed_up_no_proof", "FR", **old).reason is Reason.CONTACT_TOO_OLD
    assert decided("company_mailbox", "FR", **old).outcome is ASK


def test_on_29_february_three_years_ago_is_28_february() -> None:
    evidence = Evidence("signed_up_no_proof", "FR", source="form", collected=date(2025, 2, 28))

    assert decide(evidence, RULES, today=date(2028, 2, 29)).outcome is ASK
    assert decide(evidence, RULES, today=date(2028, 3, 1)).reason is Reason.CONTACT_TOO_OLD


def test_a_sensitive_list_that_is_prepared_is_asked_like_any_other() -> None:
    prepared = Rules(reasons=RULES.reasons, sensitive_prepared=True)

    assert decided("signed_up_no_proof", "BE", sensitive=True, rules=prepared).outcome is ASK


def test_an_override_asks_a_cell_that_the_table_withholds() -> None:
    rules = Rules(reasons=RULES.reasons, overrides={"NL.gave_address_only": ASK})

    own = decided("gave_address_only", "NL", rules=rules)
    assert (own.outcome, own.reason) == (ASK, Reason.ALLOWED)
    assert own.cure == ""
    assert decided("gave_address_only", "BE", rules=rules).outcome is WITHHOLD


def test_an_override_needs_all_that_any_question_needs() -> None:
    rules = Rules(reasons=RULES.reasons, overrides={"NL.past_customer": ASK})

    decision = decided("past_customer", "NL", rules=rules, ended=None)
    assert decision.reason is Reason.ENDED_MISSING
    assert decided("past_customer", "NL", rules=rules, ended=LONG_AGO).outcome is ASK


def test_an_override_withholds_a_cell_that_the_table_asks() -> None:
    rules = Rules(reasons=RULES.reasons, overrides={"DE.signed_up_no_proof": WITHHOLD})

    decision = decided("signed_up_no_proof", "DE", rules=rules)
    assert (decision.outcome, decision.reason) == (WITHHOLD, Reason.FORBIDDEN_HERE)


@pytest.mark.parametrize("relationship", sorted(NEVER_ASKED))
def test_no_override_asks_those_who_are_never_asked(relationship: str) -> None:
    rules = Rules(reasons={relationship: "why"}, overrides={f"NL.{relationship}": ASK})

    assert decided(relationship, "NL", rules=rules).reason is Reason.NEVER_ASKED


def test_only_a_cell_that_can_be_asked_may_be_overridden() -> None:
    assert is_cell("NL.gave_address_only")
    assert is_cell("GB.signed_up_no_proof")
    wrong = ["NL.bought_or_unknown", "NL.signed_up_with_proof", "CH.customer", "NL", "", "NL.x"]
    assert not any(map(is_cell, wrong))


def test_every_reason_that_withholds_has_a_cure() -> None:
    assert set(Reason) - set(CURES) == {Reason.ALLOWED, Reason.NO_QUESTION_NEEDED}


perhaps_true = st.none() | st.booleans()
perhaps_text = st.none() | st.just("") | st.just("a form") | st.text(max_size=3)
perhaps_day = st.none() | st.dates(date(2005, 1, 1), date(2030, 1, 1))
names = st.sampled_from(sorted(Relationship))
countries = st.sampled_from((*COUNTRIES, "CH"))
evidences = st.builds(
    Evidence,
    relationship=st.none() | names | st.text(max_size=3),
    country=st.none() | countries | st.text(max_size=3),
    source=perhaps_text,
    collected=perhaps_day,
    last_contact=perhaps_day,
    ended=perhaps_day,
    sale_ref=perhaps_text,
    proof_ref=perhaps_text,
    given_directly=perhaps_true,
    objection_offered=perhaps_true,
    own_products=perhaps_true,
    legal_person=perhaps_true,
    sensitive=st.booleans(),
)
any_rules = st.builds(
    Rules,
    recent_days=st.none() | st.integers(1, 5_000),
    reasons=st.dictionaries(names, st.sampled_from(["", "why"])),
    old_contacts=st.sampled_from(["", "why"]),
    overrides=st.dictionaries(
        st.builds(lambda country, name: f"{country}.{name}", countries, names),
        st.sampled_from([ASK, WITHHOLD]),
    ),
    sensitive_prepared=st.booleans(),
)


@given(evidence=evidences, rules=any_rules, today=st.dates(date(2015, 1, 1), date(2035, 1, 1)))
def test_promise_3_nobody_is_asked_of_whom_anything_is_missing(
    evidence: Evidence, rules: Rules, today: date
) -> None:
    decision = decide(evidence, rules, today=today)

    if decision.outcome is ASK:
        assert evidence.relationship in CAN_BE_ASKED
        assert evidence.country
        assert evidence.source
        assert evidence.collected is not None
        assert evidence.collected <= today
        assert rules.reasons[str(evidence.relationship)]
        assert rules.sensitive_prepared or not evidence.sensitive
        assert decision.reason is Reason.ALLOWED
    elif decision.outcome is EXEMPT:
        assert decision.reason is Reason.NO_QUESTION_NEEDED
        assert evidence.relationship not in NEVER_ASKED
    else:
        assert decision.cure


@given(evidence=evidences, rules=any_rules, gone=st.sampled_from(["relationship", "country"]))
def test_promise_3_evidence_taken_away_never_makes_a_question(
    evidence: Evidence, rules: Rules, gone: str
) -> None:
    known = {**vars(evidence), gone: None}

    assert decide(Evidence(**known), rules, today=TODAY).outcome is WITHHOLD


@pytest.mark.parametrize("name", ["customer", "company_mailbox"])
def test_evidence_declared_for_the_list_counts_where_the_row_says_nothing(name: str) -> None:
    """A row that says otherwise keeps its word."""
    told: dict[str, Any] = {"source": "shop", "collected": RECENT, "declared": True}
    silent = Evidence(relationship=name, country="BE", **told)
    against = Evidence(
        relationship=name, country="BE", objection_offered=False, legal_person=False, **told
    )
    assert decide(silent, RULES, today=date(2026, 11, 21)).outcome is EXEMPT
    assert decide(against, RULES, today=date(2026, 11, 21)).outcome is WITHHOLD


@pytest.mark.parametrize(("country", "owed"), [("BE", True), ("NL", False), (None, False)])
def test_a_no_is_acknowledged_where_the_law_says_so(country: str | None, owed: bool) -> None:
    """BE Royal Decree of 4 April 2003 art. 2."""
    assert owes_acknowledgement(country) is owed
