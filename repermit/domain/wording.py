"""The words a recipient reads, one `Wording` a language.

A sentence holds `{name}`; nothing else is looked up, so a campaign's own sentence can
reach no attribute, no format and no other sentence. REQUIRED is the whole list: which
sentences there must be, and which variables each may use. The caller gives every one
of those; what a sentence leaves unused is no fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from string import Formatter
from types import MappingProxyType
from typing import Final

_SENDER: Final = frozenset({"who", "address", "registration", "email", "privacy_url", "authority"})
_ASK: Final = _SENDER | {"what", "often", "deadline"}
_ORIGIN: Final = _SENDER | {"source", "collected", "ended"}
_ONTO: Final = _ASK | {"masked"}
_NONE: Final[frozenset[str]] = frozenset()

_HELD: Final = (  # what the mail with everything that is held says; see `domain.held`
    "heading_person",
    "heading_lists",
    "heading_answers",
    "heading_mails",
    "heading_replies",
    "heading_never",
    "heading_kept",
    "heading_others",
    "heading_rights",
    "heading_fields",
    "address",
    "source",
    "collected",
    "last_contact",
    "ended",
    "country",
    "language",
    "origin",
    "taken_in",
    "mailed",
    "until",
    "standing",
    "purposes",
    "standing_listed",
    "standing_withheld",
    "standing_exempt",
    "standing_claimed",
    "standing_deferred",
    "standing_doubtful",
    "standing_asked",
    "standing_undeliverable",
    "standing_opted_in",
    "standing_opted_out",
    "mail_acknowledgement",
    "mail_data",
    "mail_waiting",
    "mail_doubtful",
    "never",
    "kept_contract",
    "kept_dispute",
    "kept_reason",
    "after_silence",
    "attachment",
    "rights",
    "yes",
    "no",
)

REQUIRED: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "language.name": _NONE,
        "mail.subject": _ASK,
        "mail.subject_first": _ASK,
        "mail.subject_several": _ASK,
        "mail.subject_several_first": _ASK,
        "mail.subject_sensitive": _NONE,  # the subject shows on a locked screen
        "mail.greeting_question": _ASK,
        "mail.greeting_several": _ASK,
        "mail.press_once_more": _ASK,
        "mail.tick_and_press": _ASK,
        "mail.asked_once": _ASK,
        "mail.yours_alone": _ASK,
        "mail.data_and_rights": _SENDER,
        "mail.complaint": _SENDER,
        "mail.test_banner": _SENDER,
        "button.yes": _ASK,
        "button.no": _ASK,
        "button.choose": _ASK,  # a yes that leads to the boxes
        "button.withdraw": _ASK,
        "silence.sentence": _ASK,
        "silence.several": _ASK,
        "why.signed_up_no_proof": _ORIGIN,
        "why.past_customer": _ORIGIN,
        "why.customer": _ORIGIN,
        "why.gave_address_only": _ORIGIN,
        "why.company_mailbox": _ORIGIN,
        "why.sensitive": _ORIGIN,
        "page.title": _SENDER,
        "page.title_yes": _SENDER,
        "page.title_no": _SENDER,
        "page.question": _ONTO,
        "page.question_several": _ONTO,
        "page.question_no_first": _ONTO,
        "page.choose_purposes": _ONTO,
        "page.yes_to_ticked": _ASK,
        "page.no_to_all": _ASK,
        "page.nothing_ticked": _ONTO,
        "page.nothing_changed": _ONTO,
        "page.again": _ONTO,
        "page.withdraw_any_time": _ONTO,
        "page.not_your_address": _ONTO,
        "page.details": _SENDER,
        "page.legal_basis": _SENDER,
        "page.processors": _SENDER | {"processors"},
        "page.after_yes": _SENDER | {"proof_days"},
        "page.after_no": _SENDER,
        "page.thanks": _ONTO,
        "page.declined": _ONTO,
        "page.declined_several": _ONTO,
        "page.declined_mistake": _ONTO,
        "page.suspect": _ONTO,
        "page.already_yes": _ONTO | {"answered"},
        "page.already_no": _ONTO | {"answered"},
        "page.gone": _SENDER,  # whose link it was is not known
        "page.gone_signup": _SENDER | {"signup_url"},
        "page.failure": _SENDER,
        "page.test_banner": _SENDER,
        "receipt.heading": _NONE,
        "receipt.keep": _NONE,
        "receipt.answered": _NONE,
        "receipt.answer": _NONE,
        "receipt.purpose": _NONE,
        "receipt.address": _NONE,
        "receipt.sender": _NONE,
        "receipt.record": _NONE,
        "rights.heading": _SENDER,
        "rights.intro": _ONTO,
        "rights.data_button": _NONE,
        "rights.erase_button": _NONE,
        "rights.data_title": _SENDER,
        "rights.data_sent": _ONTO,
        "rights.data_owed": _ONTO,
        "rights.data_once": _SENDER,
        "rights.data_was_sent": _ONTO,
        "rights.data_was_tried": _ONTO,
        "rights.erase_title": _SENDER,
        "rights.erase_sentence": _ONTO,
        "rights.erase_confirm": _NONE,
        "rights.erase_not": _SENDER,
        "rights.erase_wait": _SENDER,
        "rights.kept_title": _SENDER,
        "rights.kept_contract": _ONTO | {"kept_until"},
        "rights.kept_dispute": _ONTO | {"kept_until"},
        "rights.kept_rights": _SENDER,
        "rights.erased_title": _SENDER,
        "rights.erased": _SENDER,
        "rights.erased_elsewhere": _SENDER,
        "rights.data_subject": _SENDER,
        "rights.data_text": _SENDER,
        "record.heading": _SENDER,
        "record.intro": _SENDER,
        "record.json": _NONE,
        "record.number": _NONE,
        "record.controller": _NONE,
        "record.address": _NONE,
        "record.purpose": _NONE,
        "record.given": _NONE,
        "record.button": _NONE,
        "record.page": _NONE,
        "record.notice": _NONE,
        "record.legal_basis": _NONE,
        "record.consent": _NONE,
        "record.valid": _NONE,
        "record.until_withdrawn": _NONE,
        "acknowledgement.subject": _SENDER,
        "acknowledgement.text": _SENDER | {"what"},
        **{f"held.{name}": _SENDER | {"answered", "again_days"} for name in _HELD},
    }
)

_ONE_LINE: Final = frozenset(
    {
        *("mail.subject", "mail.subject_first", "mail.subject_sensitive"),
        *("mail.subject_several", "mail.subject_several_first"),
        *("acknowledgement.subject", "rights.data_subject"),
    }
)

_EXPLAINED: Final = frozenset(
    {"signed_up_no_proof", "past_customer", "customer", "gave_address_only", "company_mailbox"}
)


@dataclass(frozen=True)
class Wording:
    """Every sentence in one language, by its dotted key ("mail.subject")."""

    language: str
    sentences: Mapping[str, str]

    def say(self, key: str, **variables: str) -> str:
        """Return the sentence with each `{name}` replaced, once, by the value given.

        Raises: KeyError for a sentence that is not there or a variable not given;
        ValueError for a broken brace.
        """
        parts = _parts(self.sentences[key])
        return "".join(text if name is None else text + variables[name] for text, name in parts)


def why_key(relationship: str, sensitive: bool) -> str | None:
    """Return the key of the sentence that says why a recipient has this mail.

    None when nothing true can be said to that relationship: it cannot be asked.
    """
    if relationship not in _EXPLAINED:
        return None
    return "why.sensitive" if sensitive else f"why.{relationship}"


def flatten(table: Mapping[str, object]) -> dict[str, str]:
    """Return the nested tables of a wording file as one, the keys joined by dots.

    Raises: ValueError naming the first value that is not text.
    """
    flat: dict[str, str] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update({f"{key}.{rest}": text for rest, text in flatten(value).items()})
        elif isinstance(value, str):
            flat[key] = value
        else:
            raise ValueError(f"{key} is not text")
    return flat


def problems(language: str, sentences: Mapping[str, str]) -> tuple[str, ...]:
    """Return everything wrong with the sentences of a language; empty when complete."""
    found = [problem for key in REQUIRED for problem in _wrong_with(key, sentences.get(key, ""))]
    found += [f"{key} does not exist" for key in sentences if key not in REQUIRED]
    return tuple(f"{language}: {problem}" for problem in found)


def _wrong_with(key: str, sentence: str) -> list[str]:
    if not sentence.strip():
        return [f"{key} is missing"]
    if key in _ONE_LINE and sentence.splitlines() != [sentence]:
        return [f"{key} must be one line"]
    try:
        names = [name for _, name in _parts(sentence) if name is not None]
    except ValueError as error:
        return [f"{key} {error}"]
    unknown = dict.fromkeys(name for name in names if name not in REQUIRED[key])
    return [f"{key} uses {{{name}}}, which does not exist" for name in unknown]


def _parts(sentence: str) -> list[tuple[str, str | None]]:
    """Return the sentence as pairs: plain text, and the variable that follows it.

    Raises: ValueError for a brace without its other half, or more than a name between.
    """
    try:
        parsed = list(Formatter().parse(sentence))
    except ValueError as error:
        raise ValueError("has a broken brace") from error
    for _, name, form, conversion in parsed:
        if name is not None and (form or conversion or not name.isidentifier()):
            raise ValueError("has more than a name between braces")
    return [(text, name) for text, name, _, _ in parsed]
