"""The wordings of the systems that a list of addresses meets."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from repermit.inbound import said_abroad, said_of_address, said_of_now, said_of_us
from repermit.inbound.wordings import Says, plain, says

MODULES = (said_abroad, said_of_address, said_of_now, said_of_us)
ROWS = [meaning.name for meaning in Says]
UNBOUNDED = re.compile(r"(?:(?<!\\)[.\]]|\\[SWDs])[*+]|(?<!\\)\{\d+,\}")

DEAD = """User unknown in virtual mailbox table
Recipient address rejected: User unknown in relay recipient table
unknown local-part "a" in domain "b.example"
Unrouteable address
Sorry, no mailbox here by that name. (#5.1.1)
The email account that you tried to reach does not exist.
The email account that you tried to reach is disabled.
This user doesn't have a yahoo.com account (a@yahoo.com) [0]
RESOLVER.ADR.RecipientNotFound; not found
The recipient name is not recognized
User jdoe (jdoe@example.org) not listed in Domino Directory
Mailbox unavailable or access denied: no such user
Adresse d au moins un destinataire invalide. Invalid recipient. OFR_416
Adresse destinataire inconnue
Utilisateur inconnu
L'adresse de messagerie est introuvable
Die eingegebene E-Mail-Adresse konnte nicht gefunden werden
Het e-mailadres kan niet worden gevonden
Cette adresse n'existe pas
Dit e-mailadres bestaat niet
Onbekende ontvanger, gebruiker onbekend
Benutzer unbekannt
Ungültige Empfängeradresse
Empfänger unbekannt
unknown or illegal alias: a@icloud.com
inactive email address
Invalid Recipient - https://example.net/errors#550
the account is closed
this mailbox has been deleted
John has left the company
Host or domain name not found
all relevant MX records point to non-existent hosts
DNS type 'mx' lookup of example.org responded with code NXDOMAIN
I couldn't find any host named example.org
Recipient domain has null MX
unknown host
Benutzer ist nicht im Domino-Verzeichnis aufgeführt
Usuario desconocido
El destinatario no ha sido encontrado
La dirección de correo no existe
No se ha encontrado la dirección
Utente sconosciuto
L'indirizzo di posta non è valido
La casella non esiste
Usuário desconhecido
O endereço de e-mail não foi encontrado
Esta caixa não existe
Nieznany użytkownik
Nie znaleziono takiego użytkownika
Skrzynka nie istnieje
Пользователь не найден
Такой ящик не существует
Нет такого пользователя
Неизвестный получатель
用户不存在
無此使用者
查无此人
收件人地址不存在
宛先のメールアドレスが見つかりません
ユーザーが存在しません
宛先不明"""

FULL = """mailbox is full
The user is over quota
552-5.2.2 The email account that you tried to reach is over quota
maildir: Disk quota exceeded
Boîte du destinataire pleine
Das Postfach des Empfängers ist voll
De mailbox van de ontvanger zit vol
mailbox size limit exceeded
not enough storage space
user has too many messages on the server
El buzón está lleno
Cuota de disco excedida
Spazio esaurito
La casella è piena
A caixa de entrada está cheia
Skrzynka odbiorcy jest pełna
Brak miejsca na serwerze
Почтовый ящик переполнен
Превышен размер ящика
邮箱已满
收件人邮箱空间不足
メールボックスがいっぱいです
受信者の容量を超えています"""

LATER = """Greylisted, please try again later
Connection timed out
connection refused
retry timeout exceeded
Host not found, try again
message expired
this message has been in the queue too long
will keep trying for 3 days
has not yet been delivered
delivery to the following recipient has been delayed
mail loops back to myself
too many connections
rate limit exceeded
receiving mail at a rate that prevents more
Veuillez essayer plus tard
Probeer het later opnieuw
Inténtelo de nuevo más tarde
Riprova più tardi
Tente novamente mais tarde
Serwer tymczasowo niedostępny
Ящик временно недоступен
请稍后再试
一時的に送信できません
wird weiterhin versucht, vorübergehend nicht erreichbar
temporarily disabled
account is temporary locked"""

SENDER = """Sender address rejected: Domain not found
sender verify failed
Domain of sender address a@example.org does not exist
invalid sender
Client host rejected: cannot find your hostname
Sender domain example.org does not exist"""

SPAM = """blocked using zen.spamhaus.org
likely unsolicited mail
SPF check failed
does not pass DMARC verification
your IP has a poor reputation
listed at bl.example.net"""


@pytest.mark.parametrize(
    ("meaning", "text"),
    [
        (meaning, text)
        for meaning, texts in (
            (Says.DEAD, DEAD),
            (Says.FULL, FULL),
            (Says.LATER, LATER),
            (Says.SENDER, SENDER),
            (Says.SPAM, SPAM),
        )
        for text in texts.splitlines()
    ],
)
def test_what_servers_write_is_understood(meaning: Says, text: str) -> None:
    assert meaning in says(text)


@pytest.mark.parametrize("text", FULL.splitlines() + LATER.splitlines()[3:])
def test_full_and_late_name_no_missing_address(text: str) -> None:
    assert Says.DEAD not in says(text) or {Says.FULL, Says.LATER} & says(text)


def test_case_accents_addresses_and_codes_do_not_matter() -> None:
    assert (
        plain("550-5.1.1 <Full.User@Example.org>: BOÎTE\n  550 5.1.1 l’usager")
        == " @ : boite l'usager"
    )
    assert says("550 5.1.1 spam.full@quota.example: hello") == frozenset()
    assert Says.DEAD in says("550-5.1.1 The account does\n550 5.1.1 not exist")


@given(st.text(max_size=500))
def test_any_text_has_some_meanings(text: str) -> None:
    assert says(text) <= set(Says)


def test_every_gap_between_words_is_bounded() -> None:
    """So that a long row of the same takes time in proportion; `\\w*` ends a word."""
    rows = [row for module in MODULES for name in ROWS for row in getattr(module, name, ())]
    assert len(rows) > 100
    assert not [row for row in rows if UNBOUNDED.search(row)]
