"""What people write around an answer that says nothing, and the words by which it would.

In small letters, without accents and punctuation; [x] may be left out, (a|b) is one of them.
"""

from __future__ import annotations

POLITE = (  # says nothing, before or after it
    "(a u b|aub|alstublieft|alsjeblieft|svp|s v p|s il vous plait|s il te plait|please|pls|bitte)",
    (
        "(bedankt|dank u|dank je|dank u wel|dank je wel|dankjewel|dankuwel|alvast bedankt|"
        "hartelijk dank|hartelijk bedankt|met dank)"
    ),
    "(thanks|thank you|thx|many thanks|thank you very much|thanks a lot|ta|cheers)",
    "(merci|merci beaucoup|merci bien|merci d avance|grand merci)",
    "(danke|danke schon|danke sehr|vielen dank|herzlichen dank|besten dank|danke ihnen)",
    (
        "(gracias|grazie|obrigado|obrigada|grazie mille|muchas gracias|hoor|sorry|desole|desolee|"
        "now|nu|immediately|onmiddellijk|meteen|direct|immediatement|sofort)"
    ),
)
GREETINGS = (
    "(hallo|hello|hi|hey|hoi|dag|beste|geachte|goedendag|goedemorgen|goedemiddag|goedenavond)",
    "(dear|good morning|good afternoon|good evening|good day|to whom it may concern)",
    (
        "(bonjour|bonsoir|salut|cher|chere|chers|madame|monsieur|mesdames|messieurs|mevrouw|"
        "mijnheer|meneer)"
    ),
    (
        "(guten tag|guten morgen|guten abend|sehr geehrte|sehr geehrter|liebe|lieber|liebes|gruss"
        " gott|moin|servus)"
    ),
    "(hola|ciao|buongiorno|buenos dias|bom dia|l s)",
)
CLOSINGS = (
    (
        "(met vriendelijke groet|met vriendelijke groeten|vriendelijke groet|vriendelijke groeten"
        "|mvg|groet|groeten|groetjes|hoogachtend|met hoogachting|met beleefde groeten)"
    ),
    (
        "(kind regards|best regards|regards|warm regards|best wishes|best|sincerely|yours "
        "sincerely|yours faithfully|br|kr)"
    ),
    (
        "(cordialement|bien cordialement|bien a vous|sinceres salutations|salutations|salutations"
        " distinguees|meilleures salutations|cdlt|cdt|bav|bonne journee)"
    ),
    (
        "(mit freundlichen grussen|mit freundlichem gruss|freundliche grusse|viele grusse|beste "
        "grusse|liebe grusse|grusse|gruss|mfg|lg|vg|hochachtungsvoll)"
    ),
    "(saludos|cordiali saluti|distinti saluti|atenciosamente|cumprimentos)",
)
_TELLING = (  # no name and no address holds these: whoever writes them says something
    # nl
    " ja nee neen niet geen maar toch wel wil willen wens graag stuur sturen blijf blijven ik"
    " mij me mijn jij je jullie u uw wij ons enkel alleen behalve tenzij als indien omdat want"
    " nog altijd misschien later eerst wacht hoor kan kunt mag moet doe doen ontvangen zend ps"
    " nb hoe wat wie waarom wanneer verwijder wis gegevens inzage klacht niets iets alles deze"
    " dit dat"
    # fr
    " oui non pas plus ne mais si sauf seulement je j moi mes tu vous nous votre vos notre veux"
    " voudrais souhaite recevoir envoyez continuez gardez peut peux pouvez toutefois cependant"
    " quand meme parce que qui pourquoi comment supprimez effacez donnees plainte rien tout"
    " attendez ce ces cela"
    # de
    " nein doch nicht kein keine aber sondern ausser nur ich mir mich mein sie ihr ihre wir uns"
    " mochte moechte will wollen bitte senden schicken erhalten weiter weiterhin noch vielleicht"
    " spater wenn falls weil warum wer was wie loschen daten auskunft beschwerde nichts alles"
    " das dies diese"
    # en
    " yes no not but however except unless only i me my you your we us our want would like wish"
    " keep send receive get if because maybe perhaps later wait still do does did don can could"
    " should must please who what why how when delete erase data access complaint nothing"
    " everything this that it really way problem"
)
TELLING = frozenset(_TELLING.split())
