"""What servers write when they refuse a mail: the wordings, sorted by what they mean.

They are matched against words without case, accents, addresses and codes (`plain`). Every pattern
is a row of words with gaps of bounded length, so that reading takes linear time.
"""

from __future__ import annotations

import re
import unicodedata
from enum import Enum, auto

MOST_TEXT = 20_000  # characters of one text that are read

_ADDRESS = re.compile(r"<[^<>\s]{0,320}>|[^\s@<>\"'(),;:]{1,128}@[^\s@<>\"'(),;:]{1,255}")
_CODE = re.compile(
    r"(?<![\w.])(?:[245]\d\d(?:[- ]#?[245]\.\d{1,3}\.\d{1,3})?|#?[245]\.\d{1,3}\.\d{1,3})(?![\w.])[- ]?"
)
_SPACES = re.compile(r"[\s|=_*]+")


class Says(Enum):
    """What a wording means."""

    FULL = auto()  # the mailbox has no room
    LATER = auto()  # put off, given up after trying, greylisted, too fast, a server in trouble
    SENDER = auto()  # our address or domain is refused
    DEAD = auto()  # nobody there, closed for good, no such domain
    CHOSEN = auto()  # the recipient, or their group, takes mail from some only
    SPAM = auto()  # what the mail holds or where it comes from has a bad name
    SIZE = auto()  # too large
    RELAY = auto()  # the server does not take mail for this domain, or not from ours
    POLICY = auto()  # a rule of theirs that our mail breaks
    DENIED = auto()  # no, without a reason
    UNAVAILABLE = auto()  # a server says that it is, without when
    REJECTED = auto()  # the recipient is refused, without why


def plain(text: str) -> str:
    """Return *text* as the patterns expect it: small letters without accents, single spaces, "@"
    for each address, no status codes."""
    folded = unicodedata.normalize("NFKD", text[:MOST_TEXT].casefold())
    letters = "".join(sign for sign in folded if not unicodedata.combining(sign))
    letters = letters.replace("’", "'").replace("`", "'").replace("´", "'")
    letters = _ADDRESS.sub(" @ ", letters)
    return _SPACES.sub(" ", _CODE.sub(" ", _SPACES.sub(" ", letters)))


def says(text: str) -> frozenset[Says]:
    """Return every meaning that a wording in *text* has."""
    words = plain(text)
    return frozenset(meaning for meaning, pattern in _PATTERNS.items() if pattern.search(words))


def _any(*wordings: str) -> re.Pattern[str]:
    return re.compile("|".join(wordings))


# Nouns and endings that the rows share.
_WHO = (
    r"(?:user(?: ?name| ?id)?|recipients?|addressee|(?:e-?)?mail ?-?box|mail ?drop|inbox|e-?mail|"
    r"(?:e-?mail |mail )?account|(?:e-?mail |mail |smtp |recipient )?address(?:es)?|alias|"
    r"local[- ]part|login|customer|subscriber|person|member|destination|screen ?name|contact)"
)
_OF_IT = r"(?:[ \"':.,;()\[\]-]{1,4}(?:@|name|address|account|mailbox|id|part|you|that|tried|to|reach|this|the|entered|specified|email|e-mail|in|for|of|user|recipient|which|sent|by|\S{1,64})){0,5}"
_NOT = r"(?:not|n't|never|nicht|niet|pas|no longer|nicht mehr|niet meer|plus)"
_KIND = r"(?:(?:destination|local|virtual|e-?mail|mail|recipient'?s?|user'?s?|smtp|rcpt|to|remote|target|delivery|the|your|this|an?|final) ){0,3}"

