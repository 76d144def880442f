"""Whether nobody wrote a message: out of office, a ticket number, a challenge, a list.

Source: RFC 3834 section 5 (Auto-Submitted), RFC 8098 section 3 (a report that a mail was read);
the other headers are customs of programs.
"""

from __future__ import annotations

import re

from repermit.inbound.message import Message

_SUBJECTS = (  # at its begin, after Re: and the like
    r"auto(?:matic|mated|matische|matisch)?[- ]?(?:reply|response|antwoord|beantwoording|bericht)"
    r"|auto[:/ ]|autoreply|autoresponse|out of (?:the )?office|ooo\b|i am (?:out|away)|away from"
    r"|on (?:vacation|holiday|leave)\b|afwezig|ik ben afwezig|niet aanwezig|niet op kantoor"
    r"|buiten kantoor|ontvangstbevestiging|bevestiging van ontvangst"
    r"|r[ée]ponse automatique|message automatique|absence|absente?\b|je suis absent|en cong[ée]"
    r"|accus[ée] de r[ée]ception|automatische (?:antwort|antwoord|reply|nachricht|ontvangst)"
    r"|abwesenheit|abwesend|bin abwesend|nicht im (?:büro|buero|haus)|eingangsbest(?:ä|ae)tigung"
    r"|empfangsbest(?:ä|ae)tigung|urlaub\b|respuesta autom[áa]tica|fuera de (?:la )?oficina|ausente"
    r"|risposta automatica|fuori (?:sede|ufficio)|resposta autom[áa]tica|aus[êe]ncia"
    r"|fora do escrit[óo]rio|delivered:|read:|gelezen:|lu ?:|gelesen:"
    r"|(?:please )?(?:confirm|verify) your (?:e-?mail|message|identity)|sender verification"
    r"|challenge|ticket (?:received|created)|your (?:ticket|request|case)\b"
)
_PERHAPS_SUBJECTS = (  # where a header says, too, that nothing shall answer it
    r"ticket|\bcase\b|dossier|aanvraag|request|incident|#\d|office|afwezig|absen|abwesen|received"
    r"|bien reçu|away|urlaub|verlof|vacation|cong[ée]"
)
_WORDS = (  # near the begin of the text, as it is without accents and punctuation
    r"(?:this is|dit is|ceci est|dies ist|das ist) (?:an |a |een |une? |eine? )?"
    r"(?:auto|message automatique|reponse automatique)"
    r"|automatisch (?:gegenereerd|verstuurd|bericht|antwoord|generiert|erzeugt)"
    r"|automatic(?:ally)? (?:reply|response|generated)|auto reply|reponse automatique"
    r"|automatische (?:antwort|nachricht|e mail|mail)"
    r"|out of (?:the )?office|away from (?:the office|my desk|my email|my mail)"
    r"|i (?:am|m|will be) (?:currently |now )?(?:away|on (?:vacation|holiday|annual leave|leave|"
    r"parental leave|maternity leave)|out of)"
    r"|currently (?:away|out of|on leave|on vacation|on holiday)"
    r"|limited access to (?:my )?e ?mail"
    r"|ik ben (?:momenteel |tot (?:en met )?\S{1,20} |op dit moment |vandaag |deze week |"
    r"van .{1,40} )?"
    r"(?:afwezig|met vakantie|op vakantie|met verlof|niet aanwezig|niet op kantoor|niet "
    r"bereikbaar|buiten kantoor)"
    r"|(?:momenteel|tijdelijk) (?:afwezig|gesloten|niet bereikbaar|niet op kantoor)"
    r"|ons kantoor is gesloten|niet (?:langer|meer) werkzaam"
    r"|je suis (?:actuellement |absent|en conge|en vacances|hors du bureau)"
    r"|(?:actuellement|momentanement) (?:absent|en conge|en vacances|indisponible)"
    r"|absente? (?:du bureau|jusqu|du \d|de mon bureau)|nos bureaux sont fermes"
    r"|ich bin (?:(?:derzeit|zurzeit|zur zeit|momentan|aktuell|im|heute|wieder) ){0,2}"
    r"(?:(?:bis|vom|ab) .{1,60} )?"
    r"(?:nicht im (?:buro|buero|haus)|urlaub|im urlaub|abwesend|nicht erreichbar|ausser haus|in "
    r"elternzeit)"
    r"|bin ich (?:nicht im|im urlaub|abwesend|nicht erreichbar|ausser haus)|in meiner abwesenheit"
    r"|estoy (?:fuera|de vacaciones|ausente)|estare fuera|sono (?:fuori|assente|in ferie)"
    r"|estou (?:ausente|de ferias|fora)"
    r"|(?:your|the) (?:ticket|request|case|inquiry|enquiry|message|e ?mail) (?:\S{1,40} )?"
    r"(?:has been|was|is) (?:received|created|registered|logged|assigned)"
    r"|(?:we|i) (?:have|ve) (?:well |successfully )?received your (?:message|e ?mail|request|"
    r"inquiry|enquiry|question)"
    r"|thank you for (?:contacting|your (?:message|e ?mail|request|inquiry|enquiry)|reaching out|"
    r"getting in touch)"
    r"|(?:ticket|case) (?:number|no|id|nummer|nr)\b"
    r"|(?:wij|we) hebben (?:uw|je) (?:bericht|mail|e ?mail|e mail|vraag|aanvraag|melding) (?:goed"
    r" |in goede orde )?(?:ontvangen|geregistreerd)"
    r"|(?:uw|je) (?:bericht|mail|email|e mail|vraag|aanvraag|melding) (?:is|werd) (?:goed |in "
    r"goede orde )?(?:ontvangen|geregistreerd)"
    r"|(?:bedankt|dank u|dank je) voor (?:uw|je) (?:bericht|mail|email|e mail|vraag|aanvraag)"
    r"|(?:nous avons |avons )?bien (?:recu|recue) votre (?:message|mail|email|e mail|courriel|"
    r"demande)"
    r"|votre (?:message|demande|mail|email|courriel|e mail) (?:a|a ete|a bien ete) (?:recu|recue|"
    r"bien recu|enregistre|enregistree|pris|prise)"
    r"|(?:nous vous remercions|merci) (?:pour|de) votre (?:message|mail|email|e mail|courriel|"
    r"demande)"
    r"|(?:wir haben )?ihre (?:nachricht|anfrage|mail|e mail|email) (?:ist |wurde |haben wir "
    r")?(?:erhalten|eingegangen|bei uns eingegangen|registriert)"
    r"|(?:vielen dank|danke) fur ihre (?:nachricht|anfrage|mail|e mail|email)"
    r"|(?:verify|confirm|prove) (?:that )?you(?:r| are)? (?:not |a |e ?mail|address|message|human"
    r"|person|real)"
    r"|(?:to|pour|um) (?:deliver|ensure delivery|complete delivery|que votre message soit remis|"
    r"que votre mail soit remis)"
    r"|(?:mailinblack|boxbe|spamarrest|spam arrest|vade ?secure|altospam)"
    r"|cliqu\S{1,20} .{0,60}(?:authentifier|liberer|valider votre)|bevestig dat u (?:geen|een)"
    r"|(?:address|adres|adresse) .{0,40}(?:no longer (?:in use|monitored)|niet meer (?:in gebruik"
    r"|gelezen)|n est plus (?:utilisee|lue)|wird nicht (?:gelesen|mehr))"
)
_REQUESTS = (  # whoever writes one of these wants something: a person reads it, whatever it is
    r"\b(?:unsubscrib|uitschrij|afmeld|verwijder|wis(?:sen)?\b|schrijf|schrap|desinscri|desabonn|"
    r"supprim|effac"
    r"|retire[rz]|abmeld|losch|austrag|abbestell|remov|delet|eras|opt out|stop|gdpr|avg\b|rgpd|"
    r"dsgvo|privacy"
    r"|persoonsgegevens|donnees personnelles|personenbezogen|personal data|inzage|klacht|plainte|"
    r"beschwerde"
    r"|complain|baja\b|cancell|nooit|jamais|never|overleden|deced|verstorben|deceased|passed away)"
)

