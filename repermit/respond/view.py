"""Which page is shown, and what of it is kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from repermit.domain.standing import Answer

BUTTONS = {  # the answers that a page takes, by its kind
    "question": frozenset(Answer),
    "thanks": frozenset({Answer.NO}),
    "declined": frozenset({Answer.YES}),
}
KINDS = (*BUTTONS, "data_sent", "erase", "erased", "kept", "record")
NOTICES = (
    "",
    "page.question_no_first",
    "page.nothing_ticked",
    "page.nothing_changed",
    "page.again",
    "page.suspect",
    "page.already_yes",
    "page.already_no",
)
_HASH_DIGITS = 16
_IN = "~"  # between the code of a page and the language of one part of it


@dataclass(frozen=True)
class View:
    """What decides on the words of a page: who looks, and what just happened."""

    kind: str  # one of KINDS
    language: str  # "nl", or a reading such as "nl+fr+de"
    relationship: str = ""
    sensitive: bool = False
    no_first: bool = False
    notice: str = ""  # the key of a sentence
    purposes: tuple[str, ...] = ()  # those of the yes that it tells of
    answered: bool = False  # their own answer stands: silence changes nothing
    late: bool = False  # the deadline has passed: a mistake cannot be promised to be mended
    test: bool = False
    pressed_in: str = field(default="", compare=False)  # the part whose button was pressed

    @property
    def tells_of_yes(self) -> bool:
        """Return whether it says what their yes is for, and leads to its record."""
        return self.kind == "thanks" or self.notice == "page.already_yes"

    @property
    def spoken(self) -> str:
        """Return the language of whoever pressed, as far as it is known."""
        return self.pressed_in or self.language


@dataclass(frozen=True)
class Shown:
    """One page with its places open, and the hash under which it is kept."""

    language: str
    content: str
    hash: str
    parts: tuple[str, ...]  # the content, cut at its places

    def code(self, view: View) -> str:
        """Return what the page's form says of the page it stands on; see `Pages.seen`."""
        flags = f"{view.no_first:d}{view.answered:d}"
        parts = (view.kind, view.language, flags, view.notice)
        return f"{'.'.join(parts)}.{self.hash[:_HASH_DIGITS]}"


def code_in(code: str, language: str) -> str:
    """Return what the form of one part says, where a page has a part in every language."""
    return f"{code}{_IN}{language}"


@dataclass(frozen=True)
class Code:
    """What a form says of the page it stands on; anybody may have written it."""

    kind: str
    language: str
    no_first: bool
    answered: bool
    notice: str
    part: str
    page: str  # the code without its part

    @classmethod
    def read(cls, text: str) -> Code:
        """Return the parts of a code; each may be empty, or nonsense."""
        page, _, part = text.partition(_IN)
        kind, _, rest = page.rpartition(".")[0].partition(".")
        language, _, rest = rest.partition(".")
        flags, _, notice = rest.partition(".")
        no_first, answered = flags[:1] == "1", flags[1:] == "1"
        return cls(kind, language, no_first, answered, notice, part, page)
