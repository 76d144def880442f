"""What servers write in the languages that codes and English words do not always stand beside.

Rows of alternatives for `wordings`: they expect words without case, accents, addresses and codes;
letters that are made of two have lost the second, as й, ё, ガ and ポ.
"""

from __future__ import annotations

_WHO = (
    r"(?:usuari[oa]|destinatari[oa]|buzon|cuenta|direccion|utente|casella|indirizzo|utilizador|"
    r"endereco|conta|caixa postal|uzytkownik\w{0,3}|odbior\w{1,3}|adresat\w{0,2}|adresu?|kont[oa]|"
    r"skrzynk\w{1,3})"
)
_BETWEEN = r"(?: (?:@|[\w-]{1,30})){0,4}? "
DEAD = (
    _WHO
    + _BETWEEN
    + (
        r"(?:desconocid[oa]|sconosciut[oa]|desconhecid[oa]|nieznan[ya]|inexistente|invalid[oa]|"
        r"nieprawidlow[ya]|(?:no|nao|non|nie) (?:es |e |est |esta |jest |foi |fue |ha sido |"
        r"e stat[oa] |ist )?(?:encontrad[oa]|trovat[oa]|valid[oa]|existe|esiste|istnieje))\b"
    ),
    r"no se (?:ha )?(?:encontro|encontrado|encuentra) (?:\w{1,12} ){0,2}" + _WHO,
    r"(?:nieznan[ya]|nieprawidlow[ya]|brak|nie (?:ma|znaleziono)) (?:tak\w{1,4} )?" + _WHO,
    r"nie istnieje|не существует|не наиден|не зарегистрирован",
    r"(?:неизвестн|недеиствительн|несуществующ)\w{0,4} (?:пользовател|получател|адрес|домен)",
    r"нет так\w{1,4} (?:пользовател|получател|адрес|ящик|домен)",
    r"(?:пользовател|получател|адрес)\w{0,3} неизвест",
    (
        r"(?:用户|用戶|收件人|邮箱|郵箱|信箱|地址|帐号|账号|帳號|账户|使用者|域名|網域)[^。]{0,12}"
        r"(?:不存在|不正确|不正確|无效|無效|未找到|找不到|已注销|已停用|已删除)"
    ),
    r"(?:无此|無此|没有此|沒有此|找不到此?|不存在此?|无效的?|無效的?)(?:用户|用戶|收件人|邮箱|郵箱|信箱|使用者)",
    r"查无此|查無此",
    (
        r"(?:アトレス|ユーサー?|宛先|あて先|受信者|メールホックス)[^。]{0,16}"
        r"(?:見つかりません|存在しません|存在しない|不明)"
    ),
    r"宛先不明|宛先かありません",
)
FULL = (
    r"(?:buzon|bandeja|casella|caixa)[^.]{0,30}(?:llen[oa]|piena|cheia)",
    (
        r"(?:cuota|cota|limite|spazio|espacio|espaco) (?:\w{1,12} ){0,3}(?:excedid|superad|"
        r"superat|esaurit|insufici|insuffici|agotad|esgotad)"
    ),
    r"(?:sin|sem) espac?i?o\b",
    r"skrzynk[^.]{0,30}(?:przepelnion|pelna)|brak miejsca",
    r"przekroczon\w{0,3} (?:\w{1,12} ){0,2}(?:limit|rozmiar|pojemnosc)",
    r"перепол|квот|ящик\w{0,2} (?:\w{1,14} ){0,3}(?:полон|заполнен)|недостаточно места",
    r"превыш\w{1,5} (?:\w{1,14} ){0,3}(?:размер|лимит|объем)",
    r"(?:邮箱|郵箱|信箱|空间|空間|容量)[^。]{0,8}(?:满|滿|不足|超)|配额|配額",
    r"容量[^。]{0,12}(?:超|オーハー|不足|一杯|いっはい)|メールホックス[^。]{0,10}(?:一杯|いっはい|満)|満杯",
)
LATER = (
    (
        r"(?:intent\w{1,5}|reintent\w{1,5}|tente|riprov\w{1,3}) [^.]{0,30}(?:mas tarde|mais tarde|"
        r"piu tardi)"
    ),
    r"demorad|retrasad|aplazad|ritardat|in ritardo|atrasad|adiad[ao]",
    r"tymczasow|pozniej|opoznion|chwilow",
    r"временн|позже|позднее|отложен|задерж|время ожидания|не отвечает|повторит",
    r"暂时|暫時|稍后|稍後|延迟|延遲|超时|逾時|临时|臨時|繁忙",
    r"一時的|しはらく(?:して|経って|たって)|後ほと|再送を|遅延|混雑|タイムアウト",
)
SPAM = (
    r"спам|черн\w{1,3} спис",
    r"垃圾邮件|垃圾郵件|黑名单|黑名單|迷惑メール",
    r"lista negra|correo (?:no deseado|basura)|posta indesiderata|czarn\w{1,3} list",
)
