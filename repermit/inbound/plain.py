"""Bounces that are no delivery report: what they say to people, and whether they are bounces."""

from __future__ import annotations

import logging
import re
from email.message import Message as MailMessage

from flufl.bounce import all_failures

from repermit.inbound.message import Message
from repermit.inbound.wordings import MOST_TEXT, Says, says

logging.getLogger("flufl.bounce").disabled = True  # what it cannot read it would quote, address too
_DAEMON = re.compile(
    r"mailer[-_ ]?daemon|post_?master|mail delivery (?:sub)?system|mail administrator|"
    r"mdaemon|maild(?:aemon)?@|bounce|microsoft ?(?:exchange|outlook)|system administrator|"
    r"mailsystem|"
    r"mail system|autosupport|mail ?router|smtp gateway|mail ?server|daemon@|complaints?@|"
    r"internet mail delivery|systemadministrator",
    re.IGNORECASE,
)
_SUBJECT = re.compile(
    r"undeliver|non[- ]?deliver|not deliver|deliver\w{0,20} (?:status|fail|error|problem|report|"
    r"notif|warn|delay|has|subsystem|unsuccess)|(?:failed|failure|unsuccessful|problem|"
    r"delayed) .{0,20}deliver|failure (?:notice|report|delivery)|returned (?:mail|to sender|"
    r"message|e-?mail)|return(?:ed|ing) (?:mail|message)|mail (?:system )?(?:error|failure|"
    r"failed|returned|delivery)|message (?:status|delivery|could not|not)|"
    r"could ?n[o']t (?:be )?(?:send|sent|deliver)|warning: (?:could not|message)|"
    r"message (?:undeliverable|delayed|rejected)|nondeliverable|unzustellbar|"
    r"nicht zugestellt|zustell|fehlgeschlagen|failed mail|rejected mail|processing error|"
    r"onbestelbaar|niet (?:bestelbaar|afgeleverd|bezorgd)|bezorg|non (?:remis|distribu|"
    r"delivr|deliv)|echec|échec|notification d.état|notification de remise|no (?:se puede|"
    r"entregad)|mancat|nie dostarczon|undelivered|bounce|rejected|failure|user unknown|"
    r"unknown (?:user|address|recipient)|not known|invalid (?:recipient|address)|"
    r"deliverability|dsn|email error|nicht übermittelt",
    re.IGNORECASE,
)
_REPLIED = re.compile(r"^\s*(?:re|aw|antw|sv|fw|fwd|tr|wg|r)\s*:", re.IGNORECASE)
_PREAMBLE = re.compile(
    r"(?:this is the (?:qmail-send|mail (?:system|delivery)|postfix|smail|sendmail)|"
    r"message from \S{1,80}$|this message was created automatically by mail|"
    r"could not be delivered|(?:was|were) not delivered|undeliverable|"
    r"delivery (?:to the following|failed|has failed)|unable to deliver|failed (?:recipient|"
    r"addresses)|following address(?:es)? (?:had|failed)|transcript of session|"
    r"permanent (?:fatal )?error|did not reach|hi\. this is|couldn't be delivered|"
    r"konnte nicht|kon niet|n'a pas pu|unrouteable|cannot be delivered|not deliver|"
    r"did not (?:exactly )?match|kan niet worden|niet (?:worden )?(?:bezorgd|afgeleverd)|"
    r".chec de (?:la )?remise|"
    r"remise .{0,40}impossible|pas (?:pu )?.tre (?:remis|d.livr|distribu)|"
    r"nicht (?:\w{1,20} )?zugestellt|"
    r"zustellung|(?:has been|was|is being|mail is) (?:returned|rejected)|"
    r"mail (?:delivery )?failed|no se ha podido|не может быть доставлено)",
    re.IGNORECASE | re.MULTILINE,
)
_COPY = re.compile(
    r"^[ \t>]*(?:-{2,}+ ?.{0,40}?(?:below this line|this is a copy|original message|"
    r"copy of (?:the|your|a) (?:message|mail)|returned message|message (?:header|text|"
    r"follows)|unsent message|old message|undelivered message|ursprüngliche nachricht|"
    r"message d'origine|oorspronkelijk bericht|start of|begin).{0,80}|(?:the )?(?:header|"
    r"original message|body|first|text|copy|your message|begin)[^\n]{0,60}(?:follows|below|"
    r"headers?|included|attached):?[ \t]*$|(?:received: (?:from|by)|return-path:|"
    r"mime-version:).{0,200})",
    re.IGNORECASE | re.MULTILINE,
)


