"""Lines that stand in a text but are not of it: advertising, pointers to other articles, forms to subscribe, notices.

Each rule is for a whole paragraph on one line, and short: the same words within a sentence stay. The words are those
of real pages of 16 + 150 sites, and their counterparts in the languages of ``config/feeds.opml``.
"""

from __future__ import annotations

import re
from typing import Final

MAX_LONE_CHARACTERS: Final = 100
"""Of a line that is known word for word, or a divider."""
MAX_POINTER_CHARACTERS: Final = 200
"""Of "Read more: …" and the like: a headline with a word or two before it."""
MAX_NOTICE_CHARACTERS: Final = 300
"""Of a form's or a banner's sentence."""

# Whole lines, as `_key` makes them. "Advertisment" is how the sites that misspell it do.
_LINES = """
advertisement | advertisment | advertisements | advertising | advert | sponsored | sponsored content | promoted content
paid content | read also | also read | read more | see also | read next | continue reading | story continues below
story continues below advertisement | article continues below | article continues after advertisement
article continues below advertisement | article continues after this advertisement | skip ad | scroll to continue
article continues after ad | skip advertisement | related articles | related stories | recommended stories | related
related topics | more on this story | you may also like | you might also like | recommended | recommended for you
most read | most popular | top stories | trending | trending now | don't miss | keep reading | explore further
sign up for our newsletter | sign up to our newsletter | subscribe to our newsletter | sign up here | share this article
comments | leave a comment | share this | share | share this story | follow us | thanks for signing up
thank you for signing up | there was an error processing your subscription | this video is no longer available
click to tweet | loading | loading comments | print this article | email this article | listen to this article
join our commenting forum | view comments | show comments | swipe left below to view more authors
anzeige | werbung | advertorial | lesen sie auch | lesen sie mehr | mehr lesen | mehr zum thema | lesen sie hier mehr
weiterlesen | newsletter abonnieren | abonnieren sie unseren newsletter | jetzt newsletter abonnieren | kommentare
das könnte sie auch interessieren | auch interessant | empfohlener externer inhalt | artikel teilen | meistgelesen
publicité | publicite | annonce | lire aussi | à lire aussi | a lire aussi | lire la suite | en savoir plus
inscrivez-vous à notre newsletter | abonnez-vous à notre newsletter | contenu sponsorisé | voir aussi | à voir aussi
sur le même sujet | les plus lus | commentaires | partager | réagir | la suite après la publicité
la suite après cette publicité | newsletter
publicidad | anuncio | lee también | lea también | lee tambien | lea tambien | leer más | leer mas | te puede interesar
suscríbete a nuestro boletín | suscríbase a nuestro boletín | suscríbete a nuestra newsletter | contenido patrocinado
lo más leído | lo más visto | más noticias | comentarios | compartir | noticias relacionadas | mira también
te recomendamos
publicidade | anúncio | leia também | leia mais | veja também | continua após a publicidade | saiba mais | mais lidas
conteúdo patrocinado | compartilhe | compartilhar | relacionadas | notícias relacionadas | veja mais | assista também
pubblicità | annuncio | leggi anche | leggi altro | leggi di più | guarda anche | contenuto sponsorizzato | più letti
iscriviti alla newsletter | iscriviti alla nostra newsletter | condividi | commenti | riproduzione riservata
© riproduzione riservata | articoli correlati
advertentie | lees ook | lees meer | lees verder | meer over dit onderwerp | deel dit artikel | gesponsord
schrijf je in voor onze nieuwsbrief
reklama | czytaj też | czytaj także | czytaj więcej | zobacz też | zobacz także | przeczytaj także | polecamy
dalsza część artykułu pod materiałem wideo | dalsza część tekstu pod wideo | artykuł sponsorowany | komentarze
annons | läs också | läs även | läs mer | relaterade artiklar | mest läst | dela artikeln
إعلان | اعلان | إعلانات | اقرأ أيضا | اقرأ أيضاً | اقرأ المزيد | إقرأ أيضا | إقرأ أيضاً | اشترك في نشرتنا الإخبارية
اشترك في النشرة البريدية | مواضيع ذات صلة | شاهد أيضا | شاهد أيضاً | أخبار ذات صلة | قصص مقترحة | الأكثر قراءة
تبلیغات | آگهی | بیشتر بخوانید | مطالب مرتبط | اخبار مرتبط | همچنین بخوانید | پربازدیدترین
реклама | на правах рекламы | читайте также | читать далее | читать также | подробнее | подпишитесь на нашу рассылку
подписывайтесь на нашу рассылку | материалы по теме | смотрите также | по теме | самое читаемое | поделиться
читайте також | дивіться також | читати далі | за темою | матеріали за темою | поділитися
reklam | reklamlar | ilan | ayrıca okuyun | devamını oku | ilgili haberler | haberin devamı | bültenimize abone olun
bültenimize kaydolun | bunlar da ilginizi çekebilir | çok okunanlar | en çok okunanlar
広告 | 関連記事 | あわせて読みたい | 続きを読む | おすすめ記事 | 関連リンク | 関連ニュース | この記事をシェア
广告 | 廣告 | 相关阅读 | 相關閱讀 | 延伸阅读 | 延伸閱讀 | 相关新闻 | 相關新聞 | 相關報導 | 更多新闻
推荐阅读 | 點擊閱讀更多
"""

