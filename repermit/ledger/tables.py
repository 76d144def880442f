"""The tables of a ledger: one campaign, one database.

Instants are whole microseconds since 1970 in UTC; hashes and sealed fields are bytes. Tables do
not validate: the domain does, before a row is written.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, text
from sqlmodel import Field, SQLModel

_Big = BigInteger().with_variant(Integer, "sqlite")  # instants and ids pass 32 bits


def _big(**options: Any) -> Any:
    return Field(sa_type=_Big, **options)


def _partial(name: str, order: str, *, where: str) -> Index:
    """Return the index of those who wait for their mail, by provider and then in the order in
    which they come; it costs nothing for anybody else."""
    condition = text(where)
    return Index(
        name,
        *("provider", order, "id"),
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _once(name: str) -> Index:
    """Return the index that lets a recipient have one acknowledgement, for ever."""
    condition = text("kind = 'acknowledgement' AND standing <> 'dropped'")
    return Index(
        name,
        "recipient_id",
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _suspect() -> Index:
    """Return the index of the few whose presses contradicted each other."""
    return Index(
        "ix_recipient_suspect", "id", sqlite_where=text("suspect"), postgresql_where=text("suspect")
    )


class Campaign(SQLModel, table=True):
    """The one row that says whose ledger this is, with the counters that must always add up."""

    __tablename__ = "campaign"

    id: int = Field(primary_key=True)  # always 1
    uuid: str  # that of the key folder
    created_at: int = _big()
    generation: int  # the vault keys that new rows are sealed under
    next_recipient: int = _big()  # ids are given once and never again
    admitted: int
    purged: int
    erased: int
    paused_at: int | None = _big(default=None)
    stopped_at: int | None = _big(default=None)  # sending stopped by itself, until a person looked
    stopped_for: str | None = None  # JSON: why, with the figures
    inbound_at: int | None = _big(default=None)  # when what comes back was last read
    about_us: int = 0  # mails that came back because of us, not of their recipients
    about_us_seen: int = 0  # of those, how many a person has seen who let the sending go on
    bounce_check: int | None = _big(default=None)  # the last mail that tried whether bounces come
    bounce_check_at: int | None = _big(default=None)  # when that mail left
    bounce_seen_at: int | None = _big(default=None)  # when its bounce was read
    bounce_kind: str | None = None  # what that bounce was
    bounce_status: str | None = None  # its codes
    older_copy: bool = False  # this ledger was found behind its mark
    accepted: int = 0  # how often an older copy became the campaign's again
    no_opt_outs: str | None = None  # the written statement that nobody ever opted out
    stop_lists: int = 0  # lists of earlier opt-outs that were taken in, whatever they held
    notice: str | None = None  # content hash of the privacy notice that counts now
    extended_until: int | None = _big(default=None)  # nobody falls due before, whatever was printed
    closed_at: int | None = _big(default=None)
    log_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Intake(SQLModel, table=True):
    """One import of one list; rows of an import that did not complete are taken back."""

    __tablename__ = "intake"

    id: int | None = Field(default=None, primary_key=True)
    started_at: int = _big()
    completed_at: int | None = _big(default=None)
    sha256: str
    read: int = 0
    admitted: int = 0
    duplicates: int = 0
    rejected: int = 0
    suppressed: int = 0
    reasons: str = "{}"
    undone_at: int | None = _big(default=None)  # taken back by a person, after its end


class Recipient(SQLModel, table=True):
    """One address in the campaign. Personal fields stand only in `sealed`."""

    __tablename__ = "recipient"
    __table_args__ = (
        Index("ix_recipient_standing", "standing", "due_at", "id"),
        Index("ix_recipient_generation", "generation"),
        _suspect(),
        _partial("ix_recipient_listed", "contact", where="standing = 'listed' AND attempts = 0"),
        _partial("ix_recipient_returned", "contact", where="standing = 'listed' AND attempts > 0"),
        _partial("ix_recipient_deferred", "try_at", where="standing = 'deferred'"),
    )

    id: int = _big(primary_key=True, sa_column_kwargs={"autoincrement": False})
    intake_id: int = Field(foreign_key="intake.id")  # of their lists, the one that says most
    generation: int
    lookup: bytes = Field(sa_column=Column(LargeBinary, nullable=False, unique=True))
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    leaf_key: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    relationship: str | None = None
    country: str | None = None
    language: str | None = None
    provider: str | None = None  # who runs the mailbox; None: one of many others
    contact: int | None = None  # the last contact: year * 100 + month
    stretch: int | None = None  # of the campaign, in which their mail left
    standing: str
    cell: str
    reason: str
    listed_at_leaf: int | None = _big(
        default=None
    )  # log size when the row became listed; see Approval
    lease_by: str | None = None
    lease_until: int | None = _big(default=None)
    attempts: int = 0
    first_try_at: int | None = _big(default=None)
    try_at: int | None = _big(default=None)
    claimed_by: str | None = None
    intent_at: int | None = _big(default=None)
    due_at: int | None = _big(default=None)
    settled_at: int | None = _big(default=None)
    relay_reply: str | None = None  # the relay's codes only, never its text
    mail: str | None = None  # content hash of the mail that was sent
    before: str | None = None
    yes_at: int | None = _big(default=None)
    no_at: int | None = _big(default=None)
    suspect: bool = False
    restored: bool = False  # may have been asked after the copy that was put back; never listed
    purposes: str | None = None  # JSON list of what the yes is for
    purposes_before: str | None = None  # as `before`, for when presses turn out void
    yes_leaf: int | None = _big(default=None)  # the entry of the yes that stands
    yes_leaf_before: int | None = _big(default=None)


class AlsoSaid(SQLModel, table=True):
    """What another import says of a recipient, who is on several lists: it counts when the import
    that says more is undone. Gone with the first purge."""

    __tablename__ = "also_said"

    recipient_id: int = _big(primary_key=True, sa_column_kwargs={"autoincrement": False})
    intake_id: int = Field(primary_key=True, index=True)
    richness: int
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    relationship: str | None = None
    country: str | None = None
    language: str | None = None
    contact: int | None = None
    standing: str
    cell: str
    reason: str


class AnswerRecord(SQLModel, table=True):
    """One press of a recipient, with what was shown to them."""

    __tablename__ = "answer"

    leaf: int = _big(primary_key=True, sa_column_kwargs={"autoincrement": False})  # its entry
    recipient_id: int = _big(foreign_key="recipient.id", index=True)
    at: int = _big()
    answer: str
    way: str
    standing: str  # where the press left the recipient
    suspect: bool
    button: str
    language: str
    purposes: str  # JSON list of those that were ticked
    covers: str  # the same of what the yes that stands after it is for
    page: str | None = None  # content hash of the page; None for a one-click no
    mail: str | None = None
    notice: str | None = None  # content hash of the privacy notice that counted
    release: str
    who: str  # binds it to the address; see `log.who`
    yes_leaf: int | None = _big(default=None)  # of the yes that stands after it


class OriginRecord(SQLModel, table=True):
    """Where a yes came from, if the config wants it kept, until its time is over."""

    __tablename__ = "origin"

    leaf: int = _big(foreign_key="answer.leaf", primary_key=True)
    recipient_id: int = _big(foreign_key="recipient.id", index=True)
    generation: int
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    keep_until: int = _big(index=True)


class Handled(SQLModel, table=True):
    """One message that came in and was handled, so that it never is again; it names nobody."""

    __tablename__ = "handled"

    digest: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))  # keyed, of its content
    at: int = _big()
    kind: str = Field(index=True)  # of `inbound.reading.Kind`, or `settle.TRIAL`
    outcome: str  # what became of it


class Reply(SQLModel, table=True):
    """What a recipient wrote that a person must read: sealed, and gone once somebody is done with
    it, or with its recipient. Its number is never given again: a person types it."""

    __tablename__ = "reply"
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    recipient_id: int = _big(foreign_key="recipient.id", index=True)
    at: int = _big()
    kind: str  # yes, other; no, where nothing that we signed says whose it is
    signed: bool  # known by a name that we signed, not only by the address it came from
    generation: int
    sealed: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Suppression(SQLModel, table=True):
    """The keyed hash of an address that is never mailed."""

    __tablename__ = "suppression"

    hash: bytes = Field(sa_column=Column(LargeBinary, primary_key=True))
    at: int = _big()
    # list, import, answer, reply, unsubscribe, complaint, elsewhere, erased, asked (purged after
    # the one question)
    source: str
    reason: str = ""


class Hold(SQLModel, table=True):
    """A recipient who is not erased yet although their date has passed, and why."""

    __tablename__ = "hold"

    recipient_id: int = _big(
        foreign_key="recipient.id", primary_key=True, sa_column_kwargs={"autoincrement": False}
    )
    kind: str  # contract, dispute
    since: int = _big()
    until: int = _big()
    by: str
    reason: str


class Place(SQLModel, table=True):
    """Where else a list lives, and when it was cleaned there, too."""

    __tablename__ = "place"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    named_at: int = _big()
    handed_over_at: int | None = _big(default=None)  # when who must be removed was last written
    done_at: int | None = _big(default=None)  # the day, as the operator said it
    done_by: str | None = None


class WrittenFile(SQLModel, table=True):
    """A file with addresses that a command wrote, so that a purge can look into it."""

    __tablename__ = "written"

    id: int | None = Field(default=None, primary_key=True)
    at: int = _big()
    kind: str  # export, handover, rejects, letter, bundle, …
    path: str = Field(unique=True)


class TokenKey(SQLModel, table=True):
    """A key that signed links in mails, by its fingerprint, since when; or one that never did, if
    it was revoked before."""

    __tablename__ = "token_key"

    fingerprint: str = Field(primary_key=True)
    since: int = _big()
    revoked_at: int | None = _big(default=None)  # from then on its links are worth nothing


class Machine(SQLModel, table=True):
    """One machine that works on this campaign, and what it works with."""

    __tablename__ = "machine"

    name: str = Field(primary_key=True)  # its host name
    release: str  # of repermit
    facts: str  # JSON: of each part that must be the same everywhere, the fingerprint
    generation: int  # the oldest of the vault that its key folder held when it started last
    seen_at: int = _big()
    left_at: int | None = _big(default=None)  # nothing runs there since


class Outbox(SQLModel, table=True):
    """One mail that is owed besides the question. Nobody's standing depends on it; once its
    recipient is gone it names nobody."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_recipient", "recipient_id"),
        Index("ix_outbox_standing", "standing", "not_before"),
        _once("ix_outbox_acknowledged"),
    )

    id: int | None = Field(default=None, primary_key=True)
    recipient_id: int | None = _big(default=None)  # None: gone since, or the operator
    kind: str  # acknowledgement, data, notice
    receiver: str | None = None  # of a notice: one of those that the config names, casefolded
    said: str | None = None  # of a notice: what it says, as JSON; never an address
    language: str
    created_at: int = _big()
    not_before: int = _big()
    standing: str  # waiting, claimed, sent, doubtful, failed, dropped
    claimed_by: str | None = None
    lease_until: int | None = _big(default=None)
    attempts: int = 0
    first_try_at: int | None = _big(default=None)
    try_at: int | None = _big(default=None)
    intent_at: int | None = _big(default=None)
    settled_at: int | None = _big(default=None)
    relay_reply: str | None = None  # the relay's codes only, never its text


