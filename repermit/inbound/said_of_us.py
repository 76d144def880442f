"""What servers write of a sender, its server or its mail, and of rules that say no.

Rows of alternatives for `wordings`: they expect words without case, accents, addresses and codes.
A gap between words is bounded, so that matching takes linear time.
"""

from __future__ import annotations

_FROM = (
    r"(?:sender|return[- ]path|envelope[- ]from|mail[- ]?from|originator|reverse[- ]path|"
    r"from (?:address|domain|header|field)|absender\w{0,20}|expediteur|afzender)"
)
SENDER = (
    r"\bbatv\b|backscatter|bogus mail from|mail from not|from:? (?:domain|address)",
    r"mismatch\w{0,20} client",
    r"resolve your (?:address|host|ip)|smtp server of your|sender domain|go away",
    (
        r"your (?:mail ?)?(?:server|host|network|remote ?host)[^.]{0,40} (?:block|reject|bann|"
        r"listed|spam|suspicious|confirm|require|not allowed|reputation)"
    ),
    r"unrout(?:e)?able sender|fully qualified|no access from|please provide a valid",
    r"client host|your (?:reverse|host ?name|ip\b)|reverse (?:dns|host)|\brdns\b|\bptr\b",
    _FROM
    + (
        r"(?:'s)?(?:[ :\x22'()]{1,3}(?:e-?mail|mail|domain|address|host|@|"
        r"[\w-]{1,60}\.[\w.-]{1,80}|is|was|has|been|does|could|can|verify|verification|"
        r"the|name|of|and|callout|id|\(?mfrom\)?)){0,7}[ :\x22'()]{1,3}(?:"
        r"rejected|reject|unknown|(?:does |do )?(?:not|n't) exist|doesn't exist|not "
        r"exist|invalid|verif\w{1,20}|fail\w{0,20}|denied|blocked|blacklisted|not\b|refused|cannot|"
        r"bad|must|needs|null|restrict\w{0,20}|unverif\w{0,20}|banned|black|disallow\w{0,20}|forged|"
        r"unauth\w{0,20}|syntax)"
    ),
    (
        r"(?:invalid|bad|unknown|unverified|forged|fake|unresolvable|unauthenticated|"
        r"untrusted|illegal|reject\w{0,20}|block\w{0,20}|verify|verification of|verifying|"
        r"domain of|domain in|for) (?:the |this |your )?(?:\w{1,10} )?"
    )
    + _FROM,
    (
        r"your (?:e-?mail |mail )?(?:address|domain|account) [^.]{0,40}(?:block|reject|ban|"
        r"not allow|not permit|black|deni|refus|not accept)"
    ),
    (
        r"(?:user|recipient|@|we|i) (?:is |are |do |does |will )?(?:not|n't) accept(?:ing)? "
        r"(?:e-?mail|mail|messages?) from (?:you|this|your)"
    ),
)
SPAM = (
    r"\bspam|spam\b|spamhaus|spamcop|junk|virus|malware|trojan|worm\b",
    r"black[- ]?(?:list|hole)|block[- ]?list|deny ?list|dnsbl|\b[dus]?rbl\b|\bbl\b|uribl",
    r"surbl|sorbs|cloudmark|barracuda(?:central)?|senderscore|reputation|\bdmarc\b|\bspf\b",
    r"\bdkim\b|unsolicited|unsollicited|\bube\b|\buce\b|phish",
    r"content (?:filter|reject|restrict|score|not)",
    r"(?:listed|list) (?:in|at|by|on) (?:\S{1,60}\.)",
    (
        r"(?:ip|host|server|network|relay|range|address|domain|site|connection|sender|mail|"
        r"message|you)(?: \S{1,60}){0,4}? (?:is |are |was |been |has |have )*(?:blocked|block "
        r"list|banned|blacklisted|listed (?:in|at|on|by))"
    ),
    r"client host|reverse (?:dns|lookup)|\brdns\b|fcrdns|\bptr\b|\bhelo\b|\behlo\b",
    r"postmaster\.(?:aol|yahoo|live|comcast|outlook)|removal|delist|unblock|complain",
    r"suspicious|abusive|bulk (?:mail|e-?mail|sender)|mass ?mail|similar messages",
    r"mail rejete\b",  # of French providers, of what a mail holds
    r"message (?:looks|appears|seems)|sbl-?xbl|\bxbl\b|\bpbl\b|mail-?abuse|trustedsource",
    r"poor sending|permanently deferred|dynamic ip|residential|dial-?up|open (?:relay|proxy)",
)
RELAY = (
    r"relay|rcpt ?hosts|not a gateway",
    r"(?:not|no) (?:an? )?(?:\w{1,10} )?(?:local|served|hosted|valid|mail) domain",
    r"authentication (?:is )?required|must (?:first )?(?:authenticate|check|log)",
    r"smtp[- ]auth|verify your login|local domains",
)
POLICY = (
    r"polic(?:y|ies)|administrative(?:ly)? prohibit|security",
    r"not (?:been )?authori[sz]ed to send|restrictions?\b|authenticat|unauthenticated",
    r"domain ?keys|sending (?:ip|domain|server|host|mail)|encrypt",
)
DENIED = (
    r"administrativ|prohibit|not (?:been )?(?:authori[sz]ed|permitted|allowed)",
    r"unauthori[sz]ed|access (?:is |was )?denied|permission|den(?:y|ied)\b",
    r"block(?:ed|ing)?\b|bann?ed|forbidden|restrict\w+|refuse[sd]?|filter(?:ed|ing)?",
    r"not accept\w*|accepting mail (?:from|with)|rejected by|rejected for",
    r"reject(?:ed|ion) (?:due|because)",
    r"(?:message|mail|content)(?: \w{1,10}){0,2} (?:reject|refus|not accept)|attachment",
    r"transaction failed|undisclosed (?:error|reason)|protocol (?:violation|error)",
    r"whitelist|allow ?list|challenge|confirm\w*|pre-?approved|suspend\w*",
)
ELSEWHERE = (
    r"in reply to (?:end of data|data|mail from|ehlo|helo|connect)",
    r"(?:message|body) content",
    r"after (?:pipelined )?(?:end of data|data|mail from|ehlo|helo|initial connection)",
)
