"""What an export of a mail provider says of an address: its columns and its words.

A word counts as hard only where its provider means that the address itself is refused for good, or
that it has given the address up. A bare "bounced" means that in one tool and not in the next
(MailerLite and ActiveCampaign say it of repeated soft ones, too): then a code or a reason beside
it must say so.

Source: the documentation of the providers, as of 2026: Amazon SES (bounceType Permanent; the
account's suppression list holds hard bounces only), Brevo (event names; "invalid email"),
Mailchimp (cleaned), Mailgun (severity permanent; its bounce list), Mailjet (hard_bounce, blocked,
spam, unsub), MailerLite (junk), Microsoft 365 (message trace), Postmark (bounce types),
Salesforce Marketing Cloud (bounce categories), SendGrid (events, drops, suppressions), SparkPost
(bounce classes 10, 30 and 90). Codes: RFC 3463, RFC 5248.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cache, lru_cache
from typing import Final

from repermit.domain.refusal import is_about_address
from repermit.intake.cells import date_of, folded, is_nothing, truth_of


class Event(StrEnum):
    """What a row says of its address; of several, the first of these counts."""

    COMPLAINT = "complaint"  # its owner called a mail spam
    UNSUBSCRIBE = "unsubscribe"
    ABOUT_US = "about_us"  # refused because of the sender: says nothing of the address
    TEMPORARY = "temporary"  # put off, full, given up
    HARD = "hard"  # the address is dead
    UNCLEAR = "unclear"  # it came back, and nothing says why
    OTHER = "other"  # sent, delivered, opened, …: nobody's standing follows from it


SETTLED: Final = frozenset({Event.HARD, Event.COMPLAINT, Event.UNSUBSCRIBE})
_WORDS: Final[Mapping[Event, str]] = {
    Event.COMPLAINT: """complaint, complaints, complained, spam, spam complaint, spam complaints
        spam report, spam reports, spamreport, spam reported, reported as spam, marked as spam
        mark as spam, abuse, abuse report, abuse complaint, feedback loop, fbl, junk
        spam reporting address, klacht, spamklacht, klacht over spam, als spam gemeld
        als spam gemarkeerd, spammelding, plainte, plainte pour spam, signalé comme spam
        marqué comme spam, signalement spam, Beschwerde, Spambeschwerde, Spam-Beschwerde
        als Spam gemeldet, als Spam markiert, Spammeldung""",
    Event.UNSUBSCRIBE: """unsubscribe, unsubscribes, unsubscribed, unsub, opt-out, opted out
        list unsubscribe, link unsubscribe, group unsubscribe, global unsubscribe
        manual unsubscribe, unsubscribed address, list_unsubscribe, link_unsubscribe
        group_unsubscribe, uitgeschreven, uitschrijving, afgemeld, afmelding, désinscrit
        désinscrite, désinscription, désabonné, désabonnée, désabonnement, désabonnements
        abgemeldet, Abmeldung, ausgetragen, abbestellt""",
    Event.ABOUT_US: """block, blocked, blocks, block bounce, pre-blocked, preblocked, mail block
        spam block, spam content, spam notification, policy, policy related, policy rejection
        policy violation, dmarc policy, dmarc, virus notification, content rejected
        attachment rejected, prohibited attachment, relaying denied, relay denied, espblock
        sender blocked, bounced blocked, quarantined, filtered as spam, spam related
        bad configuration, authentication failed, generation failure, generation rejection
        geblokkeerd, bloqué, bloquée, blockiert, gesperrt durch Empfänger""",
    Event.TEMPORARY: """soft, soft bounce, soft bounces, soft bounced, softbounce, transient
        transient failure, temporary, temporary failure, temporary failed, temporarily failed
        deferred, deferral, delay, delayed, delivery delay, delivery delayed, retry, retrying
        will retry, mailbox full, mailboxfull, over quota, quota issues, quota exceeded
        message too large, too large, timeout, message expired, expired, dns failure, dns error
        dnserror, no answer from host, bad connection, admin failure, in progress, greylisted
        zachte bounce, tijdelijk, tijdelijke fout, uitgesteld, vertraagd, postvak vol
        rebond doux, soft bounce temporaire, temporaire, erreur temporaire, différé, retardé
        boîte pleine, vorübergehend, temporär, temporärer Fehler, verzögert, zurückgestellt
        Postfach voll, weicher Bounce""",
    Event.HARD: """hard, hard bounce, hard bounces, hard bounced, hardbounce, permanent
        permanent bounce, permanent failure, permanent fail, permanently failed, cleaned
        invalid, invalid email, invalid emails, invalid address, invalid recipient
        invalid email address, bad email address, bademailaddress, bad mailbox, bad domain
        bounce_bad-mailbox, bounce_bad-domain, bounce_inactive-mailbox, inactive mailbox
        no email, noemail, generic bounce no rcpt, no rcpt, unknown user, user unknown
        harde bounce, permanente fout, permanente bounce, ongeldig, ongeldig adres
        ongeldig e-mailadres, onbekende ontvanger, rebond dur, hard bounce permanent, permanente
        erreur permanente, adresse invalide, e-mail invalide, email invalide, invalide
        destinataire inconnu, harter Bounce, dauerhaft, permanenter Fehler, ungültig
        ungültige Adresse, ungültige E-Mail, ungültige E-Mail-Adresse, Empfänger unbekannt""",
    Event.UNCLEAR: """bounce, bounces, bounced, bounced address, failed, fail, failure, dropped
        drop, rejected, reject, error, undelivered, undeliverable, not delivered, out of band
        out_of_band, undetermined, suppressed, suppress-bounce, on account suppression list
        onaccountsuppressionlist, suppressed list, manually deactivated, manual suppression
        generic bounce, technical bounce, unknown bounce, block list, teruggekomen, gebounced
        mislukt, niet afgeleverd, onbestelbaar, geweigerd, rebond, échec, échoué, non délivré
        non distribué, rejeté, refusé, zurückgekommen, fehlgeschlagen, nicht zugestellt
        unzustellbar, abgelehnt, Fehler""",
    Event.OTHER: """sent, send, injection, processed, accepted, queued, scheduled, requests
        requested, request, delivery, delivered, open, opens, opened, unique opened
        first opening, first open, initial open, proxy open, loaded by proxy, click, clicks
        clicked, active, subscribed, subscribe, resubscribe, group resubscribe, unconfirmed
        confirmed, pending, non-subscribed, nonsubscribed, auto responder, autoresponder
        auto reply, auto-reply, autoreply, address change, challenge verification
        challenge-response, open relay test, list addition, contact updated, contact deleted
        getting status, verzonden, afgeleverd, bezorgd, geopend, geklikt, aangeklikt, actief
        ingeschreven, niet bevestigd, envoyé, délivré, livré, distribué, ouvert, cliqué, actif
        inscrit, abonné, non confirmé, gesendet, versendet, zugestellt, geöffnet, angeklickt
        geklickt, aktiv, abonniert, angemeldet, unbestätigt""",
}
_CLASSES: Final = {"10": Event.HARD, "30": Event.HARD, "90": Event.UNSUBSCRIBE}  # of SparkPost
_SOFT_CLASSES: Final = frozenset({"20", "21", "22", "23", "24", "40", "60", "70", "100"})
_OUR_CLASSES: Final = frozenset({"25", "50", "51", "52", "53", "54"})

# Columns whose cells are such words, and columns that say why in a code or in words.
_EVENTS: Final = """event, event type, event name, eventtype, status, state, type, category
    bounce type, bounce category, bounce class, bounce sub type, bounce_subtype, bounce status
    bounce, severity, result, action, activity, message status, delivery status, last event
    st_text, suppression reason, suppression type, reason, subscriber status, contact status
    gebeurtenis, soort, actie, bouncetype, soort bounce, reden, resultaat
    événement, statut, état, type de rebond, type d'événement, raison, motif, résultat
    Ereignis, Art, Aktion, Bounce-Typ, Bounce-Art, Grund, Ergebnis, Zustand, Ereignistyp"""
_REASONS: Final = """bounce reason, error, error message, error code, code, smtp code, smtp reply
    smtp response, smtp status, status code, enhanced status code, response, details, description
    diagnostic code, diagnostic, raw reason, rawreason, bounce description, bounce code
    delivery status message, delivery-status.message, delivery-status.code, bounce message
    foutmelding, foutcode, toelichting, message d'erreur, code d'erreur, détail, détails
    Fehlermeldung, Fehlercode, Beschreibung, Details"""
_FLAGS: Final[Mapping[Event, str]] = {  # a cell that is a date, a yes or a number says it
    Event.COMPLAINT: """complained, complained at, complained on, complaint time, complaint date
        spam complaint date, marked as spam at, klacht op, date de plainte, Beschwerde am""",
    Event.UNSUBSCRIBE: """unsub time, unsubscribed, unsubscribed at, unsubscribed on
        unsubscribe date, unsubscribe time, date unsubscribed, opt-out time, opted out at
        uitgeschreven op, datum uitschrijving, uitschrijfdatum, afgemeld op, désinscrit le
        date de désinscription, désabonné le, abgemeldet am, Abmeldedatum""",
    Event.HARD: """clean time, hard bounce, hard bounced, hard bounced at, hard bounce date
        hard bounces""",
}

_DEAD = re.compile(
    r"no such (?:user|mailbox|recipient|address|person)|(?:user|recipient|mailbox|address|account)"
    r"(?: \S+){0,3} (?:unknown|(?:does not|doesn't|doesnt) exist|not found|no longer"
    r" (?:valid|exists|available))|unknown (?:user|recipient|mailbox|local ?part|account|domain)"
    r"|invalid (?:recipient|mailbox)|recipient address rejected: (?:user|undeliverable)"
    r"|(?:email )?account that you tried to reach does not exist|domain \S+(?: \S+){0,3} is unknown"
    r"|host or domain name not found|mailbox (?:is )?disabled|nullmx|null mx",
    re.IGNORECASE,
)
_DEAD_ALTHOUGH = re.compile(  # what Exchange Online says of addresses that its directory lacks
    r"\b5\.4\.1\b.{0,40}recipient address rejected: access denied", re.IGNORECASE
)
_OURS = re.compile(
    r"\b5\.7\.\d|spam|block(?:ed|list)|black ?list|denied|polic|reputation|dmarc|\bspf\b|dkim"
    r"|abuse|banned|blocklist|listed (?:at|by|in)|not authori[sz]ed|authenticat",
    re.IGNORECASE,
)
_LATER = re.compile(
    r"\b4\.\d{1,3}\.\d|^\s*4\d\d\b|\b5\.2\.2\b|quota|mailbox (?:is )?full|inbox (?:is )?full"
    r"|try again|temporar|greylist|graylist|timed? ?out|too many|rate limit|storage",
    re.IGNORECASE,
)
_CODE = re.compile(r"\b5\.\d{1,3}\.\d{1,3}\b")
_REPLY = re.compile(r"\s*5\d\d\b")
_LONGEST = 60  # of a word; what is longer is a reason
_LONGEST_REASON = 2_000


def is_event_column(name: str) -> bool:
    """Return whether a header names the column of what happened."""
    return folded(name) in _folded(_EVENTS)


def is_reason_column(name: str) -> bool:
    """Return whether a header names a column that says why, in a code or in words."""
    return folded(name) in _folded(_REASONS)


def flag_named(name: str) -> Event | None:
    """Return what a date, a yes or a number in the column of that name says; None when nothing."""
    return _by_word(_flags(), name)


def named(word: str) -> Event | None:
    """Return what *word* says, without any column; None for a word that nobody knows."""
    return _by_word(_words(), word)


def is_suppression_list(header: Iterable[str]) -> bool:
    """Return whether *header* is that of the suppression list of Amazon SES, on which BOUNCE means
    a hard one."""
    names = {folded(name) for name in header if name.strip()}
    return names <= {"emailaddress", "reason", "lastupdatetime"} and {"reason"} < names


@lru_cache(1 << 12)
def event_of(cell: str, column: str) -> Event | None:
    """Return what a cell of the column of that name says; None for what nobody knows."""
    if is_nothing(cell):
        return None
    if folded(column) in {"bounceclass", "bounceclassid"} and cell.strip().isdecimal():
        return _of_class(cell.strip())
    return _by_word(_words(), cell) or of_reason(cell)


def of_flag(cell: str, says: Event) -> Event | None:
    """Return *says* when a cell of such a column says so; None when it does not."""
    if is_nothing(cell):
        return None
    if cell.strip().isdecimal():
        return says if int(cell) else None
    return says if truth_of(cell) or date_of(cell.strip()) else None


@lru_cache(1 << 12)
def of_reason(text: str) -> Event | None:
    """Return what a code or a sentence about a bounce says; None when it says nothing of one.

    In doubt the address is not dead: a bare 550 says nothing, and whatever names a policy or a full
    mailbox is neither.
    """
    text = text[:_LONGEST_REASON].strip()
    if _DEAD_ALTHOUGH.search(text):
        return Event.HARD
    if _LATER.search(text):
        return Event.TEMPORARY
    if _OURS.search(text):
        return Event.ABOUT_US
    code = _CODE.search(text)
    if code and not code[0].startswith("5.0."):
        return Event.HARD if is_about_address(f"550 {code[0]}") else Event.UNCLEAR
    if _DEAD.search(text):
        return Event.HARD
    return Event.UNCLEAR if code or _REPLY.match(text) else None


def _of_class(number: str) -> Event:
    if number in _SOFT_CLASSES:
        return Event.TEMPORARY
    return Event.ABOUT_US if number in _OUR_CLASSES else _CLASSES.get(number, Event.UNCLEAR)


def _by_word(words: Mapping[str, Event], text: str) -> Event | None:
    return words.get(folded(text)) if len(text) <= _LONGEST else None


@cache
def _words() -> Mapping[str, Event]:
    return {word: event for event, text in _WORDS.items() for word in _folded(text)}


@cache
def _flags() -> Mapping[str, Event]:
    return {word: event for event, text in _FLAGS.items() for word in _folded(text)}


@cache
def _folded(text: str) -> frozenset[str]:
    return frozenset(folded(name) for name in re.split(r"[,\n]", text) if name.strip())