class Bucket(SQLModel, table=True):
    """The one row by which several machines together keep to one rate."""

    __tablename__ = "bucket"

    id: int = Field(primary_key=True)  # always 1
    next_at: int = _big()  # when the next mail may leave, by the clock of the database


class Export(SQLModel, table=True):
    """One file with addresses that was made: of whom, as the log had them at that size."""

    __tablename__ = "export"

    id: int | None = Field(default=None, primary_key=True)
    at: int = _big()
    standing: str  # opted_in, opted_out, exempt
    purpose: str | None = None
    log_size: int = _big()
    format: str
    rows: int
    content: str  # SHA-256 of the file


class ToRemove(SQLModel, table=True):
    """A yes that an export has carried out and whose person is erased or purged: nobody is named,
    only the entry of the log that the export gave as its proof."""

    __tablename__ = "to_remove"

    proof: int = _big(primary_key=True, sa_column_kwargs={"autoincrement": False})
    export_id: int = Field(foreign_key="export.id", primary_key=True)
    erased_at: int = _big()
    told: bool  # purged after an export of those who must stop had named them


class Snapshot(SQLModel, table=True):
    """Something that was shown, found by the SHA-256 of its content."""

    __tablename__ = "snapshot"

    hash: str = Field(primary_key=True)
    kind: str  # mail, page, notice
    language: str
    release: str  # of repermit, that made it first
    content: str


