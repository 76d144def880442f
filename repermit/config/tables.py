"""The tables of the config: every key, its kind, and in its description what it expects."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from repermit.config import urls, values
from repermit.config.values import Line, PerhapsLine, PerhapsText, Text
from repermit.domain import colour, policy, purpose

_OLD_CONTACTS = "old_contacts"
_REASONED = sorted(policy.CAN_BE_ASKED)


def _reasoned(name: str) -> str:
    known = [*_REASONED, _OLD_CONTACTS]
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1, cutoff=0.7)
        guess = f" (did you mean {near[0]}?)" if near else ""
        raise ValueError(f"is no relationship that can be asked{guess}")
    return name


def _cell(name: str) -> str:
    if not policy.is_cell(name):
        raise ValueError("is no cell of the policy that can be asked")
    return name


def _this_table(version: str) -> str:
    if version != policy.TABLE_VERSION:
        raise ValueError("is not the policy table of this release")
    return version


class Table(BaseModel):
    """A table of the config: nothing else stands in it, nothing is guessed from another type."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


class Campaign(Table):
    """What is asked, in which languages, and for how long."""

    name: Line = Field(description="the name of the campaign")
    languages: Annotated[tuple[values.Language, ...], Field(strict=False)] = Field(
        description='a list of languages in two letters, such as ["nl", "fr"]'
    )
    default_language: values.Language = Field(description="one of campaign.languages")
    timezone: values.Zone = Field(description='a name such as "Europe/Brussels"')
    answer_days: int = Field(default=30, ge=14, le=365, description="whole days, from 14 to 365")
    sensitive: bool = Field(default=False, description="true or false")
    offers_reason: PerhapsLine = Field(
        default="", description="a sentence on one line: why what reads like an offer is none"
    )
    colour: values.Colour = Field(
        default=colour.DEFAULT,
        description='six hexadecimal digits such as "#17506b", dark enough under white letters',
    )
    logo: values.Logo = Field(default="", description="a PNG or JPEG of at most 4096 bytes")

    @property
    def zone(self) -> ZoneInfo:
        """Return the campaign's time zone."""
        return ZoneInfo(self.timezone)


class Controller(Table):
    """Who asks, and who answers for it."""

    name: Line = Field(description="the name of the organisation")
    postal_address: Text = Field(description="its postal address")
    registration: PerhapsLine = Field(default="", description="its registration number")
    email: values.Email = Field(description="one e-mail address that people can write to")
    privacy_url: values.WebUrl = Field(default="", description="the privacy notice, as https://…")
    privacy_file: values.TextFile = Field(
        default=None, description="a file of UTF-8 text, at most 2 MB"
    )
    authority: Line = Field(description="the supervisory authority and how to reach it")
    dpo: PerhapsLine = Field(default="", description="the data protection officer")
    dpia: PerhapsText = Field(default="", description="where the impact assessment is kept")
    signup_url: values.WebUrl = Field(default="", description="a page to sign up, as https://…")


class Purpose(Table):
    """One kind of mail that a recipient may agree to."""

    id: values.PurposeId = Field(
        description="up to 40 of a-z, 0-9, _ and -, the first a letter or a digit"
    )
    text: values.ByLanguage = Field(description='a text for each language: text.nl = "…"')
    frequency: values.ByLanguage = Field(description='a text for each language: frequency.nl = "…"')

    def domain(self) -> purpose.Purpose:
        """Return the purpose as the stages know it."""
        return purpose.Purpose(id=self.id, text=self.text, frequency=self.frequency)


