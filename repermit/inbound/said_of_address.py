"""What servers write of an address that is no longer there, or of who may write to it.

Rows of alternatives for `wordings`: they expect words without case, accents, addresses and codes.
A gap between words is bounded, so that matching takes linear time.
"""

from __future__ import annotations

_WHO = (
    r"(?:user(?: ?name| ?id)?|recipients?|addressee|(?:e-?)?mail ?-?box|mail ?drop|inbox|"
    r"e-?mail|(?:e-?mail |mail )?account|(?:e-?mail |mail |smtp |recipient )?address(?:es)"
    r"?|alias|local[- ]part|login|customer|subscriber|person|member|destination|"
    r"benutzer|empfanger|adressat|(?:empfanger|mail)?adresse|postfach|gebruiker|ontvanger|"
    r"geadresseerde|utilisateur|destinataire|screen ?name|contact)"
)
_OF_IT = (
    r"(?:[ \x22':.,;()\[\]-]{1,4}(?:@|name|address|account|mailbox|id|part|you|that|tried|"
    r"to|reach|this|the|entered|specified|email|e-mail|in|for|of|user|recipient|which|"
    r"sent|by|[\w@+*=#]{1,64})){0,5}"
)
_KIND = (
    r"(?:(?:destination|local|virtual|e-?mail|mail|recipient'?s?|user'?s?|smtp|rcpt|to|"
    r"remote|target|delivery|the|your|this|an?|final) ){0,3}"
)
DEAD = (
    r"introuvable|pas trouve|nicht gefunden|niet (?:worden )?gevonden|kein postfach",
    (
        r"(?:unknown|invalid|non-? ?existent|not existing|undefined|unrecogni[sz]ed|no such|"
        r"un-?rout(?:e)?able|undeliverable|illegal|inactive|disabled|deactivated|closed|"
        r"deleted|terminated|obsolete|discontinued|abandoned|cancell?ed|ungultige[rs]?|"
        r"unbekannte[rs]?|onbekende?|ongeldige?|unresolvable|unlisted|expired|bad destination|"
        r"nonexisting|bad) "
    )
    + _KIND
    + _WHO
    + r"\b",
    _WHO
    + (
        r"(?:[ :\x22'.,;()<>\[\]-]{1,4}(?:name|address|account|mailbox|id|@|is|was|are|has|been|"
        r"[\w@+*=#]{1,64})){0,3}?[ :\x22'.,;()-]{1,4}(?:unknown|non-?existent|undefined|"
        r"unrecogni[sz]ed|invalid|unbekannt|onbekend|inconnue?|invalide|ongeldig|ungultig|"
        r"disabled|deactivated|de-activated|deleted|closed|terminated|cancell?ed|discontinued|"
        r"inactive|expired|nonexist\w*|inexistante?|inexistent[ea]?|sconosciut[oa]|"
        r"desconocid[oa]|desconhecid[oa]|gesperrt|deaktiviert|opgeheven|desactivee?|"
        r"supprimee?|unrouteable|unroutable|obsolete|not ?found|removed)\b"
    ),
    _WHO
    + _OF_IT
    + (
        r"[ \x22':.,;()\[\]-]{1,4}(?:is |was |has |have |does |do |did |could |can|be |are |"
        r"were |ist |wurde |konnte |werd |kon |kan |n'est |n'a |n'existe |ne ){0,4}(?:not|n't|"
        r"never|nicht|niet|pas|no longer|nicht mehr|niet meer|plus) (?:be |been |a |an |the |"
        r"in |on |our |listed |valid |known |user |to |gefunden|gevonden|ete ){0,4}(?:exist\w*|"
        r"found|known|valid|available here|listed|active|registered|recogni[sz]ed|local|"
        r"present|here|directory|gefunden|vorhanden|gevonden|bestaat|bekend|bekannt|existe?|"
        r"trouvee?|valide|gueltig|gultig|geldig|exister|in use|in service|on server|in (?:the "
        r"|our )?(?:database|directory|system|domain|list)|a (?:known|valid|local|current)|"
        r"accessible|activated|handled|served|deliverable|resolved|monitored|with us|employed)"
    ),
    r"(?:does|do|did|is|are) ?(?:not|n't) (?:\w{1,10} )?exist",
    (
        r"no longer (?:\w{1,12} )?(?:exists?|valid|active|available|in use|in service|works?|"
        r"working|employed|with (?:us|the|this)|on (?:this )?server|accept\w*|receiv\w*|used|"
        r"an? (?:employee|user|member|customer|valid)|monitored|reachable|here|at)"
    ),
    r"n'existe (?:pas|plus)|existiert nicht|bestaat niet|non esiste|no existe|nao existe",
    r"not our (?:customer|user)",
    (
        r"(?:no|not an?|isn't an?|is no|kein|geen|not) (?:\w{1,14} ){0,2}?(?:(?:valid|known|"
        r"existing|recogni[sz]ed|current|active|local|registered|matching|such) )(?:\w{1,10} )"
        r"?"
    )
    + _WHO,
    (
        r"(?:no|kein|keine|geen|aucune?) (?:mail ?box|mailbox|account|user|recipient|one|"
        r"person|mail account|e-?mail address|benutzer|gebruiker|postfach|utilisateur|valid "
        r"recipients?)(?: \w{1,14}){0,2}? (?:here|by (?:that|this)|with (?:that|this)|under "
        r"(?:that|this)|found|exists?|of (?:that|this)|match\w*|named|called|known|at this|on "
        r"this|available|in (?:this|the|our)|mit (?:diesem|dieser))"
    ),
    r"\bno (?:mail ?box|mailbox)\b",
    (
        r"(?:does ?n[o']t|do ?n[o']t|does not|do not|don't|doesn't) have (?:an? |any )"
        r"?(?:\S{1,60} ){0,3}?(?:account|mailbox|mail ?box|user|e-?mail address)"
    ),
    r"name or service not known|envelope recipient has been denied",
    r"recipient address rejected:? (?:access denied|relay)|can't accept user",
    r"recipients? (?:is|was|are|were)? ?not (?:accepted|ok|exist)|dns error",
    (
        r"(?:account|mailbox|user|address|recipient|@)[^.!?]{0,60}? (?:is|has been|was|are|"
        r"isn't|no longer|been) (?:permanently |now |an? )?(?:disabled|inactive|deactivated|"
        r"closed|deleted|terminated|discontinued|not active|unknown|invalid|not valid)\b"
    ),
    r"not (?:exactly )?match|unable to find|no longer accepts|badrcptto|badrecipientto",
    r"validrcptto|hasn't got",
    r"no (?:e-?mail )?(?:address|mailbox|user|account)s? (?:here|found)|nessun utente",
    r"no existe|unknown e-?mail|invalide|n'existe|missing home directory",
    r"not email addresses|no valid recipients",
    r"(?:addresses|address|recipients?) were unknown|is not local\b",
    (
        r"not (?:listed|found|known|present) in (?:\w{1,16} ){0,3}(?:public|name|directory|"
        r"address|database|domino|list|table|alias)"
    ),
    (
        r"(?:unable to|could not|couldn't|cannot|can't|not able to) (?:find|locate|resolve|"
        r"identify|match)(?: \S{1,60}){0,3}? (?:user|recipient|mailbox|account|address|"
        r"addressee|name|person|alias|him)"
    ),
    r"address lookup failed|(?:user|recipient|address) lookup (?:failed|error)",
    r"recipnotfound|recipientnotfound|nosuchuser|disableduser|user ?unknown|unknown ?user",
    r"unkown user|user unkown|account ?unavailable|no user\b|unknown local[- ]part",
    r"unknown recipient|addressee unknown|unknown address(?:ee)?|user name not found",
    r"resolver\.adr|recip(?:ient)?s? unknown|adressat unbekannt|empfanger unbekannt",
    r"destinataire inconnu|utilisateur inconnu",
    r"user not (?:\w{1,10} )?(?:found|known|local|exist\w*)|no account\b",
    r"recipient not (?:found|exist\w*|ok|known|valid)|name not found|badrecipient",
    r"recipient_not_found",
    (
        r"(?:account|mailbox|mail ?box|user|address|recipient)(?:[ :\x22'.,;()-]{1,4}(?:@|name|"
        r"address|account|has|was|is|been|[\w@+*=#]{1,64})){0,4}? (?:(?:has|have) been|is|was|been|"
        r"wurde|ist|is|a ete|est|werd) (?:\w{1,14} ){0,2}?(?:disabled|deactivated|"
        r"de-activated|closed|deleted|removed|terminated|discontinued|cancell?ed|inactive|"
        r"expired|retired|decommissioned|geloscht|geschlossen|verwijderd|afgesloten|"
        r"supprimee?|fermee?|desactivee?)"
    ),
    r"(?:left|leaves|quit|departed) (?:the|our|this) (?:company|organi[sz]ation|firm)",
    r"has (?:moved|left)\b|user has moved",
    (
        r"(?:address|mailbox|account|user|recipient|@)(?: \w{1,10}){0,2} (?:has )?(?:changed|"
        r"moved)\b"
    ),
    r"no such in (?:\w{1,12} )?(?:name|directory)|domain lookup failed|unable to route",
    r"misspelled|misspelt|dead (?:address|mailbox|account)",
    r"nicht mehr (?:gultig|aktiv|erreichbar|verfugbar)",
    r"(?:nicht|niet|pas) (?:im|in|dans) (?:\w{1,12} )?[\w-]{0,20}(?:verzeichnis|adressbuch)",
    r"domain is not reachable\W{1,3}please check",
    r"unknown (?:\w{1,10} )?(?:host|domain|mail ?host|mail server)",
    (
        r"(?:host|domain|site|system|hostname|mail server)(?: or domain)?(?: name| part| @|'s "
        r"mx| \S{1,100}){0,3}? (?:is |was |does |could |can|did |do |has |are ){0,4}(?:unknown|"
        r"un-?resolv\w*|not ?be found|not found|not exist|n't exist|doesn't exist|invalid|"
        r"non-?existent|not (?:a )?(?:valid|known|be resolved|resolv\w*)|not hosted|lookup "
        r"failure|never heard)"
    ),
    r"(?:host|domain)(?: \S{1,60})? ?(?:not found|unknown)|no such (?:domain|host|name)",
    r"nxdomain|non-?existent (?:\w{1,10} )?(?:domain|host)",
    (
        r"(?:couldn't|could not|cannot|can't|unable to|not|was not able to) (?:be )?(?:find|"
        r"found|resolve|resolved|locate|route|look up|lookup)(?: \S{1,60}){0,4}? (?:host|"
        r"domain|mail exchanger|mx|mail server|to domain|a host|a domain)"
    ),
    (
        r"(?:couldn't find any host|no (?:\w{1,10} )?(?:mx|dns|a|a or mx|mx or a|address|mail "
        r"exchangers?)(?: or \w{1,3})? (?:record|records|host|hosts|entry|exist)|no mail "
        r"(?:exchanger|server|host)|mx (?:record|records|host) (?:\w{1,10} )?(?:not found|"
        r"does)|point to non-?existent|bad destination (?:system|host|domain)|null ?mx|nullmx|"
        r"does not accept (?:any )?(?:mail|e-?mail)\b(?! from)|not accept mail for this "
        r"domain|unrout(?:e)?able (?:mail )?(?:domain|address)|invalid (?:\w{1,10} )"
        r"?(?:domain|host)|illegal host|domain(?: \S{1,60})? (?:has )?expired|name service "
        r"error)"
    ),
)
CHOSEN = (
    r"recipient preference",
    r"(?:only )?accept(?:s|ing)? (?:e-?mail|mail|messages) (?:only )?(?:from|with)",
    r"blocked by the recipient|rejected by this user|refuses? to receive|\.notauthorized",
    r"\.authrequired|authrequired|sendernotauthenticated|user reject|user refused",
    r"not accepting (?:any )?mail|pre-?approved|requires confirmation|protected by",
)
REJECTED = (
    r"mail ?box(?: @| is| was|,){0,4} (?:currently )?(?:not |un)available",
    r"mailbox not (?:available|accessible)",
    (
        r"(?:recipient|address|addressee|mailbox|user|rcpt)(?:s)?(?:[ :\x22'()]{1,3}(?:address|"
        r"@|is|was|has|been|not)){0,6} (?:rejected|refused|denied|accepted|reject|suspended|"
        r"restricted|blocked|unavailable|locked|not available|violates)"
    ),
    (
        r"(?:invalid|bad|reject\w{0,20}|refus\w{0,20}|unavailable) (?:\w{1,10} )?(?:recipient|user|"
        r"mailbox|address)"
    ),
    r"account(?: \S{1,60}){0,3}? (?:suspended|blocked|locked)|requested action not taken",
    r"delivery not authori[sz]ed",
)