# "Label: headline", where a label alone would be one of the lines above.
_POINTER = re.compile(
    r"[\W_]*(?:(?:read|see|watch|listen|hear)(?: also| more| next)|also (?:read|see|watch|on)|related"
    r"(?: (?:story|stories|article|articles|post|posts|video|videos|coverage|reading|news))?|more(?: on this| here)?"
    r"|see also|don't miss|recommended|also"
    r"|lesen sie (?:auch|mehr|hier)(?: (?:mehr|auch))?|mehr (?:zum thema|dazu)|siehe auch|lesetipp"
    r"|(?:à )?(?:lire|voir|écouter) (?:aussi|également)|relire|notre dossier|lire notre (?:article|analyse|dossier)"
    r"|(?:lea|lee|ver|vea|mira|mire) (?:también|más)|te puede interesar|más información|en contexto"
    r"|(?:leia|veja|assista) (?:também|mais)|saiba mais|entenda"
    r"|(?:leggi|guarda|ascolta) anche|per approfondire|approfondimento|lees ook|lees meer|zie ook"
    r"|(?:czytaj|zobacz|przeczytaj) (?:też|także|również|więcej)|läs (?:också|även|mer)"
    r"|(?:читайте|смотрите) также|(?:читайте|дивіться) (?:також|теж)|по теме|за темою|ayrıca oku(?:yun)?|ilgili haber"
    r"|[اإ]قرأ (?:أيض[اً]+|المزيد)|شاهد أيض[اً]+|لل?مزيد|طالع أيض[اً]+|بیشتر بخوانید|همچنین بخوانید|مرتبط"
    r"|関連記事|関連|あわせて読みたい|相关阅读|相關閱讀|延伸阅读|延伸閱讀|相关新闻|相關新聞)"
    r"\s*[:：|>»›➡→]+ ?\S",
    re.IGNORECASE,
)
_MAILED = re.compile(
    r"newsletters?|inbox|mailing list|e-?mail alerts?|push alerts?|breaking news alerts?|(?:whatsapp|telegram|youtube)"
    r"(?:-| )?(?:channel|kanal|canal|canale|kanał)|our app\b|the app\b|podcast|boletín|boletines|boletim|infolettre"
    r"|nieuwsbrief|nyhetsbrev|biuletyn|bülten|рассылк|розсилк|telegram|телеграм|viber|вайбер|نشرت|النشرة|تلغرام|خبرنامه"
    r"|メールマガジン|ニュースレター|メルマガ|公众号|公眾號|電子報",
    re.IGNORECASE,
)
_ASKED = re.compile(
    r"[\W_]*(?:(?:(?:click here to )?(?:sign(?:ing)? up|subscribe|get (?:the|our|all|access|more|breaking)|register"
    r"|join (?:our|us|the)|receive|enter your e-?mail|download (?:the|our)|want (?:more|to)|keep an eye on your"
    r"|stay (?:up|informed|on top))|(?:jetzt )?abonnieren|melden sie sich|erhalten sie|inscrivez|inscris|abonnez"
    r"|recevez|téléchargez|suscríb[ae]te|suscríbase|suscribirse|apúntate|recib[ea]|únete|síguenos|inscreva-se|assine"
    r"|receba|cadastre-se|participe|siga (?:o|a|nosso|nossa)|iscriviti|ricevi|seguici|schrijf je|meld je|abonneer"
    r"|ontvang|zapisz się|subskrybuj|otrzymuj|dołącz|prenumerera|anmäl dig|få|подпишись|подпишитесь|подписывайтесь"
    r"|подписывайся|получайте|читайте нас|следите за|підпишись|підпишіться|підписуйтесь|підписуйтеся|отримуйте"
    r"|abone ol(?:un)?|kaydolun|takip edin|اشترك|اشتركوا|تابعوا|تابعونا|انضم|انضموا|عضو شوید)\b"
    r"|订阅|訂閱|登録|关注|關注)",
    re.IGNORECASE,
)
_FOLLOW = re.compile(
    r"[\W_]*(?:(?:you can )?follow (?:us|\S+(?: \S+){0,4}) on|like us on|find us on|connect with us"
    r"|folgen sie (?:uns|\S+) auf"
    r"|suivez(?:-nous)?|síguenos|siga-nos|seguici su|volg ons|följ oss|подписывайтесь на нас|bizi takip|تابعونا على)\b",
    re.IGNORECASE,
)
_NETWORK = re.compile(
    r"facebook|twitter|instagram|whatsapp|telegram|tiktok|youtube|linkedin|threads|google news|фейсбук|вконтакте"
    r"|فيسبوك|تويتر|\bx\b",
    re.IGNORECASE,
)
_COOKIES = re.compile(
    r"[\W_]*(?:we (?:and our \S+ )?use|this (?:site|website) uses|by (?:continuing|using)|our site uses|your choices"
    r"|diese (?:web)?(?:site|seite) (?:ver)?|wir (?:ver)?(?:wenden|nutzen)|nous utilisons|ce site utilise"
    r"|en poursuivant"
    r"|utilizamos|usamos|este sit(?:io|e)|al continuar|ao continuar|utilizziamo|usiamo|questo sito|wij gebruiken"
    r"|we gebruiken|deze (?:web)?site|używamy|ta strona|vi använder|мы используем|этот сайт|ми використовуємо|цей сайт"
    r"|bu (?:web )?site|sitemizde|نستخدم|يستخدم هذا|本网站|本網站|当サイト)",
    re.IGNORECASE,
)
_COOKIE = re.compile(r"\bcookies?\b|кук[иі]|çerez|ملفات (?:تعريف )?الارتباط|كوكيز|クッキー", re.IGNORECASE)
_RIGHTS = re.compile(
    r"[\W_]*(?:(?:copyright|\(c\))\W*(?:\d{4}|by |the |all |[©ⓒ])|copyright\b[^.]{0,80}\d{4}|©|ⓒ"
    r"|all rights reserved|alle rechte vorbehalten"
    r"|tous droits (?:de reproduction )?réservés|todos los derechos reservados|todos os direitos reservados"
    r"|tutti i diritti riservati|alle rechten voorbehouden|wszelkie prawa zastrzeżone|все права защищены"
    r"|всі права захищен[оі]|tüm hakları saklıdır|جميع الحقوق محفوظة|کلیه حقوق|版权所有|版權所有|無断転載|禁無断転載"
    r"|무단\s?전재)",
    re.IGNORECASE,
)
# How long it takes to read, where it was filed, when it was put up; whom to write to; a shout to click.
_ABOUT = re.compile(
    r"[\W_]*(?:\d{1,3}[ -]min(?:ute)?s?(?: read)?|(?:reading time|tempo de leitura|tempo di lettura|temps de lecture"
    r"|tiempo de lectura|lesezeit|leestijd|lästid|okuma süresi|время чтения|czas czytania)\b.{0,30}"
    r"|(?:filed under|posted in|tags?|tagged|schlagworte|étiquettes|etiquetas|etiket(?:ler)?|теги)\s?:.{0,150}"
    r"|(?:first )?(?:published|updated|last updated|posted)(?: (?:on|at))?:? (?=.{0,40}\d).{1,40}"
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+|(?:https?://|www\.|twitter\.com/)\S{1,200}"
    r"|like this (?:story|article)\? share it.{0,40})[\W_]*",
    re.IGNORECASE,
)
_CLICK = re.compile(r"\bCLICK(?:ING)? HERE\b")


def _key(line: str) -> str:
    """Return a line as it is compared: case folded (with one i for the Turkish four) and without marks around it."""
    folded = line.casefold().replace("i\u0307", "i").replace("ı", "i").replace("’", "'")
    return " ".join(folded.strip(' \t:：.…-–—*•[](){}<>«»“”"!?|↓▼▶►→_=#').split())


NOISE: Final = frozenset(_key(line) for lines in _LINES.splitlines() for line in lines.split("|")) - {""}


def is_noise(text: str) -> bool:
    """Whether a paragraph is one of the known lines or a mere divider; never true of a line within a paragraph."""
    if len(text) > MAX_NOTICE_CHARACTERS or "\n" in text:
        return False
    if len(text) <= MAX_LONE_CHARACTERS and (_key(text) in NOISE or not any(map(str.isalnum, text))):
        return True
    text = text.replace("’", "'")
    if len(text) <= MAX_POINTER_CHARACTERS:
        # A headline has no full stop; "Also: the mayor said no." is a sentence of the article.
        if _ABOUT.fullmatch(text) or (text.isupper() and _CLICK.search(text)):
            return True
        if _RIGHTS.match(text) or (text[-1] not in ".。" and _POINTER.match(text)):
            return True
    pairs = ((_ASKED, _MAILED), (_FOLLOW, _NETWORK), (_COOKIES, _COOKIE))
    return any(start.match(text) and word.search(text) for start, word in pairs)
