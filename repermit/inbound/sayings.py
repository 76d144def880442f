"""What people say when they say no, or yes, and nothing else: the one list of each language.

In small letters, without accents and punctuation; [x] may be left out, (a|b) is one of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

_MAILS = "(mail|mails|e mail|e mails|email|emails|mailing|mailings|newsletter|newsletters)"
_NIEUWS = (
    "(mail|mails|e mail|e mails|email|emails|nieuwsbrief|nieuwsbrieven|berichten|reclame|post)"
)
_COURRIELS = (
    "(mail|mails|e mail|e mails|email|emails|courriel|courriels|message|messages|newsletter|"
    "newsletters|publicite|publicites)"
)
_POST = "(mail|mails|e mail|e mails|email|emails|newsletter|nachrichten|werbung|post)"
NO: Final[Mapping[str, tuple[str, ...]]] = {
    "nl": (
        "(nee|neen|nee hoor|neen hoor|zeker niet|absoluut niet|liever niet|nooit meer|nope)",
        "(uitschrijven|afmelden|opzeggen|uitschrijving|afmelding|schrap mij|schrap me) [graag]",
        "stop [(ermee|met mailen|met deze mails|met mailen naar mij)]",
        "[graag] (schrijf|haal|verwijder|schrap) (mij|me) [(uit|van|van de lijst af)]",
        (
            "[graag] (schrijf|haal|verwijder|schrap) (mij|me) (uit|van) (de|deze|uw|jullie)"
            " (lijst|mailinglijst|bestand|verzendlijst|mailing|database)"
        ),
        "haal (mij|me) er (af|maar af|uit|maar uit)",
        "[graag] (schrijf|meld) (mij|me) (uit|af) [(voor deze mails|voor de nieuwsbrief)]",
        "ik (wil|wens|zou) (mij|me) [graag] [willen] (uitschrijven|afmelden)",
        "ik schrijf (mij|me) uit",
        "(graag|mij|me) (uitschrijven|afmelden)",
        (
            f"[(liever|graag)] (geen|niet) [(deze|uw|jullie)] [{_NIEUWS}] meer [(ontvangen|sturen"
            "|krijgen)]"
        ),
        (
            f"ik (wil|wens|hoef) (geen|niet|dit niet|deze niet|ze niet) [{_NIEUWS}] [meer] [van "
            "(u|jullie)] [te] [(ontvangen|krijgen)]"
        ),
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
        (
            "(desinscrire|desinscription|desabonner|desabonnement|me desinscrire|me desabonner|se"
            " desinscrire|se desabonner|arret|arretez|arretez tout)"
        ),
        (
            "(desinscrivez|desabonnez|retirez|supprimez|enlevez|rayez|radiez) moi [de (votre|la|"
            "cette) liste] [de diffusion]"
        ),
        (
            "(veuillez|merci de) me (desinscrire|desabonner|retirer|supprimer|rayer) [de (votre|"
            "la|cette) liste] [de diffusion]"
        ),
        "je (souhaite|veux|voudrais|desire) me (desinscrire|desabonner) [de votre liste]",
        "je me (desinscris|desabonne)",
        (
            "je ne (souhaite|veux|desire) (pas|plus) [(recevoir|etre contacte|etre contactee)] "
            f"[(ce|ces|cet|vos|de|votre|d|de vos|ce type de)] [{_COURRIELS}] [de votre part]"
        ),
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
        (
            "(melden|tragen|nehmen) sie mich [bitte] (ab|aus|aus dem verteiler|aus ihrem "
            "verteiler|von der liste|von ihrer liste)"
        ),
        "(melde|trage) mich [bitte] (ab|aus)",
        (
            "(streichen|entfernen) sie mich [bitte] [(von|aus) (der|ihrer|dem|ihrem) (liste|"
            "verteiler)]"
        ),
        "ich (mochte|moechte|will) mich abmelden",
        "ich melde mich ab",
        (
            "[(bitte|ich mochte|ich moechte|ich will|ich wunsche|ich wuensche)] keine [(weiteren"
            f"|weitere)] {_POST} [mehr] [von ihnen] [(erhalten|senden|schicken|bekommen|"
            "zusenden)]"
        ),
        (
            f"ich (mochte|moechte|will) (das|diese|dies|ihre) [{_POST}] nicht [mehr] [(erhalten|"
            "bekommen)]"
        ),
        "[bitte] (schreiben|kontaktieren) sie mir nicht mehr",
        "kein interesse [mehr]",
        "[ich] [habe] kein interesse [mehr]",
        "nicht interessiert",
        "ich bin nicht [mehr] interessiert",
    ),
    "en": (
        (
            "(no|nope|nah|never|no way|absolutely not|certainly not|definitely not|rather not|not"
            " interested|not anymore|not any more|no longer)"
        ),
        (
            "stop [(it|this|these|mailing|emailing|mailing me|emailing me|sending|sending me "
            "mails|sending me emails|sending these|contacting me)]"
        ),
        "(opt out|opt me out|cancel|unsubscribed)",
        (
            "unsubscribe [(me|us|this address|my address)] [from] [(your|the|this|all)] [mailing]"
            " [(list|lists|mails|emails)]"
        ),
        "remove me",
        (
            "(remove|take|get) (me|us|this address|my address) (off|from) (your|the|this|all your)"
            " [(mailing|email|mail|contact)] (list|lists|database)"
        ),
        "take me off",
        "i (want|would like|d like|wish) to (unsubscribe|opt out|be removed|be unsubscribed)",
        (
            "i (do not|don t|dont) (want|wish) [to (receive|get)] [(this|these|them|your|any)] "
            f"[more] [{_MAILS}] [(anymore|any more|any longer)] [from you]"
        ),
        (
            f"i no longer (want|wish) [to (receive|get)] [(this|these|them|your|any)] [{_MAILS}] "
            "[from you]"
        ),
        f"no more [{_MAILS}]",
        f"no [{_MAILS}]",
        "(do not|don t|dont) (mail|email|e mail|contact|write to) me [(again|anymore|any more)]",
        f"(do not|don t|dont) send me [(any|these)] [more] [{_MAILS}] [(anymore|any more)]",
        "i am not interested",
        "i m not interested",
        "i want no more [of this]",
    ),
    "es, it, pt": (
        (
            "(nao|cancelar|cancelar suscripcion|cancelar subscricao|baja|darme de baja|cancellami"
            "|cancellarmi|disiscrivimi|remover|cancelar inscricao)"
        ),
    ),
}
YES: Final[Mapping[str, tuple[str, ...]]] = {
    "nl": (
        (
            "(ja|jawel|ja hoor|ja graag|ja zeker|zeker|graag|jazeker|prima|akkoord|ok|oke|okay|in"
            " orde|goed|uiteraard|natuurlijk)"
        ),
        f"ik wil [(deze|dit|uw|jullie|de)] [{_NIEUWS}] [graag] [(blijven|verder)] ontvangen",
    ),
    "fr": (
        (
            "(oui|ouais|d accord|volontiers|avec plaisir|bien sur|entendu|oui volontiers|oui avec"
            " plaisir|oui bien sur)"
        ),
        (
            "je (souhaite|veux|desire|voudrais) [continuer a] recevoir [(ce|ces|cet|vos|votre)] "
            f"[{_COURRIELS}]"
        ),
    ),
    "de": (
        (
            "(ja|jawohl|gerne|gern|ja gerne|ja gern|einverstanden|in ordnung|naturlich|"
            "selbstverstandlich)"
        ),
        (
            f"ich (mochte|moechte|will) (das|diese|dies|ihre) [{_POST}] [(weiter|weiterhin|"
            "gerne)] (erhalten|bekommen)"
        ),
    ),
    "en": (
        "(yes|yep|yeah|sure|of course|i agree|agreed|fine|yes of course|certainly|absolutely|y)",
        (
            "i (want|would like) to [(keep|continue)] (receive|get|receiving|getting) [(this|"
            f"these|them|your|it)] [{_MAILS}]"
        ),
    ),
    "es, it, pt": ("(si|sim|de acuerdo|va bene|claro)",),
}
