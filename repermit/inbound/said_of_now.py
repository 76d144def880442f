"""What servers write when a mail does not arrive now: no room, later, too large, out of order.

Rows of alternatives for `wordings`: they expect words without case, accents, addresses and codes.
A gap between words is bounded, so that matching takes linear time.
"""

from __future__ import annotations

FULL = (
    r"quota",
    (
        r"(?:mail ?-?box|inbox|mail ?drop|account|user|recipient|storage|folder|mail ?file|@)"
        r"[^.!?]{0,50} (?:is |are |was |too |currently |almost |has become )*(?:full|out of "
        r"(?:disk ?)?space|oversized?)\b"
    ),
    r"\b(?:full|overfull|overfilled) (?:e-?mail |mail )?(?:mailbox|inbox|account)",
    (
        r"exceed(?:s|ed|ing)? [^.]{0,40}(?:storage|(?:mailbox|mail ?box|inbox|account) size|"
        r"space|mailbox limit|max(?:imum)? (?:allowed )?mailbox|mailbox(?:'s)? (?:maximum|"
        r"size|limit))"
    ),
    (
        r"(?:mailbox|inbox|account|user|recipient) [^.]{0,30}exceed(?:s|ed)? "
        r"[^.]{0,30}(?:limit|size|space|maximum|storage|allowed)"
    ),
    r"space not enough|space has been used|too many messages on",
    r"reached (?:\w{1,10} ){0,2}limit|archivee",
    (
        r"(?:not enough|insufficient|no more|out of|lack of|doesn't have enough|does not have "
        r"enough|not have sufficient|no free)(?: \w{1,12}){0,2} (?:storage|space)"
    ),
    r"(?:storage|space) (?:limit|allocation|full|exceeded|exhausted|used up)|overflow",
    r"mail ?box (?:size )?limit|mailfull|mbox full",
    (
        r"(?:postfach|mailbox|speicherplatz|konto)[^.]{0,40}(?:voll|uberschritten|erschopft|"
        r"belegt)"
    ),
    r"uberfullt|(?:mailbox|postbus|postvak)[^.]{0,30}\bvol\b",
    (
        r"(?:boite|messagerie|bal|mailbox|compte|stockage)[^.]{0,60}(?:pleine?|saturee?|"
        r"depass|rempli)"
    ),
)
LATER = (
    r"\btempor[aen]\w*|\btemp(?:fail| failure)|transient|vorubergehend|tijdelijk",
    r"momentanement|transitoire|gr[ae]y[- ]?list|postgrey",
    (
        r"(?:try|retry|again|resend)(?: \w{1,14}){0,5} (?:later|in (?:a few|an?|\d+) (?:min|"
        r"sec|hour|day|while))"
    ),
    r"spater (?:erneut|noch ?ein)|probeer het later",
    r"(?:reessayer|ressayer|essayer) (?:plus tard|ulterieurement)",
    r"host not found,? try again|(?:lookup|resolution) (?:timed|temporar)",
    (
        r"(?:could not|cannot|unable to) (?:be )?(?:complete|perform)\w* (?:the |a )?(?:dns|"
        r"mx) lookup"
    ),
    r"servfail",
    (
        r"too (?:many|much) (?:\w{1,14} ){0,3}(?:connection|message|mail|e-?mail|recipient|"
        r"session|request|error|hop|rcpt|deliver|command|invalid)"
    ),
    r"too (?:fast|quickly|frequent|often|busy)|hop count|mail loop|loops? back",
    r"routing loop|looping|rate[- ]?(?:limit|control|exceed)",
    r"(?:sending|message|connection|mail|delivery) rate|limit(?:s)? (?:exceeded|reached)",
    r"exceed(?:s|ed) [^.]{0,30}(?:rate|limit)|throttl|deferr|time[d-]? ?-?out",
    (
        r"connection (?:was |has been |is )?(?:refused|reset|lost|dropped|died|closed|failed|"
        r"aborted|rejected|terminated|broken)"
    ),
    r"(?:lost|broken|refused|no) connection|no route to|network (?:is )?unreachable",
    r"(?:host|server|system) (?:is )?(?:down|unreachable|not responding|overloaded)",
    r"did ?n[o']t respond|not respond(?:ing)?\b|no answer from",
    (
        r"(?:couldn't|could not|unable to|cannot|can't|wasn't able to|was unable to) "
        r"(?:\w{1,12} ){0,2}(?:connect|contact|reach (?:the )?(?:host|server|mail)|establish)"
    ),
    r"(?:connect|connecting|connection) (?:to|with) [^.]{0,80}(?:failed|refused|timed)",
    r"retry time(?:out)?|retry period",
    r"(?:message|delivery|queue|mail)(?: time)? (?:has |was |is )?expired",
    r"in (?:the )?queue (?:for )?too long|queued (?:for )?too long|too old",
    r"(?:maximum|max) (?:delivery|retry|queue) (?:time|attempts?|retries|duration|age)",
    r"(?:all|number of|many|after \d+) (?:attempts|retries|tries|delivery attempts)",
    r"giving up after|not been collected|failing for a long time|all hosts",
    r"failed (?:after )?\d+ attempts|allowed queue period|could not find a gateway",
    r"\blocked\b",
    (
        r"(?:will|shall|is going to|wordt|wird|werden|sera|seront) (?:\w{1,14} ){0,6}(?:try|"
        r"trying|retr(?:y|ied|ying)|reattempt|attempts? to (?:be )?deliver|opnieuw|weiterhin|"
        r"erneut)"
    ),
    r"still (?:being )?(?:trying|retr|attempt|queued|undelivered|in the queue)|keep trying",
    r"not yet been delivered|not been delivered (?:after|for|to all)|has been delayed",
    r"is delayed|\bdelayed\b|warning:? (?:message|could not send)|warning only",
    r"this is (?:only )?a warning|do(?: not|n't) need to (?:resend|retry)",
    r"noch nicht zugestellt|verzogert|vertraagd|retarde|differee?\b",
    r"server (?:is )?(?:too )?busy",
    r"(?:mail ?box|account|folder|file|maildrop) (?:is )?(?:locked|busy|in use|on hold)",
    r"resources|try again$|out of memory|disk (?:is )?full",
    r"(?:system|disk|file ?system|device|server)[^.]{0,20} (?:is )?full|no space left",
    r"receiving (?:mail|messages|e-?mail)s? (?:at a rate|too)",
    r"unavailable (?:at this time|right now|at the moment|now)",
    r"(?:currently|presently) (?:not |un)\w{1,14}|not (?:currently|presently)",
    r"limit\b[^.]{0,60} exceeded|exceed(?:s|ed|ing) [^.]{0,30}(?:rate|limit)",
    r"\bfrozen\b|hibernat|\bdormant|inactive for now|on vacation|i/o error",
    (
        r"(?:internal|local|lookup|database|ldap|configuration|system|alias file|resource) "
        r"(?:\w{1,12} )?(?:error|failure|problem)"
    ),
    r"(?:malformed or )?unexpected (?:name server|dns) reply",
    r"malfunction|quarantin|tlsa|dnssec|certificate|starttls|\btls\b",
)
SIZE = (
    r"too (?:large|big|long)",
    r"(?:message|mail|e-?mail|maximum|max|size)(?: \w{1,12}){0,3} size",
    r"size (?:\w{1,10} )?(?:exceed|limit|too)",
    r"exceed(?:s|ed)? [^.]{0,40}(?:size|length|limit)|larger than|zu gross|te groot",
    r"trop (?:gros|volumineu)",
)
UNAVAILABLE = (
    r"(?:service|server|system|host)(?: \w{1,10}){0,2} (?:not |un)available",
    r"service refused",
)