class Approval(SQLModel, table=True):
    """Who approved exactly what."""

    __tablename__ = "approval"

    id: int | None = Field(default=None, primary_key=True)
    at: int = _big()
    by: str
    informed: str
    digest: str  # SHA-256 over wording, policy, purposes, controller, dates and pace
    log_size: int = _big()  # a row listed later was not approved
    facts: str  # JSON: what was approved, part by part


class Wave(SQLModel, table=True):
    """One part of the campaign that leaves together, and is looked at before the next one."""

    __tablename__ = "wave"

    number: int = Field(primary_key=True)
    step: int  # 0: a pilot; its place among the sizes of the config
    size: int | None = None  # None: everybody who is left
    begun_at: int = _big()
    mails: int = 0  # people whose mail has left, or may have
    drawn: str | None = None  # JSON list of the ids of a pilot, until it has left
    expected_bounces: int = 0  # of a pilot, by the age of its contacts, at least
    ended_at: int | None = _big(default=None)
    looked_at: int | None = _big(default=None)  # when a person let the sending go on, and who
    looked_by: str | None = None
    seen_complaints: int = 0  # what that person saw; judged is only what came later


class Stretch(SQLModel, table=True):
    """Some thousand mails that left one after the other, and how many came back: counts of what
    happened, whatever becomes of the rows."""

    __tablename__ = "stretch"

    number: int = Field(primary_key=True)
    mails: int
    undeliverable: int  # for whatever reason
    bounces: int  # of those, because of the address itself
    seen: int  # bounces that a person has seen who let the sending go on
    looked: bool  # whether a person did so since it began