_LOUD = frozenset(("bulk", "junk", "auto_reply", "auto-reply"))  # of Precedence
_NOBODY = re.compile(
    r"mailer-daemon|postmaster|no-?reply|do-?not-?reply|ne-?pas-?repondre|geenantwoord"
    r"|auto-?(?:reply|responder)"
)
_BY_THEMSELVES = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply")
_NOT = ("", "no")
_AGAIN = re.compile(
    r"^(?:\s*(?:re|fwd?|aw|wg|antw|sv|tr|rif|res|r[ée]f?)\s*(?:\[\d+\]\s*)?:)+\s*", re.IGNORECASE
)
_LOCAL_PART = re.compile(r"([^\s<>\"@]{1,128})@")
_NEAR = 600  # characters of the text
_is_automatic_subject = re.compile(_SUBJECTS).match
_may_be_automatic = re.compile(_PERHAPS_SUBJECTS).search
_says_so = re.compile(rf"\b(?:{_WORDS})").search
_wants_something = re.compile(_REQUESTS).search


def is_surely(message: Message) -> bool:
    """Return whether the headers say that nobody wrote it, in a way that none puts on what people
    write."""
    if _auto_submitted(message).startswith("auto-"):
        return True
    if any(message.header(name).strip().lower() not in _NOT for name in _BY_THEMSELVES):
        return True
    is_receipt = message.report_type == "disposition-notification"
    return is_receipt or (bool(message.report_type) and _has_no_sender(message))