class Policy(Table):
    """The operator's own part of the policy, as the file has it."""

    table: Annotated[Line, AfterValidator(_this_table)] = Field(
        description=f'"{policy.TABLE_VERSION}", once you have read it'
    )
    accepted_by: PerhapsLine = Field(
        default="", description="the name of who accepts the policy table"
    )
    accepted_on: values.Day = Field(default=None, description="a date such as 2026-11-21")
    recent_days: int | None = Field(default=None, gt=0, description="whole days, 1 or more")
    reasons: Annotated[
        Mapping[Annotated[str, AfterValidator(_reasoned)], Text], AfterValidator(values.frozen)
    ] = Field(
        default={},
        validate_default=True,
        description=f"a sentence for one of {', '.join([*_REASONED, _OLD_CONTACTS])}",
    )
    override: Annotated[
        Mapping[Annotated[str, AfterValidator(_cell)], Literal["ask", "withhold"]],
        AfterValidator(values.frozen),
    ] = Field(
        default={},
        validate_default=True,
        description='"NL.gave_address_only" in quotes = "ask" or "withhold"',
    )

    def rules(self, sensitive_prepared: bool) -> policy.Rules:
        """Return the rules that the policy decides by."""
        return policy.Rules(
            recent_days=self.recent_days,
            reasons={name: why for name, why in self.reasons.items() if name != _OLD_CONTACTS},
            old_contacts=self.reasons.get(_OLD_CONTACTS, ""),
            overrides={cell: policy.Outcome(out) for cell, out in self.override.items()},
            sensitive_prepared=sensitive_prepared,
        )


class Database(Table):
    """Where the ledger is."""

    url: values.DatabaseUrl = Field(
        default="sqlite:///repermit.db",
        description="sqlite:///file beside this config, sqlite:////absolute/path/file, or"
        " postgresql://user@host/database",
    )


class Keys(Table):
    """Where the keys are."""

    dir: Line = Field(default="keys", description="a folder")


class Relay(Table):
    """Who takes our mails, under which name, and how fast. `from_` is the key `from`."""

    url: values.RelayUrl = Field(description="smtp://user@host:587 or smtps://user@host:465")
    from_: values.From = Field(alias="from", description='"Name <news@example.org>"')
    reply_to: values.From = Field(
        default_factory=lambda data: data.get("from_"), description='"Name <news@example.org>"'
    )
    without_tls: bool = Field(default=False, description="true or false")
    connections: int = Field(default=10, ge=1, le=200, description="a whole number from 1 to 200")
    per_second: float = Field(
        default=50.0, gt=0, allow_inf_nan=False, description="mails a second, more than 0"
    )
    caps: values.ProviderCaps = Field(
        default={},
        validate_default=True,
        description='gmail = "4000/day", "500/hour", both with a comma between, or "none"',
    )
    hours: values.WallHours = Field(
        default=None, description='"07:00-21:00", or empty for any time of the day'
    )
    waves: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(strict=False)] = Field(
        default=(200, 2000, 10_000), description="a list of whole numbers, such as [200, 2000]"
    )
    watch_hours: int = Field(default=48, ge=0, le=720, description="whole hours, from 0 to 720")
    stop_bounce_percent: float = Field(
        default=5.0, gt=0, le=100, description="a number above 0, to 100"
    )
    stop_complaints: int = Field(default=3, ge=1, description="a whole number, 1 or more")
    give_up_hours: int = Field(default=72, ge=1, le=720, description="whole hours, from 1 to 720")
    envelope_domain: values.Domain = Field(
        default="", description='a domain such as "bounces.example.org"'
    )
    dkim_selector: values.Selector = Field(
        default="", description='a name in the DNS such as "s2026", letters and digits'
    )
    dkim_key: PerhapsLine = Field(default="", description="a file beside this config")

    @property
    def host(self) -> str:
        """Return the relay's host name or IP address."""
        return urls.server(self.url).host

    @property
    def port(self) -> int:
        """Return the relay's port."""
        return urls.server(self.url).port

    @property
    def user(self) -> str | None:
        """Return the user to log in as, or None."""
        return urls.server(self.url).user

    @property
    def tls(self) -> str:
        """Return "none", "starttls" or "tls"."""
        tls = urls.server(self.url).tls
        return "none" if self.without_tls and tls == "starttls" else tls

    @property
    def is_on_this_machine(self) -> bool:
        """Return whether the relay is on loopback: for trying out, or one that relays on."""
        return urls.is_loopback(self.host)


