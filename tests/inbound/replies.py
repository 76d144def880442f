"""What tests of replies build of: the forms of mail programs, and the mail that they quote."""

from __future__ import annotations

from repermit.inbound.message import Message, parse

HISTORY = (
    "Dag, wilt u de nieuwsbrief van Tuinvrienden ontvangen (ongeveer elke maand)?",
    "Ja, ik wil dit ontvangen",
    "https://answer.tuinvrienden.example/yes/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "",
    "Nee, ik wil dit niet ontvangen",
    "https://answer.tuinvrienden.example/no/AbCdEfGhIjKlMnOpQrStUvWxYz0123456789",
    "QUOTED",
)
_BARE = "\n".join(HISTORY)
_MARKED = "\n".join(f"> {line}".rstrip() for line in HISTORY)
_SENDER = "Tuinvrienden <nieuws@tuinvrienden.example>"

QUOTES = {
    "marked": _MARKED,
    "gmail nl": f"Op zo 22 nov 2026 om 10:30 schreef {_SENDER}:\n\n{_MARKED}",
    "gmail nl, folded": f"Op zo 22 nov 2026 om 10:30 schreef Tuinvrienden\n<nieuws@t.example>:\n\n"
    f"{_MARKED}",
    "gmail en": f"On Sun, 22 Nov 2026 at 10:30, {_SENDER} wrote:\n{_MARKED}",
    "gmail fr": f"Le dim. 22 nov. 2026 à 10:30, {_SENDER} a\xa0écrit\xa0:\n\n{_MARKED}",
    "gmail de": f"Am So., 22. Nov. 2026 um 10:30 Uhr schrieb {_SENDER}:\n\n{_MARKED}",
    "thunderbird nl": f"Op 22-11-2026 om 10:30 schreef Tuinvrienden:\n{_MARKED}",
    "thunderbird fr": f"Le 22/11/2026 à 10:30, Tuinvrienden a écrit :\n{_MARKED}",
    "iphone nl": f"Op 22 nov 2026 om 10:30 heeft {_SENDER} het volgende geschreven:\n\n{_MARKED}",
    "no mark": f"Op 22 november 2026 om 10:30 schreef {_SENDER}:\n\n{_BARE}",
    "name first": f"{_SENDER} schreef op 22 november 2026 om 10:30:\n\n{_BARE}",
    "outlook nl": f"Van: {_SENDER}\nVerzonden: zondag 22 november 2026 10:30\n"
    f"Aan: An Peeters\nOnderwerp: Wilt u de nieuwsbrief ontvangen?\n\n{_BARE}",
    "outlook fr": f"De : {_SENDER}\nEnvoyé : dimanche 22 novembre 2026 10:30\nÀ : An Peeters\n"
    f"Objet : Souhaitez-vous\n\n{_BARE}",
    "outlook de": f"Von: {_SENDER}\nGesendet: Sonntag, 22. November 2026 10:30\nAn: An Peeters\n"
    f"Betreff: Möchten Sie\n\n{_BARE}",
    "outlook en": f"*From:* {_SENDER}\n*Sent:* Sunday, November 22, 2026 10:30\n"
    f"*To:* An Peeters\n*Subject:* Would you\n\n{_BARE}",
    "outlook, rule": f"{'_' * 32}\nFrom: {_SENDER}\nSent: Sunday\nSubject: Yes\n\n{_BARE}",
    "original en": f"-----Original Message-----\nFrom: {_SENDER}\n\n{_BARE}",
    "original nl": f"-----Oorspronkelijk bericht-----\nVan: {_SENDER}\n\n{_BARE}",
    "original fr": f"-----Message d'origine-----\nDe : {_SENDER}\n\n{_BARE}",
    "original de": f"-----Ursprüngliche Nachricht-----\nVon: {_SENDER}\n\n{_BARE}",
    "forwarded": f"---------- Forwarded message ---------\nFrom: {_SENDER}\n\n{_BARE}",
    "ours, bare": _BARE,
    "signature": f"-- \nQUOTED NV\n{_MARKED}",
    "iphone": f"Verstuurd vanaf mijn iPhone\n\n> Op 22 nov 2026 schreef {_SENDER}:\n{_MARKED}",
}

HTML_QUOTES = {
    "gmail": '<br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">On Sun, 22 Nov 2026 at'
    ' 10:30, T &lt;n@t.example&gt; wrote:<br></div><blockquote class="gmail_quote">'
    "<div>QUOTED <div>twice</div></div></blockquote></div>",
    "blockquote": "<blockquote type=cite><div>QUOTED</div></blockquote>",
    "apple": '<br><blockquote type="cite"><div>On 22 Nov 2026, T wrote:</div></blockquote>'
    '<blockquote type="cite"><p>QUOTED</p></blockquote>',
    "outlook web": '<div id="appendonsend"></div><hr><div id="divRplyFwdMsg"><b>From:</b> T<br>'
    "<b>Sent:</b> Sunday</div><div>QUOTED</div>",
    "outlook": '<div style="border-top:solid #E1E1E1 1.0pt"><p><b>Van:</b> T<br><b>Verzonden:</b>'
    " zondag<br><b>Aan:</b> An<br><b>Onderwerp:</b> Wilt u</p></div><p>QUOTED</p>",
    "thunderbird": '<div class="moz-cite-prefix">Op 22-11-2026 schreef T:<br></div>'
    '<blockquote type="cite" cite="mid:1@t.example">QUOTED</blockquote>',
    "ours, bare": "<h1>Dag, wilt u de nieuwsbrief van Tuinvrienden ontvangen (elke maand)?</h1>"
    "<p>QUOTED</p>",
    "never closed": '<div class="gmail_quote">QUOTED<blockquote>QUOTED',
}


def a_reply(
    text: str = "",
    *,
    html: str = "",
    subject: str = "Re: Wilt u de nieuwsbrief ontvangen? Ja of nee",
    headers: str = "",
) -> Message:
    """Return a message that somebody wrote, read as what comes in is; *headers* end in LF."""
    head = f"From: An <an@voorbeeld.example>\nSubject: {subject}\n{headers}MIME-Version: 1.0\n"
    parts = [("plain", text)] * bool(text or not html) + [("html", html)] * bool(html)
    body = "".join(
        f"--e\nContent-Type: text/{kind}; charset=utf-8\n"
        f"Content-Transfer-Encoding: 8bit\n\n{each}\n"
        for kind, each in parts
    )
    message = parse(
        f"{head}Content-Type: multipart/alternative; boundary=e\n\n{body}--e--\n".encode(
            "utf-8", "replace"
        )
    )
    assert isinstance(message, Message)
    return message
