"""What people say when they say no, or yes, and nothing else: the one list of each language.

In small letters, without accents and punctuation; [x] may be left out, (a|b) is one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache

_MAILS = "(mail|mails|e mail|e mails|email|emails|mailing|mailings|newsletter|newsletters)"
_NIEUWS = (
    "(mail|mails|e mail|e mails|email|emails|nieuwsbrief|nieuwsbrieven|berichten|reclame|post)"
)
_COURRIELS = "(mail|mails|e mail|e mails|email|emails|courriel|courriels|message|messages|newsletter|newsletters|publicite|publicites)"
_POST = "(mail|mails|e mail|e mails|email|emails|newsletter|nachrichten|werbung|post)"
NO = {
    "nl": (
        "(nee|neen|nee hoor|neen hoor|zeker niet|absoluut niet|liever niet|nooit meer|nope)",
        "(uitschrijven|afmelden|opzeggen|uitschrijving|afmelding|schrap mij|schrap me) [graag]",
        "stop [(ermee|met mailen|met deze mails|met mailen naar mij)]",
        "[graag] (schrijf|haal|verwijder|schrap) (mij|me) [(uit|van|van de lijst af)]",
        "[graag] (schrijf|haal|verwijder|schrap) (mij|me) (uit|van) (de|deze|uw|jullie)"
        " (lijst|mailinglijst|bestand|verzendlijst|mailing|database)",
        "[graag] (schrijf|meld) (mij|me) (uit|af) [(voor deze mails|voor de nieuwsbrief)]",
        "ik (wil|wens|zou) (mij|me) [graag] [willen] (uitschrijven|afmelden)",
        "ik schrijf (mij|me) uit",
        "(graag|mij|me) (uitschrijven|afmelden)",
        f"[(liever|graag)] (geen|niet) [(deze|uw|jullie)] [{_NIEUWS}] meer [(ontvangen|sturen|krijgen)]",
        f"ik (wil|wens|hoef) (geen|niet|dit niet|deze niet|ze niet) [{_NIEUWS}] [meer] [van (u|jullie)] [te] [(ontvangen|krijgen)]",
        f"ik (wil|wens|hoef) (deze|uw|jullie) {_NIEUWS} niet [meer] [te] [(ontvangen|krijgen)]",
        f"(stuur|zend) (mij|me) (geen|niets) [{_NIEUWS}] meer",
        "[graag] [(mij|me)] niet [meer] mailen",
        "(mail|contacteer) (mij|me) niet meer",
        "[(ik heb|heb)] geen interesse [meer]",
        "niet (geinteresseerd|meer geinteresseerd|gewenst)",
        "ik ben niet [meer] geinteresseerd",
    ),
    "fr": (
        "(non|jamais|surement pas|certainement pas|plutot non)",
        "(desinscrire|desinscription|desabonner|desabonnement|me desinscrire|me desabonner|se desinscrire|se desabonner|arret|arretez|arretez tout)",
        "(desinscrivez|desabonnez|retirez|supprimez|enlevez|rayez|radiez) moi [de (votre|la|cette) liste] [de diffusion]",
        "(veuillez|merci de) me (desinscrire|desabonner|retirer|supprimer|rayer) [de (votre|la|cette) liste] [de diffusion]",
        "je (souhaite|veux|voudrais|desire) me (desinscrire|desabonner)",
        "je me (desinscris|desabonne)",
        f"je ne (souhaite|veux|desire) (pas|plus) [(recevoir|etre contacte|etre contactee)] [(ce|ces|cet|vos|de|votre|d|de vos|ce type de)] [{_COURRIELS}] [de votre part]",
        f"ne m envoyez plus [(de|d|vos|ces)] {_COURRIELS}",
        "ne m envoyez plus [rien]",
        "ne m ecrivez plus",
        "ne me contactez plus",
        f"plus (de|d) {_COURRIELS}",
        f"pas (de|d) {_COURRIELS}",
        "(pas|plus) interesse",
        "(pas|plus) interessee",
        "je ne suis (pas|plus) (interesse|interessee)",
    ),
    "de": (
        "(nein|nee|ne|niemals|auf keinen fall|lieber nicht|bestimmt nicht)",
        "(stopp|abmelden|abmeldung|abbestellen|austragen|abbestellung|kundigung|kuendigung)",
        "[bitte] (mich|mich bitte) (abmelden|austragen|loschen aus dem verteiler)",
        "(melden|tragen|nehmen) sie mich [bitte] (ab|aus|aus dem verteiler|aus ihrem verteiler|von der liste|von ihrer liste)",
        "(melde|trage) mich [bitte] (ab|aus)",
        "(streichen|entfernen) sie mich [bitte] [(von|aus) (der|ihrer|dem|ihrem) (liste|verteiler)]",
        "ich (mochte|moechte|will) mich abmelden",
        "ich melde mich ab",
        f"[(bitte|ich mochte|ich moechte|ich will|ich wunsche|ich wuensche)] keine [(weiteren|weitere)] {_POST} [mehr] [von ihnen] [(erhalten|senden|schicken|bekommen|zusenden)]",
        f"ich (mochte|moechte|will) (das|diese|dies|ihre) [{_POST}] nicht [mehr] [(erhalten|bekommen)]",
        "[bitte] (schreiben|kontaktieren) sie mir nicht mehr",
        "kein interesse [mehr]",
        "[ich] [habe] kein interesse [mehr]",
        "nicht interessiert",
        "ich bin nicht [mehr] interessiert",
    ),
    "en": (
        "(no|nope|nah|never|no way|absolutely not|certainly not|definitely not|rather not|not interested|not anymore|not any more|no longer)",
        "stop [(it|this|these|mailing|emailing|mailing me|emailing me|sending|sending me mails|sending me emails|sending these|contacting me)]",
        "(opt out|opt me out|cancel|unsubscribed)",
        "unsubscribe [(me|us|this address|my address)] [from] [(your|the|this|all)] [mailing] [(list|lists|mails|emails)]",
        "remove me",
        "(remove|take|get) (me|us|this address|my address) (off|from) (your|the|this|all your)"
        " [(mailing|email|mail|contact)] (list|lists|database)",
        "take me off",
        "i (want|would like|d like|wish) to (unsubscribe|opt out|be removed|be unsubscribed)",
        f"i (do not|don t|dont) (want|wish) [to (receive|get)] [(this|these|them|your|any)] [more] [{_MAILS}] [(anymore|any more|any longer)] [from you]",
        f"i no longer (want|wish) [to (receive|get)] [(this|these|them|your|any)] [{_MAILS}] [from you]",
        f"no more [{_MAILS}]",
        f"no [{_MAILS}]",
        f"(do not|don t|dont) (mail|email|e mail|contact|write to) me [(again|anymore|any more)]",
        f"(do not|don t|dont) send me [(any|these)] [more] [{_MAILS}] [(anymore|any more)]",
        "i am not interested",
        "i m not interested",
        "i want no more [of this]",
    ),
    "es, it, pt": (
        "(nao|cancelar|cancelar suscripcion|cancelar subscricao|baja|darme de baja|cancellami|cancellarmi|disiscrivimi|remover|cancelar inscricao)",
    ),
}
YES = {
    "nl": (
        "(ja|jawel|ja hoor|ja graag|ja zeker|zeker|graag|jazeker|prima|akkoord|ok|oke|okay|in orde|goed|uiteraard|natuurlijk)",
        f"ik wil [(deze|dit|uw|jullie|de)] [{_NIEUWS}] [graag] [(blijven|verder)] ontvangen",
    ),
    "fr": (
        "(oui|ouais|d accord|volontiers|avec plaisir|bien sur|entendu|oui volontiers|oui avec plaisir|oui bien sur)",
        f"je (souhaite|veux|desire|voudrais) [continuer a] recevoir [(ce|ces|cet|vos|votre)] [{_COURRIELS}]",
    ),
    "de": (
        "(ja|jawohl|gerne|gern|ja gerne|ja gern|einverstanden|in ordnung|naturlich|selbstverstandlich)",
        f"ich (mochte|moechte|will) (das|diese|dies|ihre) [{_POST}] [(weiter|weiterhin|gerne)] (erhalten|bekommen)",
    ),
    "en": (
        "(yes|yep|yeah|sure|of course|i agree|agreed|fine|yes of course|certainly|absolutely|y)",
        f"i (want|would like) to [(keep|continue)] (receive|get|receiving|getting) [(this|these|them|your|it)] [{_MAILS}]",
    ),
    "es, it, pt": ("(si|sim|de acuerdo|va bene|claro)",),
}
POLITE = (  # says nothing, before or after it
    "(a u b|aub|alstublieft|alsjeblieft|svp|s v p|s il vous plait|s il te plait|please|pls|bitte)",
    "(bedankt|dank u|dank je|dank u wel|dank je wel|dankjewel|dankuwel|alvast bedankt|hartelijk dank|hartelijk bedankt|met dank)",
    "(thanks|thank you|thx|many thanks|thank you very much|thanks a lot|ta|cheers)",
    "(merci|merci beaucoup|merci bien|merci d avance|grand merci)",
    "(danke|danke schon|danke sehr|vielen dank|herzlichen dank|besten dank|danke ihnen)",
    "(gracias|grazie|obrigado|obrigada|grazie mille|muchas gracias|hoor|sorry|desole|desolee|now|nu|immediately|onmiddellijk|meteen|direct|immediatement|sofort)",
)
GREETINGS = (
    "(hallo|hello|hi|hey|hoi|dag|beste|geachte|goedendag|goedemorgen|goedemiddag|goedenavond)",
    "(dear|good morning|good afternoon|good evening|good day|to whom it may concern)",
    "(bonjour|bonsoir|salut|cher|chere|chers|madame|monsieur|mesdames|messieurs|mevrouw|mijnheer|meneer)",
    "(guten tag|guten morgen|guten abend|sehr geehrte|sehr geehrter|liebe|lieber|liebes|gruss gott|moin|servus)",
    "(hola|ciao|buongiorno|buenos dias|bom dia|l s)",
)
CLOSINGS = (
    "(met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten|mvg|groet|groeten|groetjes|hoogachtend|met hoogachting|met beleefde groeten)",
    "(kind regards|best regards|regards|warm regards|best wishes|best|sincerely|yours sincerely|yours faithfully|br|kr)",
    "(cordialement|bien cordialement|bien a vous|sinceres salutations|salutations|salutations distinguees|meilleures salutations|cdlt|cdt|bav|bonne journee)",
    "(mit freundlichen grussen|mit freundlichem gruss|freundliche grusse|viele grusse|beste grusse|liebe grusse|grusse|gruss|mfg|lg|vg|hochachtungsvoll)",
    "(saludos|cordiali saluti|distinti saluti|atenciosamente|cumprimentos)",
)
TELLING = frozenset(  # no name and no address holds these: whoever writes them says something
    # nl
    "ja nee neen niet geen maar toch wel wil willen wens graag stuur sturen blijf blijven ik mij me mijn"
    " jij je jullie u uw wij ons enkel alleen behalve tenzij als indien omdat want nog altijd misschien"
    " later eerst wacht hoor kan kunt mag moet doe doen ontvangen zend ps nb hoe wat wie waarom wanneer"
    " verwijder wis gegevens inzage klacht niets iets alles deze dit dat"
    # fr
    " oui non pas plus ne mais si sauf seulement je j moi mes tu vous nous votre vos notre veux voudrais"
    " souhaite recevoir envoyez continuez gardez peut peux pouvez toutefois cependant quand meme parce"
    " que qui pourquoi comment supprimez effacez donnees plainte rien tout attendez ce ces cela"
    # de
    " nein doch nicht kein keine aber sondern ausser nur ich mir mich mein sie ihr ihre wir uns mochte"
    " moechte will wollen bitte senden schicken erhalten weiter weiterhin noch vielleicht spater wenn"
    " falls weil warum wer was wie loschen daten auskunft beschwerde nichts alles das dies diese"
    # en
    " yes no not but however except unless only i me my you your we us our want would like wish keep"
    " send receive get if because maybe perhaps later wait still do does did don can could should must"
    " please who what why how when delete erase data access complaint nothing everything this that it"
    " really way problem".split()
)


_PIECE = re.compile(r"[^][()| ]+|[][( )]")
_WRITTEN = {"[": "(?:", "(": "(?:", "]": ")?", ")": ")", " ": ""}


@cache
def plain_no() -> re.Pattern[str]:
    """Return what matches a text that is a no and nothing else, as `_only` does."""
    return _only(NO)


@cache
def plain_yes() -> re.Pattern[str]:
    """Return what matches a text that is a yes and nothing else, as `_only` does."""
    return _only(YES)


@cache
def nothing() -> re.Pattern[str]:
    """Return what matches a text that is a greeting or thanks and nothing else."""
    return re.compile(f"(?:{_any_of((*POLITE, *GREETINGS))})*")


@cache
def greeting() -> re.Pattern[str]:
    """Return what matches the begin of a text that greets."""
    return re.compile(_any_of(GREETINGS))


@cache
def closing() -> re.Pattern[str]:
    """Return what matches the begin of a text that takes leave."""
    return re.compile(_any_of(CLOSINGS))


def _only(languages: Mapping[str, Iterable[str]]) -> re.Pattern[str]:
    """Return what matches one of these, perhaps with a greeting before it and thanks around it. What
    is matched has a space behind every word."""
    said = _any_of(each for patterns in languages.values() for each in patterns)
    before, around = _any_of((*GREETINGS, *POLITE)), _any_of(POLITE)
    return re.compile(f"(?:{before})*(?:{said})(?:{around})*")


def _any_of(patterns: Iterable[str]) -> str:
    return "|".join(
        _PIECE.sub(lambda found: _WRITTEN.get(found[0], f"{found[0]} "), each) for each in patterns
    )
