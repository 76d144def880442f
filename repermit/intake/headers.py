"""The names of columns: in Dutch, French, German and English, and as known programs write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache

from repermit.intake.cells import folded

_LONGEST_NAME = 200

# Case, accents, spaces and punctuation do not matter.
_NAMES: Mapping[str, str] = {
    "email": """e-mail, e-mailadres, mail, mailadres, e-mails, e-mailadressen
        courriel, adresse mail, adresse e-mail, adresse courriel, adresse électronique, mél
        courrier électronique, adresse de courriel, adresse de messagerie, messagerie
        E-Mail-Adresse, E-Mail-Adressen, Mailadresse, E-Post, elektronische Adresse
        e-mail address, e-mail addresses, mail address""",
    "relationship": """relatie, soort relatie, type relatie, relatietype, aard van de relatie
        relation, type de relation, nature de la relation
        Beziehung, Art der Beziehung, Beziehungsart
        relationship, type of relationship""",
    "country": """land, landcode, woonland, land van verblijf
        pays, code pays, pays de résidence
        Ländercode, Länderkennzeichen, Wohnsitzland
        country, country code, country/region, country of residence
        landnaam, land/regio, facturatieland, pays de facturation, Rechnungsland, Land/Region
        billing country, mailing country, country name, home country/region, address 1 - country""",
    "language": """taal, taalcode, voorkeurstaal, correspondentietaal
        langue, code langue, langue préférée, langue de correspondance
        Sprache, Sprachcode, Korrespondenzsprache, bevorzugte Sprache
        language, language code, preferred language, lang, locale
        taal contact, langue de contact, user language, contact language""",
    "source": """bron, herkomst, herkomst adres, inschrijfbron, aanmeldbron
        origine, provenance, source d'inscription, origine de l'adresse
        Quelle, Herkunft, Anmeldequelle
        source, lead source, signup source, opt-in source, origin
        bron aanmelding, leadbron, canal d'inscription, Leadquelle
        subscription source, registration source""",
    "collected": """ingeschreven op, datum inschrijving, inschrijfdatum, inschrijvingsdatum
        aanmelddatum, aangemeld op, datum aanmelding, datum opt-in, verzameld op
        date d'inscription, inscrit le, date inscription, collecté le, date de collecte
        Anmeldedatum, angemeldet am, Eintragungsdatum, eingetragen am, erhoben am
        verzameld, opgenomen op, collecté, erhoben, collected, collected on, collected at
        date collected, signup date, sign-up date
        signed up on, subscribed on, subscribed at, subscription date, opt-in date, opt-in time
        registratiedatum, geregistreerd op, geabonneerd op, klant sinds, lid sinds
        datum toestemming, abonné le, abonné depuis, client depuis, membre depuis
        date de consentement, Registrierungsdatum, registriert am, Kunde seit, Mitglied seit
        Einwilligungsdatum, registered, registered on, registration date, date registered
        user registered, customer since, member since, sign up, subscribe date, consent date
        opt-in timestamp""",
    "last_contact": """laatste contact, datum laatste contact, laatste contactdatum, laatste aankoop
        laatste bestelling, dernier contact, date du dernier contact, date dernier contact
        dernier achat, dernière commande
        letzter Kontakt, letzte Bestellung, letzter Kauf, Datum letzter Kontakt
        last contact, last contact date, date of last contact, last purchase, last order
        last order date, last purchase date
        laatste login, laatste bezoek, dernière connexion, dernière visite
        letzter Login, letzter Besuch, last login, last active, last visit""",
    "ended": """klant tot, einddatum, einde klant, einde contract, klant tot en met
        client jusqu'au, client jusque, date de fin, fin de contrat, cliente jusqu'au
        Kunde bis, Enddatum, Vertragsende, Kundin bis
        einde relatie, einde lidmaatschap, fin de relation, Ende der Beziehung, relation ended
        ended, ended on, end date, customer until, contract end, contract end date""",
    "sale_ref": """factuur, factuurnummer, factuurnr, bestelling, bestelnummer, ordernummer, verkoop
        facture, numéro de facture, n° facture, n° de facture, commande, numéro de commande
        n° commande, vente
        Rechnung, Rechnungsnummer, Rechnungs-Nr, Bestellung, Bestellnummer, Auftrag, Auftragsnummer
        sale, sale ref, sale reference, order, order id, order number, invoice, invoice number""",
    "given_directly": """zelf gegeven, rechtstreeks gegeven, door klant gegeven, zelf opgegeven
        donné directement, fourni directement, fourni par le client
        direkt angegeben, selbst angegeben, given directly, given by the person""",
    "objection_offered": """bezwaar aangeboden, verzet aangeboden, opt-out aangeboden
        opposition proposée, opposition offerte, opt-out proposé
        Widerspruch angeboten, Widerspruchshinweis, Opt-out angeboten
        objection offered, opt-out offered""",
    "own_products": """eigen producten, eigen gelijkaardige producten, eigen soortgelijke producten
        eigen gelijksoortige producten
        produits propres, produits propres et analogues
        eigene Produkte, eigene ähnliche Produkte, own products, own similar products""",
    "proof_ref": """bewijs, bewijsreferentie, referentie bewijs, bewijsnummer
        preuve, référence de la preuve, référence preuve
        Nachweis, Nachweisnummer, Beleg, proof, proof ref, proof reference, consent id""",
    "legal_person": "rechtspersoon, personne morale, juristische Person, legal entity",
    "opted_out": """uitgeschreven, uitgeschreven op, uitschrijfdatum, datum uitschrijving
        afgemeld, afgemeld op, afmelddatum, niet mailen, geen mail, geen e-mail, geen reclame
        geen nieuwsbrief, bezwaar, zwarte lijst
        désinscrit, désinscrite, désinscrit le, désinscription, date de désinscription, désabonné
        désabonné le, désabonnement, ne pas contacter, pas de mail, opposition, liste noire
        abgemeldet, abgemeldet am, Abmeldung, Abmeldedatum, ausgetragen, ausgetragen am
        keine Werbung, keine E-Mail, nicht anschreiben, Widerspruch, Sperrliste
        opt-out, opted out, opt-out date, opted out on, unsubscribed, unsubscribed on
        unsubscribed at, unsubscribe, unsubscribe date, unsub time, do not mail, do not e-mail
        do not contact, no mail, no e-mail, e-mail opt-out, has opted out of email
        do not bulk e-mail, blacklist, blacklisted, e-mail blacklisted, blocklisted, suppressed
        Robinson, complaint, complained, objection, objected
        uitgeschreven nieuwsbrief, wil geen mail, wil geen mails, wenst geen mails
        geen mailing, geen mailings, pas de newsletter, pas de mailing, stop, stop pub
        kein Newsletter, Abmeldezeitpunkt, is blacklisted, marketing opt-out, newsletter opt-out
        clean time, is unsubscribed, unsubscribed date, date unsubscribed, no newsletter
        do not email""",
    "opted_in": """nieuwsbrief, nieuwsbrieven, nieuwsbrief ontvangen, ontvangt nieuwsbrief
        wil nieuwsbrief, wenst nieuwsbrief, inschrijving nieuwsbrief, nieuwsbrief opt-in
        ingeschreven op nieuwsbrief, ingeschreven voor nieuwsbrief, abonnee, geabonneerd
        e-mail ontvangen, ontvangt e-mail, wil e-mail ontvangen, mag gemaild worden, mailen mag
        mailing, mailings, marketingmails, marketing toegestaan, reclame, e-mailmarketing
        toestemming, toestemming e-mail, toestemming marketing, akkoord, akkoord nieuwsbrief
        newsletter, lettre d'information, infolettre, inscrit à la newsletter, inscrit newsletter
        inscription newsletter, inscription à la newsletter, abonné, abonnée, abonné newsletter
        abonné à la newsletter, abonnement newsletter, reçoit la newsletter
        souhaite recevoir la newsletter, accepte la newsletter, accepte les e-mails
        consentement, consentement e-mail, consentement marketing, accord newsletter
        Newsletter erwünscht, Newsletter gewünscht, Newsletter abonniert, Newsletter-Abo
        Newsletter-Anmeldung, Newsletter erhalten, Newsletter-Einwilligung, abonniert
        Einwilligung, Werbeeinwilligung, Zustimmung, Werbung erlaubt, E-Mail-Werbung
        opt-in, opted in, e-mail opt-in, opt-in e-mail, opt-in marketing, marketing opt-in
        opt-in newsletter, newsletter opt-in, newsletters, newsletter subscription
        newsletter subscriber, newsletter subscribed, subscribed, is subscribed, receives newsletter
        receive newsletter, accepts marketing, accepts email marketing, email marketing
        subscribed to newsletter, e-mail marketing consent, marketing consent, marketing e-mails
        marketing mails, marketing permission, consent, e-mail consent, gdpr consent, may be mailed
        wants newsletter, mailing list, ingeschreven, inscrit, inscrite, angemeldet, wil mail
        wil mails, mag mailen, mailing toegestaan, e-mail toegestaan, akkoord mailing, emailing
        accepte les mails, send newsletter, marketingtoestemming, marketing, marketing ok, GDPR
        AVG, RGPD, DSGVO, permission to email, email permission""",
}
_STATUSES = """status, statut, e-mail status, subscription status, inschrijvingsstatus
    Anmeldestatus, global status, list status, subscriber status, member status, marketing status
    e-mail marketing status, newsletter status, statut newsletter, nieuwsbriefstatus
    status nieuwsbrief, abonnementstatus, contact status"""
# Says which of somebody's addresses it is; what is left of the name says that it is one.
_QUALIFIERS = """privé, privée, werk, thuis, zakelijk, persoonlijk, kantoor, bureau
    primair, secundair, eerste, tweede, ander, andere, alternatief, hoofd, contact, contactpersoon
    klant, lid, factuur, facturatie, gebruiker, waarde, van, voor, het
    travail, domicile, personnel, personnelle, pro, professionnel, professionnelle, principal
    principale, primaire, secondaire, autre, client, membre, facturation, utilisateur, valeur, du
    privat, arbeit, geschäftlich, dienstlich, beruflich, erste, zweite, weitere, kunde, kunden
    mitglied, rechnung, rechnungs, benutzer, wert, kontakt
    private, work, home, business, office, personal, primary, secondary, other, alternate, main
    alternative, customer, member, subscriber, user, account, person, billing, value, first
    second"""
# Of these words a name may be put together that says who left, or who may be mailed.
_LEFT = """suppression dnc bezwaar robinson robinsonliste gesperrt geblokkeerd bloque refus
    complaint complaints klacht opgezegd verzet uitgeschreven uitschrijving
    uitschrijven uitschrijfdatum afgemeld afmelding afmelden desinscrit desinscrite
    desinscrits desinscription desabonne desabonnee desabonnement desabonner
    abgemeldet abmeldung abmelden abbestellt abbestellung ausgetragen unsubscribed
    unsubscribe unsubscription unsub optout optedout blacklist blacklisted blocklist
    blocklisted"""
_NOT = "geen niet nooit pas ne kein keine keinen nicht not never stop"
_MAY = """avg gdpr rgpd dsgvo permission nieuwsbrief nieuwsbrieven newsletter newsletters
    infolettre mailing mailings mailen optin optedin toestemming toegestaan consent
    consentement einwilligung zustimmung"""
_ABOUT = """reason reden raison grund global direct bulk allow allowed do nur post list lijst
    liste state ok mag maandelijkse monatlicher mensuelle mail mails email emails
    marketing reclame publicite pub publicitaire werbung lettre information digitale
    elektronische electronique onze notre nos unser unseren our e brief ontvangen
    ontvangt wil wenst gewenst ingeschreven inschrijving aangemeld aanmelding recevoir
    recoit souhaite souhaitee veut inscrit inscrite inscription abonne abonnee
    abonnement erhalten erwunscht gewunscht mochte abonniert angemeldet anmeldung
    receive receives wants subscribed subscriber subscription accepts accept
    geabonneerd abonnee akkoord accord de la le les du a au aux l d van voor op te
    meer per par via in the of from for on at to am an vom von der die das den des fur
    per is has was were datum date time tijdstip zeitpunkt ja oui"""
_ASIDE = re.compile(r"\(.*?\)|\b(?:j/n|ja/nee|o/n|oui/non|ja/nein|y/n|yes/no)\b", re.IGNORECASE)
_TWO_WORDS = re.compile(r"\bopt[\W_]*(in|out)\b|\be[\W_]*(mails?)\b", re.IGNORECASE)


@lru_cache(1 << 12)
def field_named(name: str) -> str | None:
    """Return the field that a header names: whole, without "(...)", in two languages, put
    together of words ("Afmelding nieuwsbrief"), or, of an address, with a word that says which
    ("E-mail 2 Address", "E-mail privé")."""
    if len(name) > _LONGEST_NAME:
        return None
    names = _fields_by_name()
    if field := names.get(folded(name)) or names.get(folded(_ASIDE.sub("", name))):
        return field
    parts = {names.get(folded(part)) for part in re.split(r"[/|]", name)}
    if len(parts) == 1 and None not in parts:
        return parts.pop()
    words = [folded(word) for word in re.split(r"[\W\d_]+", name)]
    rest = "".join(word for word in words if word not in _folded(_QUALIFIERS))
    if "email" in (names.get("".join(words)), names.get(rest)):
        return "email"
    return _stop_named(_ASIDE.sub("", name))


def _stop_named(name: str) -> str | None:
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)  # optOutDate
    joined = _TWO_WORDS.sub(lambda found: f"opt{found[1]}" if found[1] else "email", name)
    words = {folded(word) for word in re.split(r"[\W\d_]+", joined)} - {""}
    left, negated, may = (words & _words(text) for text in (_LEFT, _NOT, _MAY))
    known = left | negated | may | (words & _words(_ABOUT))
    if known != words or not (left or may or negated):
        return None
    return "opted_out" if left or (negated and len(words) > 1) else "opted_in" if may else None


@cache
def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


@lru_cache(1 << 12)
def is_status(name: str) -> bool:
    """Return whether a header says "status", of the subscription or of something else."""
    return len(name) <= _LONGEST_NAME and folded(name) in _folded(_STATUSES)


@cache
def _folded(text: str) -> frozenset[str]:
    return frozenset(folded(name) for name in re.split(r"[,\n]", text) if name.strip())


@cache
def _fields_by_name() -> Mapping[str, str]:
    names = {name: field for field, text in _NAMES.items() for name in _folded(text)}
    return names | {folded(field): field for field in _NAMES}