_FULL = _any(
    r"quota",
    r"(?:mail ?-?box|inbox|mail ?drop|account|user|recipient|storage|folder|mail ?file|@)[^.!?]{0,50} (?:is |are |was |too |currently |almost |has become )*(?:full|out of (?:disk ?)?space|oversized?)\b",
    r"\b(?:full|overfull|overfilled) (?:e-?mail |mail )?(?:mailbox|inbox|account)",
    r"exceed(?:s|ed|ing)? [^.]{0,40}(?:storage|(?:mailbox|mail ?box|inbox|account) size|space|mailbox limit|max(?:imum)? (?:allowed )?mailbox|mailbox(?:'s)? (?:maximum|size|limit))",
    r"(?:mailbox|inbox|account|user|recipient) [^.]{0,30}exceed(?:s|ed)? [^.]{0,30}(?:limit|size|space|maximum|storage|allowed)",
    r"space not enough|space has been used|too many messages on|reached (?:\w{1,10} ){0,2}limit|archivee",
    r"(?:not enough|insufficient|no more|out of|lack of|doesn't have enough|does not have enough|not have sufficient|no free)(?: \w{1,12}){0,2} (?:storage|space)",
    r"(?:storage|space) (?:limit|allocation|full|exceeded|exhausted|used up)|overflow|mail ?box limit|mailfull|mbox full",
    r"(?:postfach|mailbox|speicherplatz|konto)[^.]{0,40}(?:voll|uberschritten|erschopft|belegt)|uberfullt",
    r"(?:mailbox|postbus|postvak)[^.]{0,30}\bvol\b",
    r"(?:boite|messagerie|bal|mailbox|compte|stockage)[^.]{0,60}(?:pleine?|saturee?|depass|rempli)",
    r"buzon[^.]{0,30}lleno|casella[^.]{0,30}piena|caixa[^.]{0,30}cheia|skrzynk[^.]{0,30}(?:przepelnion|pelna)|perepolnen|перепол",
)
_LATER = _any(
    r"\btempor[aen]\w*|\btemp(?:fail| failure)|transient|vorubergehend|tijdelijk|momentanement|transitoire",
    r"gr[ae]y[- ]?list|postgrey",
    r"(?:try|retry|again|resend)(?: \w{1,14}){0,5} (?:later|in (?:a few|an?|\d+) (?:min|sec|hour|day|while))|spater (?:erneut|noch ?ein)|probeer het later|(?:reessayer|ressayer|essayer) (?:plus tard|ulterieurement)",
    r"host not found,? try again|(?:lookup|resolution) (?:timed|temporar)|(?:could not|cannot|unable to) (?:be )?(?:complete|perform)\w* (?:the |a )?(?:dns|mx) lookup|servfail",
    r"too (?:many|much) (?:\w{1,14} ){0,3}(?:connection|message|mail|e-?mail|recipient|session|request|error|hop|rcpt|deliver|command|invalid)|too (?:fast|quickly|frequent|often|busy)|hop count|mail loop|loops? back|routing loop|looping",
    r"rate[- ]?(?:limit|control|exceed)|(?:sending|message|connection|mail|delivery) rate|limit(?:s)? (?:exceeded|reached)|exceed(?:s|ed) [^.]{0,30}(?:rate|limit)|throttl|deferr",
    r"time[d-]? ?-?out|connection (?:was |has been |is )?(?:refused|reset|lost|dropped|died|closed|failed|aborted|rejected|terminated|broken)|(?:lost|broken|refused|no) connection|no route to|network (?:is )?unreachable|(?:host|server|system) (?:is )?(?:down|unreachable|not responding|overloaded)|did ?n[o']t respond|not respond(?:ing)?\b|no answer from|(?:couldn't|could not|unable to|cannot|can't|wasn't able to|was unable to) (?:\w{1,12} ){0,2}(?:connect|contact|reach (?:the )?(?:host|server|mail)|establish)|(?:connect|connecting|connection) (?:to|with) [^.]{0,80}(?:failed|refused|timed)",
    r"retry time(?:out)?|retry period|(?:message|delivery|queue|mail)(?: time)? (?:has |was |is )?expired|in (?:the )?queue (?:for )?too long|queued (?:for )?too long|too old|(?:maximum|max) (?:delivery|retry|queue) (?:time|attempts?|retries|duration|age)|(?:all|number of|many|after \d+) (?:attempts|retries|tries|delivery attempts)|giving up after|not been collected|failing for a long time|all hosts|failed (?:after )?\d+ attempts|allowed queue period|could not find a gateway|\blocked\b",
    r"(?:will|shall|is going to|wordt|wird|werden|sera|seront) (?:\w{1,14} ){0,6}(?:try|trying|retr(?:y|ied|ying)|reattempt|attempts? to (?:be )?deliver|opnieuw|weiterhin|erneut)|still (?:being )?(?:trying|retr|attempt|queued|undelivered|in the queue)|keep trying|not yet been delivered|not been delivered (?:after|for|to all)|has been delayed|is delayed|\bdelayed\b|warning:? (?:message|could not send)|warning only|this is (?:only )?a warning|do(?: not|n't) need to (?:resend|retry)|noch nicht zugestellt|verzogert|vertraagd|retarde|differee?\b",
    r"server (?:is )?(?:too )?busy|(?:mail ?box|account|folder|file|maildrop) (?:is )?(?:locked|busy|in use|on hold)|resources|try again$|out of memory|disk (?:is )?full|(?:system|disk|file ?system|device|server)[^.]{0,20} (?:is )?full|no space left|receiving (?:mail|messages|e-?mail)s? (?:at a rate|too)|unavailable (?:at this time|right now|at the moment|now)|(?:currently|presently) (?:not |un)\w{1,14}|not (?:currently|presently)|inactive for now|on vacation|i/o error|(?:internal|local|lookup|database|ldap|configuration|system|alias file|resource) (?:\w{1,12} )?(?:error|failure|problem)|malfunction|quarantin",
)
_FROM = r"(?:sender|return[- ]path|envelope[- ]from|mail[- ]?from|originator|reverse[- ]path|from (?:address|domain|header|field)|absender\w*|expediteur|afzender)"
_SENDER = _any(
    r"client host|your (?:reverse|host ?name|ip\b)|reverse (?:dns|host)|\brdns\b|\bptr\b",
    _FROM
    + r"(?:'s)?(?:[ :\"'()]{1,3}(?:e-?mail|mail|domain|address|host|@|is|was|has|been|does|could|can|verify|verification|the|name|of|and|callout|id|\(?mfrom\)?)){0,7}[ :\"'()]{1,3}(?:rejected|reject|unknown|(?:does |do )?(?:not|n't) exist|doesn't exist|not exist|invalid|verif\w+|fail\w*|denied|blocked|blacklisted|not\b|refused|cannot|bad|must|needs|null|restrict\w*|unverif\w*|banned|black|disallow\w*|forged|unauth\w*|syntax)",
    r"(?:invalid|bad|unknown|unverified|forged|fake|unresolvable|unauthenticated|untrusted|illegal|reject\w*|block\w*|verify|verification of|verifying|domain of|domain in|for) (?:the |this |your )?(?:\w{1,10} )?"
    + _FROM,
    r"your (?:e-?mail |mail )?(?:address|domain|account) [^.]{0,40}(?:block|reject|ban|not allow|not permit|black|deni|refus|not accept)",
    r"(?:user|recipient|@|we|i) (?:is |are |do |does |will )?(?:not|n't) accept(?:ing)? (?:e-?mail|mail|messages?) from (?:you|this|your)",
)
_DEAD = _any(
    # unknown user, no such mailbox, invalid recipient, account disabled
    r"(?:unknown|invalid|non-?existent|not existing|undefined|unrecogni[sz]ed|no such|un-?rout(?:e)?able|undeliverable|illegal|inactive|disabled|deactivated|closed|deleted|terminated|obsolete|discontinued|abandoned|cancell?ed|ungultige[rs]?|unbekannte[rs]?|onbekende?|ongeldige?|unresolvable|unlisted|expired|bad destination|nonexisting|bad) "
    + _KIND
    + _WHO
    + r"\b",
    _WHO
    + r"(?:[ :\"'.,;()<>\[\]-]{1,4}(?:name|address|account|mailbox|id|@|is|was|are|has|been|\S{1,64})){0,3}?[ :\"'.,;()-]{1,4}(?:unknown|non-?existent|undefined|unrecogni[sz]ed|invalid|unbekannt|onbekend|inconnue?|invalide|ongeldig|ungultig|disabled|deactivated|de-activated|deleted|closed|terminated|cancell?ed|discontinued|inactive|expired|nonexist\w*|inexistante?|inexistent[ea]?|sconosciut[oa]|desconocid[oa]|desconhecid[oa]|gesperrt|deaktiviert|opgeheven|desactivee?|supprimee?|unrouteable|unroutable|obsolete|not ?found|removed)\b",
    # the user was not found, the account does not exist, the mailbox is no longer valid
    _WHO
    + _OF_IT
    + r"[ \"':.,;()\[\]-]{1,4}(?:is |was |has |have |does |do |did |could |can|be |are |were |ist |wurde |konnte |is |werd |kon |kan |n'est |n'a |n'existe |ne )*"
    + _NOT
    + r" (?:be |been |a |an |the |in |on |our |listed |valid |known |user |to |gefunden|gevonden|ete )*(?:exist\w*|found|known|valid|available here|listed|active|registered|recogni[sz]ed|local|present|here|directory|gefunden|vorhanden|gevonden|bestaat|bekend|bekannt|existe?|trouvee?|valide|gueltig|gultig|geldig|exister|in use|in service|on server|in (?:the |our )?(?:database|directory|system|domain|list)|a (?:known|valid|local|current)|accessible|activated|handled|served|deliverable|resolved|monitored|with us|employed)",
    r"(?:does|do|did|is|are) ?(?:not|n't) (?:\w{1,10} )?exist|no longer (?:\w{1,12} )?(?:exists?|valid|active|available|in use|in service|works?|working|employed|with (?:us|the|this)|on (?:this )?server|accept\w*|receiv\w*|used|an? (?:employee|user|member|customer|valid)|monitored|reachable|here|at)|n'existe (?:pas|plus)|existiert nicht|bestaat niet|non esiste|no existe|nao existe|nie istnieje|не существует|not our customer",
    r"(?:no|not an?|isn't an?|is no|kein|geen|not) (?:\w{1,14} ){0,2}?(?:(?:valid|known|existing|recogni[sz]ed|current|active|local|registered|matching|such) )(?:\w{1,10} )?"
    + _WHO,
    r"(?:no|kein|keine|geen|aucune?) (?:mail ?box|mailbox|account|user|recipient|one|person|mail account|e-?mail address|benutzer|gebruiker|postfach|utilisateur|valid recipients?)(?: \w{1,14}){0,2}? (?:here|by (?:that|this)|with (?:that|this)|under (?:that|this)|found|exists?|of (?:that|this)|match\w*|named|called|known|at this|on this|available|in (?:this|the|our)|mit (?:diesem|dieser))|\bno (?:mail ?box|mailbox)\b",
    r"(?:does ?n[o']t|do ?n[o']t|does not|do not|don't|doesn't) have (?:an? |any )?(?:\S{1,60} ){0,3}?(?:account|mailbox|mail ?box|user|e-?mail address)",
    r"name or service not known|envelope recipient has been denied|recipient address rejected:? (?:access denied|relay)|can't accept user|recipients? (?:is|was|are|were)? ?not (?:accepted|ok|exist)|dns error|(?:account|mailbox|user|address|recipient|@)[^.!?]{0,60}? (?:is|has been|was|are|isn't|no longer|been) (?:permanently |now |an? )?(?:disabled|inactive|deactivated|closed|deleted|terminated|discontinued|not active|unknown|invalid|not valid)\b|not (?:exactly )?match|unable to find|no longer accepts|badrcptto|badrecipientto|validrcptto|hasn't got|no (?:e-?mail )?(?:address|mailbox|user|account)s? (?:here|found)|nessun utente|no existe|unknown e-?mail|invalide|n'existe|missing home directory|not email addresses|no valid recipients|(?:addresses|address|recipients?) were unknown|is not local\b",
    r"not (?:listed|found|known|present) in (?:\w{1,16} ){0,3}(?:public|name|directory|address|database|domino|list|table|alias)|(?:unable to|could not|couldn't|cannot|can't|not able to) (?:find|locate|resolve|identify|match)(?: \S{1,60}){0,3}? (?:user|recipient|mailbox|account|address|addressee|name|person|alias|him)|address lookup failed|(?:user|recipient|address) lookup (?:failed|error)|recipnotfound|recipientnotfound|nosuchuser|disableduser|user ?unknown|unknown ?user|unkown user|user unkown|account ?unavailable|no user\b|unknown local[- ]part|unknown recipient|addressee unknown|unknown address(?:ee)?|user name not found|resolver\.adr|recip(?:ient)?s? unknown|adressat unbekannt|empfanger unbekannt|destinataire inconnu|utilisateur inconnu|user not (?:\w{1,10} )?(?:found|known|local|exist\w*)|no account\b|recipient not (?:found|exist\w*|ok|known|valid)|name not found|badrecipient|recipient_not_found",
    r"(?:account|mailbox|mail ?box|user|address|recipient)(?:[ :\"'.,;()-]{1,4}(?:@|name|address|account|has|was|is|been|\S{1,64})){0,4}? (?:(?:has|have) been|is|was|been|wurde|ist|is|a ete|est|werd) (?:\w{1,14} ){0,2}?(?:disabled|deactivated|de-activated|closed|deleted|removed|terminated|discontinued|cancell?ed|inactive|expired|retired|decommissioned|geloscht|geschlossen|verwijderd|afgesloten|supprimee?|fermee?|desactivee?)|(?:left|leaves|quit|departed) (?:the|our|this) (?:company|organi[sz]ation|firm)|has (?:moved|left)\b|user has moved|(?:address|mailbox|account|user|recipient|@)(?: \w{1,10}){0,2} (?:has )?(?:changed|moved)\b|misspelled|misspelt|dead (?:address|mailbox|account)|nicht mehr (?:gultig|aktiv|erreichbar|verfugbar)",
    # no such domain, no way to it for good
    r"unknown (?:\w{1,10} )?(?:host|domain|mail ?host|mail server)|(?:host|domain|site|system|hostname|mail server)(?: or domain)?(?: name| part| @|'s mx| \S{1,100}){0,3}? (?:is |was |does |could |can|did |do |has |are )*(?:unknown|un-?resolv\w*|not ?be found|not found|not exist|n't exist|doesn't exist|invalid|non-?existent|not (?:a )?(?:valid|known|be resolved|resolv\w*)|not hosted|lookup failure|never heard)|(?:host|domain)(?: \S{1,60})? ?(?:not found|unknown)|no such (?:domain|host|name)|nxdomain|non-?existent (?:\w{1,10} )?(?:domain|host)|(?:couldn't|could not|cannot|can't|unable to|not|was not able to) (?:be )?(?:find|found|resolve|resolved|locate|route|look up|lookup)(?: \S{1,60}){0,4}? (?:host|domain|mail exchanger|mx|mail server|to domain|a host|a domain)|(?:couldn't find any host|no (?:\w{1,10} )?(?:mx|dns|a|a or mx|mx or a|address|mail exchangers?)(?: or \w{1,3})? (?:record|records|host|hosts|entry|exist)|no mail (?:exchanger|server|host)|mx (?:record|records|host) (?:\w{1,10} )?(?:not found|does)|point to non-?existent|bad destination (?:system|host|domain)|null ?mx|nullmx|does not accept (?:any )?(?:mail|e-?mail)\b(?! from)|not accept mail for this domain|unrout(?:e)?able (?:mail )?(?:domain|address)|invalid (?:\w{1,10} )?(?:domain|host)|illegal host|domain(?: \S{1,60})? (?:has )?expired|name service error)",
)
_CHOSEN = _any(
    r"recipient preference|(?:only )?accept(?:s|ing)? (?:e-?mail|mail|messages) (?:only )?(?:from|with)|blocked by the recipient|rejected by this user|refuses? to receive|\.notauthorized|\.authrequired|authrequired|sendernotauthenticated|user reject|user refused|not accepting (?:any )?mail|pre-?approved|requires confirmation|protected by",
)
_SPAM = _any(
    r"\bspam|spam\b|spamhaus|spamcop|junk|virus|malware|trojan|worm\b|black[- ]?(?:list|hole)|block[- ]?list|deny ?list|dnsbl|\b[dus]?rbl\b|\bbl\b|uribl|surbl|sorbs|cloudmark|barracuda(?:central)?|senderscore|reputation|\bdmarc\b|\bspf\b|\bdkim\b|unsolicited|unsollicited|\bube\b|\buce\b|phish|content (?:filter|reject|restrict|score|not)|(?:listed|list) (?:in|at|by|on) (?:\S{1,60}\.)|(?:ip|host|server|network|relay|range|address|domain|site|connection|sender|mail|message|you)(?: \S{1,60}){0,4}? (?:is |are |was |been |has |have )*(?:blocked|block list|banned|blacklisted|listed (?:in|at|on|by))|client host|reverse (?:dns|lookup)|\brdns\b|fcrdns|\bptr\b|\bhelo\b|\behlo\b|postmaster\.(?:aol|yahoo|live|comcast|outlook)|removal|delist|unblock|complain|suspicious|abusive|bulk (?:mail|e-?mail|sender)|mass ?mail|similar messages|message (?:looks|appears|seems)|sbl-?xbl|\bxbl\b|\bpbl\b|mail-?abuse|trustedsource|poor sending|dynamic ip|residential|dial-?up|open (?:relay|proxy)",
)
_SIZE = _any(
    r"too (?:large|big|long)|(?:message|mail|e-?mail|maximum|max|size)(?: \w{1,12}){0,3} size|size (?:\w{1,10} )?(?:exceed|limit|too)|exceed(?:s|ed)? [^.]{0,40}(?:size|length|limit)|larger than|zu gross|te groot|trop (?:gros|volumineu)",
)
_RELAY = _any(
    r"relay|rcpt ?hosts|not a gateway|(?:not|no) (?:an? )?(?:\w{1,10} )?(?:local|served|hosted|valid|mail) domain|authentication (?:is )?required|must (?:first )?(?:authenticate|check|log)|smtp[- ]auth|verify your login|local domains",
)
_POLICY = _any(
    r"polic(?:y|ies)|administrative(?:ly)? prohibit|security|not (?:been )?authori[sz]ed to send|restrictions?\b|authenticat|unauthenticated|domain ?keys|sending (?:ip|domain|server|host|mail)|encrypt|certificate|\btls\b|starttls",
)
_DENIED = _any(
    r"administrativ|prohibit|not (?:been )?(?:authori[sz]ed|permitted|allowed)|unauthori[sz]ed|access (?:is |was )?denied|permission|den(?:y|ied)\b|block(?:ed|ing)?\b|bann?ed|forbidden|restrict\w+|refuse[sd]?|filter(?:ed|ing)?|not accept\w*|accepting mail (?:from|with)|rejected by|rejected for|reject(?:ed|ion) (?:due|because)|(?:message|mail|content)(?: \w{1,10}){0,2} (?:reject|refus|not accept)|attachment|whitelist|allow ?list|challenge|confirm\w*|pre-?approved|suspend\w*",
)
_UNAVAILABLE = _any(
    r"(?:service|server|system|host)(?: \w{1,10}){0,2} (?:not |un)available|service refused"
)
_REJECTED = _any(
    r"mail ?box(?: @| is| was|,)* (?:currently )?(?:not |un)available|mailbox not (?:available|accessible)|(?:recipient|address|addressee|mailbox|user|rcpt)(?:s)?(?:[ :\"'()]{1,3}(?:address|@|is|was|has|been|not))* (?:rejected|refused|denied|accepted|reject|suspended|restricted|blocked|unavailable|locked|not available|violates)|(?:invalid|bad|reject\w*|refus\w*|unavailable) (?:\w{1,10} )?(?:recipient|user|mailbox|address)|account(?: \S{1,60}){0,3}? (?:suspended|blocked|locked)|requested action not taken|delivery not authori[sz]ed",
)
_PATTERNS = {
    Says.FULL: _FULL,
    Says.LATER: _LATER,
    Says.SENDER: _SENDER,
    Says.DEAD: _DEAD,
    Says.CHOSEN: _CHOSEN,
    Says.SPAM: _SPAM,
    Says.SIZE: _SIZE,
    Says.RELAY: _RELAY,
    Says.POLICY: _POLICY,
    Says.DENIED: _DENIED,
    Says.UNAVAILABLE: _UNAVAILABLE,
    Says.REJECTED: _REJECTED,
}