_REASON = re.compile(r"\(reason: (.{3,1000}?)\)[ \t]*$", re.IGNORECASE | re.MULTILINE)
_BREAK = re.compile(r"[\r\n]+")


def text_of(message: Message) -> str:
    """Return what a message says to people, without the mail that it brings back."""
    for content_type in ("text/plain", "multipart/", "text/html", "text/"):
        texts, length = list[str](), 0
        for part in message.parts:
            is_own = part.depth == 0 and part.content_type.startswith(content_type)
            if is_own and length < MOST_TEXT:
                text = _own(part.text)
                if text.strip():
                    texts.append(text)
                    length += len(text)
        if texts:
            return "\n\n".join(texts)[:MOST_TEXT]
    return ""


def reason_in(text: str) -> str:
    """Return the reasons that sendmail gives for each address, empty without any: what follows
    them is the talk with the other server, of which only the first words count."""
    return "\n".join(reason[1] for reason in _REASON.finditer(text))


def is_bounce(message: Message, text: str) -> bool:
    """Return whether a message that is no report says that a mail did not arrive."""
    if message.header("x-failed-recipients") or _is_refused_by_filter(message):
        return True
    if _is_by_a_person(message):
        return False
    subject = message.header("subject")[:500]
    named, told = bool(_SUBJECT.search(subject)), bool(_PREAMBLE.search(text))
    if _is_by_a_daemon(message):
        return (
            "mailer-daemon" in message.header("from").lower()
            or named
            or told
            or Says.DEAD in says(text)
            or any(flufl_says(message, text))
        )
    if _REPLIED.match(subject):
        return named and told and any(flufl_says(message, text))
    return named and told


def flufl_says(message: Message, text: str) -> tuple[bool, bool]:
    """Return whether flufl.bounce finds addresses that fail for now, and for good."""
    rebuilt = MailMessage()
    for name in ("from", "subject", "x-failed-recipients", "x-mailer", "to"):
        for value in message.headers.get(name, ())[:1]:
            rebuilt[name] = _BREAK.sub(" ", value[:500])
    if message.content_type.startswith("multipart/"):
        rebuilt["content-type"] = message.content_type
        part = MailMessage()
        part.set_payload(text)
        rebuilt.attach(part)
    else:
        rebuilt.set_payload(text)
    try:
        temporary, permanent = all_failures(rebuilt)
    except (ValueError, LookupError, TypeError, AttributeError):  # it reads what it never saw
        return False, False
    return bool(temporary), bool(permanent)


def _own(text: str) -> str:
    """Return the begin of a text, up to the mail that it quotes."""
    copy = _COPY.search(text, 0, 2 * MOST_TEXT)
    before = text[: copy.start()] if copy else text
    return (before if before.strip() else text)[:MOST_TEXT]


def _is_by_a_daemon(message: Message) -> bool:
    """Return whether no mailbox sent it: the null sender, or a name of a mail system."""
    paths = message.headers.get("return-path", ())
    return any(path.strip() == "<>" for path in paths) or _is_named_daemon(message)


def _is_by_a_person(message: Message) -> bool:
    """Return whether a person wrote it, or a machine in their name, or it is another report."""
    automatic = message.header("auto-submitted").lower()
    return (
        message.report_type in ("feedback-report", "disposition-notification")
        or (automatic.startswith("auto-replied") and not _is_named_daemon(message))
        or bool(message.header("x-autoreply") or message.header("x-autorespond"))
    )


def _is_named_daemon(message: Message) -> bool:
    sender = message.header("from")[:500]
    return "<>" in sender or bool(_DAEMON.search(sender))


def _is_refused_by_filter(message: Message) -> bool:
    """Return whether the mailbox itself refused it (RFC 5429)."""
    return (
        message.report_type == "disposition-notification"
        and "rejected" in message.header("auto-submitted").lower()
    )