def is_perhaps(message: Message) -> bool:
    """Return whether headers or subject are such as machines write, and gateways, lists or people
    at times.

    Lists put List-Id and `Precedence: list` also on what people write to an address of the
    controller that is a list itself: what answers a mail is not taken for automatic by these.
    """
    precedence = message.header("precedence").strip().lower()
    answers = bool(message.header("in-reply-to").strip() or message.header("references").strip())
    return (
        _auto_submitted(message) not in _NOT
        or precedence in _LOUD
        or (not answers and (precedence == "list" or "list-id" in message.headers))
        or "x-loop" in message.headers
        or bool(message.report_type)
        or _is_from_nobody(message)
        or _by_subject(message)
    )


def by_words(said: str) -> bool:
    """Return whether a text says near its begin that nobody wrote it; *said* is in small letters,
    without accents and punctuation."""
    return bool(_says_so(said[:_NEAR]))


def wants_something(said: str) -> bool:
    """Return whether a text asks for what only a person wants; *said* is as above."""
    return bool(_wants_something(said))


def subject_of(message: Message) -> str:
    """Return the subject in small letters, without "Re:" and the like."""
    return _AGAIN.sub("", message.header("subject")[:500].strip()).casefold().replace("’", "'")


def _auto_submitted(message: Message) -> str:
    return message.header("auto-submitted").partition(";")[0].strip().lower()


def _has_no_sender(message: Message) -> bool:
    return message.header("return-path").strip() == "<>"


def _is_from_nobody(message: Message) -> bool:
    if _has_no_sender(message):
        return True
    senders = (message.header(name)[:1000] for name in ("return-path", "from", "sender"))
    return any(
        found is not None and _NOBODY.fullmatch(found[1].lower()) is not None
        for found in map(_LOCAL_PART.search, senders)
    )


def _by_subject(message: Message) -> bool:
    subject = subject_of(message)
    if _is_automatic_subject(subject):
        return True
    return "x-auto-response-suppress" in message.headers and bool(_may_be_automatic(subject))