class ProviderHour(SQLModel, table=True):
    """How many mails left for a provider within one hour (whole hours since 1970), and how many
    came back."""

    __tablename__ = "provider_hour"

    provider: str = Field(primary_key=True)  # "" for one of many others
    hour: int = Field(primary_key=True)
    mails: int = 0
    hard: int = 0  # came back within that hour, whenever they had left
    temporary: int = 0
    about_us: int = 0
    complaints: int = 0
    seen_hard: int = 0  # of those, how many a person has seen who let the sending go on
    seen_complaints: int = 0


class Probe(SQLModel, table=True):
    """What probes of the answer page found: an outcome that comes time after time from the same
    vantage is one row."""

    __tablename__ = "probe"

    id: int | None = Field(default=None, primary_key=True)
    since: int = _big()
    until: int = _big()  # of the last of them
    probes: int
    vantage: str  # from where it was seen; one of `probing.Vantage`
    code: str  # why nobody could have answered; empty when a recipient could


class ProbePress(SQLModel, table=True):
    """The press of a probe, which belongs to nobody: that it stands here is what it is for."""

    __tablename__ = "probe_press"

    number: int = _big(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: int = _big()


class Purge(SQLModel, table=True):
    """One purge, in the phase that it has reached."""

    __tablename__ = "purge"

    id: int | None = Field(default=None, primary_key=True)
    started_at: int = _big()
    moment: int = _big()  # who was due then is in its manifest
    by: str
    phase: str
    terms: str  # JSON: of `due.Terms`
    due: int
    by_reason: str
    manifest: int = _big()  # the entry of the log that lists who may be erased
    last_id: int = _big(default=0)  # of the manifest, up to which it has got
    generation: int  # the one that will be destroyed
    facts: str = "{}"  # JSON: guard readings, what a person accepted, scan
    purged: int = 0
    report: str | None = None  # JSON, canonical; there once it is finished
    finished_at: int | None = _big(default=None)


class LogEntry(SQLModel, table=True):
    """One leaf of the log: a commitment for ever, a payload that can be erased."""

    __tablename__ = "log"

    index: int = _big(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: str
    kind: str
    recipient_id: int | None = _big(default=None, index=True)
    commitment: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    hash: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    payload: bytes | None = Field(default=None, sa_column=Column(LargeBinary, nullable=True))


class LogHead(SQLModel, table=True):
    """The size of the log and the frontier of its tree; one row, locked last."""

    __tablename__ = "log_head"

    id: int = Field(primary_key=True)  # always 1
    size: int = _big()
    frontier: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
