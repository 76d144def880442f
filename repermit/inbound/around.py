"""What programs, devices and firms put around the words of a reply, in each language.

They are matched with lines in small letters whose apostrophes are straight.
"""

from __future__ import annotations

OPENERS = "on|op|le|am|el|il|em|den|vom"  # of "Op … schreef …:"
WROTE = r"wrote|schreef|geschreven|a écrit|écrivait|schrieb|escribió|ha scritto|escreveu"
FORWARDED = (
    r"original message|oorspronkelijk bericht|origineel bericht|originele bericht"
    r"|message d'origine|message original|message initial|urspr(?:ü|ue)ngliche (?:nachricht|mail)"
    r"|originalnachricht|mensaje original|messaggio originale|mensagem original"
    r"|(?:begin )?forwarded message|(?:begin )?doorgestuurd bericht|message transf[ée]r[ée]"
    r"|d[ée]but du message (?:transf|réexpédi|r[ée]exp)\S{1,20}|weitergeleitete nachricht"
    r"|anfang der weitergeleiteten nachricht"
)
HEADER_LABELS = (
    "from|sent|date|to|cc|subject|reply-to"
    "|van|verzonden|datum|aan|onderwerp|beantwoorden"
    "|de|envoy[ée](?: le)?|[àa]|objet|exp[ée]diteur|destinataire|répondre à"
    "|von|gesendet|an|betreff|absender|empf[äa]nger|antwort an"
    "|da|inviato|data|oggetto|enviado(?: el| em)?|para|asunto|assunto|fecha"
)
DEVICES = (  # how the line begins that a device adds
    r"sent (?:from|with|via|using) |get outlook for|get bluemail"
    r"|verzonden (?:met|vanaf|vanaf|vanuit|via|van) |verstuurd (?:vanaf|met|via|vanuit) "
    r"|outlook voor (?:android|ios|mac)|download outlook|haal outlook"
    r"|envoy[ée] (?:de|depuis|à partir de|à partir d'|avec|via|par) ?|t[ée]l[ée]charge[zr] outlook"
    r"|obtenez outlook|outlook pour (?:android|ios|mac)"
    r"|gesendet (?:von|mit|über|via) |von mein(?:em|er) .{1,40} gesendet|holen sie sich outlook"
    r"|outlook für (?:android|ios|mac)|diese nachricht wurde von meinem"
    r"|enviado (?:desde|do|de) |inviato (?:da|con) |obtener outlook|ottieni outlook|obter o outlook"
    r"|virus-free|virusvrij|garanti sans virus|virenfrei|libre de virus"
)
DISCLAIMERS = (  # how the line begins from which on it is one
    r"(?:e-?mail )?disclaimer|confidentiality|confidentialit[ée]|vertraulichkeit|vertrouwelijk\b"
    r"|avis de confidentialit"
    r"|this (?:e-?mail|message|communication|electronic).{0,80}"
    r"(?:confidential|intended|privileged|attach|may contain|contains)"
    r"|the (?:information|contents?) (?:contained )?(?:in|of) this (?:e-?mail|message)"
    r"|if you (?:are not|have received) th"
    r"|dit (?:e-?mail|bericht).{0,80}(?:vertrouwelijk|bestemd|bijlage)"
    r"|de (?:informatie|inhoud).{0,40}(?:e-?mail|bericht)"
    r"|deze e-?mail.{0,80}(?:vertrouwelijk|bestemd|bijlage)"
    r"|ce (?:message|courriel|mail|courrier|e-mail).{0,80}"
    r"(?:confidentiel|destin|pi[èe]ces jointes|peut contenir|contient)"
    r"|cet (?:e-?mail|email).{0,80}(?:confidentiel|destin|pi[èe]ces jointes)"
    r"|les informations contenues dans"
    r"|diese (?:e-?mail|nachricht|mail).{0,80}(?:vertraulich|bestimmt|enth[äa]lt|anh[äa]ng)"
    r"|der inhalt dieser (?:e-?mail|nachricht)"
    r"|please consider the environment|denk aan het milieu|pensez [àa] l'environnement"
    r"|bitte denken sie an die umwelt|bitte pr(?:ü|ue)fen sie"
)
OUR_SENTENCES = (  # how our own mails begin, of which some programs mark nothing as quoted
    r"dag, wilt u .{1,200} van .{1,200} ontvangen \(.{1,80}\)\?"
    r"|dag, welke van deze mails van .{1,200} wilt u ontvangen\?"
    r"|bonjour, souhaitez-vous recevoir .{1,200} de la part de .{1,200} \(.{1,80}\) ?\?"
    r"|bonjour, lesquels de ces e-mails souhaitez-vous recevoir de la part de"
    r"|guten tag, möchten sie .{1,200} von .{1,200} erhalten \(.{1,80}\)\?"
    r"|guten tag, welche dieser e-mails möchten sie von .{1,200} erhalten\?"
    r"|hello, would you like to receive .{1,200} from .{1,200} \(.{1,80}\)\?"
    r"|hello, which of these mails would you like to receive from"
    r"|(?:nederlands|français|deutsch|english)(?: · (?:nederlands|français|deutsch|english))+(?: "
    r"|$)"
    r"|genoteerd: u krijgt |c'est noté : vous ne recevrez pas |notiert: sie erhalten "
    r"|noted: you will not get "
    r"|u vroeg ons alles te sturen wat we|vous nous avez demandé tout ce que nous"
    r"|sie haben uns gebeten, ihnen alles|you asked us for everything we hold"
)