class Web(Table):
    """Where recipients answer."""

    public_url: values.PublicUrl = Field(
        description="https://… without ? or #; http:// only for this machine itself"
    )
    bind: values.Bind = Field(
        default="127.0.0.1:8080", description='"127.0.0.1:8080" or "[::1]:8080"'
    )
    trusted_proxy: values.Networks = Field(
        default=(), description='an address or a network such as "127.0.0.1" or "10.0.0.0/24"'
    )
    keep_until: values.Day = Field(default=None, description="a date such as 2029-12-31")
    origin_days: int = Field(default=0, ge=0, le=3650, description="whole days, from 0 to 3650")

    @property
    def is_local(self) -> bool:
        """Return whether the pages can be reached from this machine only."""
        return urls.is_loopback(urlsplit(self.public_url).hostname or "")

    @property
    def bind_host(self) -> str:
        """Return the host to listen on, an IPv6 address without its brackets."""
        return urls.bind_address(self.bind)[0]

    @property
    def bind_port(self) -> int:
        """Return the port to listen on."""
        return urls.bind_address(self.bind)[1]


class Purge(Table):
    """When people could not answer, what stays, and what may be erased without a person."""

    outage_percent: float = Field(default=5.0, gt=0, le=50, description="a number above 0, to 50")
    last_hours: int = Field(default=24, ge=1, le=168, description="whole hours, from 1 to 168")
    scheduled: Annotated[tuple[values.DueReason, ...], Field(strict=False)] = Field(
        default=(), description="a list of " + ", ".join(values.DUE_REASONS)
    )
    notice_days: int = Field(default=7, ge=1, le=60, description="whole days, from 1 to 60")
    ask_again_days: int = Field(
        default=1095, ge=365, le=3650, description="whole days, from 365 to 3650"
    )
    proof_days: int = Field(default=1095, ge=0, le=3650, description="whole days, from 0 to 3650")


class Notices(Table):
    """Who is told by mail what repermit does."""

    to: Annotated[tuple[values.Email, ...], Field(strict=False)] = Field(
        default=(),
        max_length=5,
        description='a list of e-mail addresses, such as ["an@example.org"]',
    )


class Inbound(Table):
    """Where bounces, complaints and replies come in."""

    maildir: PerhapsLine = Field(default="", description="a folder, relative to this config")
    imap: values.MailboxUrl | None = Field(
        default=None, description="imaps://user@host or imaps://user@host/folder"
    )

    @property
    def is_configured(self) -> bool:
        """Return whether bounces and complaints come in at all."""
        return bool(self.maildir or self.imap)

    @property
    def server(self) -> urls.Server | None:
        """Return where the mailbox is that is read by IMAP; None when none is."""
        return urls.server(self.imap) if self.imap else None

    @property
    def folder(self) -> str:
        """Return the folder of that mailbox."""
        return urls.folder(self.imap) if self.imap else ""


class Processor(Table):
    """Who else handles the addresses, and under which agreement."""

    name: Line = Field(description="the name of the processor")
    role: Line = Field(description='what it does, such as "mail relay"')
    country: values.Country = Field(description='a country in two letters, such as "BE"')
    agreement: PerhapsLine = Field(default="", description="where the agreement is kept")
    date: values.Day = Field(default=None, description="a date such as 2026-11-21")


class Tables(Table):
    """The whole file."""

    campaign: Campaign = Field(description="a table [campaign]")
    controller: Controller = Field(description="a table [controller]")
    purposes: Annotated[tuple[Purpose, ...], Field(strict=False, max_length=20)] = Field(
        description="one to twenty tables [[purposes]]"
    )
    policy: Policy = Field(description="a table [policy]")
    database: Database = Field(default=Database(), description="a table [database]")
    keys: Keys = Field(default=Keys(), description="a table [keys]")
    relay: Relay = Field(description="a table [relay]")
    web: Web = Field(description="a table [web]")
    inbound: Inbound = Field(default=Inbound(), description="a table [inbound]")
    purge: Purge = Field(default=Purge(), description="a table [purge]")
    notices: Notices = Field(default=Notices(), description="a table [notices]")
    processors: Annotated[tuple[Processor, ...], Field(strict=False)] = Field(
        default=(), description="tables [[processors]]"
    )
