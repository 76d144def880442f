"""Bounces that are no delivery report: what they say to people, and whether they are bounces."""

from __future__ import annotations

import re
from email.message import Message as MailMessage

from flufl.bounce import all_failures

from repermit.inbound.message import Message

MOST_TEXT = 20_000

_DAEMON = re.compile(
    r"mailer[-_ ]?daemon|postmaster|mail delivery (?:sub)?system|mail administrator|mdaemon|"
    r"maild(?:aemon)?@|bounce|microsoft ?exchange|system administrator|mailsystem|mail system|autosupport|"
    r"mail ?router|smtp gateway|mail ?server|daemon@|complaints?@|internet mail delivery|systemadministrator",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|non[- ]?deliver|not deliver|deliver\w* (?:status|fail|error|problem|report|notif|"
    r"warn|delay|has|subsystem|unsuccess)|(?:failed|failure|unsuccessful|problem|delayed) .{0,20}deliver|failure (?:notice|report|delivery)|returned (?:mail|to sender|message|e-?mail)|"
    r"return(?:ed|ing) (?:mail|message)|mail (?:system )?(?:error|failure|failed|returned|delivery)|message (?:status|delivery|could not|not)|could ?n[o']t (?:be )?(?:send|sent|deliver)|"
    r"warning: (?:could not|message)|message (?:undeliverable|delayed|rejected)|nondeliverable|"
    r"unzustellbar|nicht zugestellt|zustell|fehlgeschlagen|onbestelbaar|niet (?:bestelbaar|afgeleverd|bezorgd)|bezorg|"
    r"non (?:remis|distribu|delivr|deliv)|echec|échec|notification d.état|notification de remise|no (?:se puede|entregad)|mancat|nie dostarczon|undelivered|bounce|rejected|failure|user unknown|unknown (?:user|address|recipient)|not known|invalid (?:recipient|address)|deliverability|dsn|email error|nicht übermittelt",
    re.IGNORECASE,
)
_REPLIED = re.compile(r"^\s*(?:re|aw|antw|sv|fw|fwd|tr|wg|r)\s*:", re.IGNORECASE)
_PREAMBLE = re.compile(
    r"(?:this is the (?:qmail-send|mail (?:system|delivery)|postfix|smail|sendmail)|message from \S{1,80}$|this message was created automatically by mail|"
    r"could not be delivered|(?:was|were) not delivered|undeliverable|delivery (?:to the following|failed|has failed)|unable to deliver|failed (?:recipient|addresses)|following address(?:es)? (?:had|failed)|"
    r"transcript of session|permanent (?:fatal )?error|did not reach|hi\. this is|couldn't be delivered|konnte nicht|kon niet|n'a pas pu|unrouteable|cannot be delivered|not deliver)",
    re.IGNORECASE | re.MULTILINE,
)
_COPY = re.compile(
    r"^[ \t>]*(?:-{2,} ?.{0,40}?(?:below this line|this is a copy|original message|copy of (?:the|your|a) (?:message|mail)|returned message|message (?:header|text|follows)|unsent message|undelivered message|ursprüngliche nachricht|message d'origine|oorspronkelijk bericht|start of|begin).{0,80}|"
    r"(?:the )?(?:header|original message|body|first|text|copy|your message|begin)[^\n]{0,60}(?:follows|below|headers?|included|was|attached):?[ \t]*$|"
    r"(?:received: (?:from|by)|return-path:|x-[a-z-]{2,40}: |mime-version:|message-id:).{0,200})",
    re.IGNORECASE | re.MULTILINE,
)


def text_of(message: Message) -> str:
    """Return what a message says to people, without the mail that it brings back."""
    texts = [
        part.text
        for part in message.parts
        if part.depth == 0 and part.content_type.startswith(("text/plain", "multipart/"))
    ]
    if not any(text.strip() for text in texts):
        texts = [
            part.text
            for part in message.parts
            if part.depth == 0 and part.content_type == "text/html"
        ]
    text = next((text for text in texts if text.strip()), "")[: 2 * MOST_TEXT]
    copy = _COPY.search(text)
    return (text[: copy.start()] if copy and text[: copy.start()].strip() else text)[:MOST_TEXT]


def is_bounce(message: Message) -> bool:
    """Return whether a message that is no report says that a mail did not arrive."""
    if message.header("x-failed-recipients"):
        return True
    if _is_answer(message):
        return False
    sender, subject = message.header("from"), message.header("subject")
    is_null = any(path.strip() in ("<>", "") for path in message.headers.get("return-path", ()))
    by_machine = bool(_DAEMON.search(sender[:500])) or is_null
    named = bool(_SUBJECT.search(subject[:500]))
    told = bool(_PREAMBLE.search(text_of(message)))
    return (by_machine and (named or told)) or (named and told)


def flufl_says(message: Message) -> tuple[bool, bool]:
    """Return whether flufl.bounce finds addresses that fail for now, and for good."""
    rebuilt = MailMessage()
    for name in ("from", "subject", "x-failed-recipients", "x-mailer", "to"):
        for value in message.headers.get(name, ())[:1]:
            rebuilt[name] = value[:500].replace("\n", " ").replace("\r", " ")
    rebuilt.set_payload(text_of(message))
    try:
        temporary, permanent = all_failures(rebuilt)
    except (ValueError, LookupError, TypeError, AttributeError):  # it reads what it never saw
        return False, False
    return bool(temporary), bool(permanent)


def _is_answer(message: Message) -> bool:
    """Return whether a person wrote it, or a machine in their name."""
    automatic = message.header("auto-submitted").lower()
    return (
        bool(_REPLIED.match(message.header("subject")))
        or message.report_type in ("feedback-report", "disposition-notification")
        or automatic.startswith("auto-replied")
        and not _DAEMON.search(message.header("from")[:500])
        or bool(message.header("x-autoreply") or message.header("x-autorespond"))
    )
