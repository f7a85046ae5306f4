"""The words that say who says something, by language: verbs of saying, "according to", pronouns, and nameless speakers.

Written for this project from what news texts of each language use; forms are listed, not made, so that a list can be
read and mended by whoever speaks the language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

_PARTS: Final = re.compile("[-_'\u200c.]")


class Speech(NamedTuple):
    """What one language says it with. All words are folded (``casefold``)."""

    verbs: frozenset[str]
    sources: Mapping[str, tuple[tuple[str, ...], ...]]
    """"According to" and the like, with the name behind: by the first word, the words that follow it."""
    people: frozenset[str]
    """Pronouns for one person; verbs that hold theirs ("katanya") are both."""
    bodies: frozenset[str]
    """Pronouns for an organisation."""
    fillers: frozenset[str]
    """Adverbs and auxiliaries, which may stand between a name and its verb."""
    links: frozenset[str]
    """Prepositions and the like: what they lead in belongs to the name before them."""
    nameless: frozenset[str]
    """Who speaks without being anybody in particular: spokesmen, officials, reports."""
    groups: frozenset[str]
    """Nouns for an organisation; "the company" is the one that was named last."""
    articles: frozenset[str]
    """Definite ones; "the minister" is the person who was named last."""
    no_subject: bool
    """Whether a verb alone says "he" or "she"."""


def _words(text: str) -> frozenset[str]:
    """Return the words of a list as texts are read: a hyphen or an apostrophe parts two words."""
    return frozenset(part for word in text.split() for part in _PARTS.split(word) if part)


def _sources(text: str) -> Mapping[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for phrase in text.split():
        first, *rest = phrase.replace("'", "_").split("_")
        found[first] = (*found.get(first, ()), tuple(rest))
    return MappingProxyType(found)


def _speech(
    *, verbs: str, people: str, fillers: str, links: str, nameless: str, groups: str = "", sources: str = "",
    bodies: str = "", articles: str = "", no_subject: bool = False,
) -> Speech:  # fmt: skip
    return Speech(
        verbs=_words(verbs), sources=_sources(sources), people=_words(people), bodies=_words(bodies),
        fillers=_words(fillers), links=_words(links), nameless=_words(nameless), groups=_words(groups),
        articles=_words(articles), no_subject=no_subject,
    )  # fmt: skip


_ENGLISH = _speech(
    verbs="""said says say saying told tells telling wrote writes writing added adds adding stated states stating
        asked asks asking replied replies answered explained explains explaining argued argues arguing claimed
        claims claiming warned warns warning noted notes noting announced announces announcing declared declares
        insisted insists insisting called calls calling described describes describing tweeted posted commented
        comments recalled recalls remarked observed observes suggested suggests suggesting admitted admits
        acknowledged acknowledges conceded concedes concluded concludes continued continues confirmed confirms
        denied denies joked quipped shouted shouts yelled cried whispered muttered mused muses reflected reflects
        reckoned stressed stresses emphasised emphasized reiterated repeated urged urges vowed vows pledged promised
        promises predicted predicts testified complained complains accused accuses alleged alleges quoted reads read
        thinks thought believes responded responds countered retorted hailed praised condemned criticised criticized
        slammed blasted demanded demands pointed cautioned lamented exclaimed revealed reveals disclosed maintained
        maintains proclaimed asserted asserts opined found reported reports labelled labeled dubbed branded termed
        referred cited citing quoting expressed contended summed agreed agrees shared echoed boasted begged pleaded
        sang chanted advised instructed ordered grumbled sighed snapped
        groaned growled gushed enthused remarks notes chimed interjected explained elaborated clarified proposed
        proposes feared fears hopes hoped wondered wonders wondering jokes joking laughed laughs smiled
        recounted recounts recounting relates related summarised summarized tells raved roared screamed
        deadpanned deadpans mocked mocking teased stressing emphasising emphasizing reiterating
        acknowledging conceding confirming confirms denying insisting claiming alleging pleading vowing
        confided confides confessed confesses contends counters quips recommended recommends speculated
        theorised theorized texted emailed messaged blogged penned signed captioned declaring announcing
        commenting responding replying remarking quizzed queried asserting attested attests
        opines applauded lauded decried denounced denounces chided scolded lambasted ranted reassured
        ruled rules rebuffed rejected dismissed apologised apologized thanked""",
    sources="according_to in_the_words_of",
    people="he she",
    bodies="it they",
    fillers="""also then later has have had reportedly again recently previously once often always simply just even only
        still never further will would could did does do is was were are been be who first publicly earlier already
        yesterday today tonight famously repeatedly merely now so thus therefore on monday tuesday wednesday
        thursday friday saturday sunday afterwards afterward not long ago himself herself""",
    links="""of for at in on to from with by who whose during after before as about that when while where and but
        because speaking since through over under against near outside inside among between via amid""",
    nameless="""spokesman spokeswoman spokesperson spokespeople official officials police officers source sources
        witness witnesses report study statement letter lawsuit complaint indictment filing document documents text law
        ruling prosecutors prosecutor lawyers lawyer attorneys attorney aide aides residents people experts expert
        analysts analyst critics researchers scientists authorities colleague one another others someone everyone
        some many survey poll caption message article headline sign tweet post email insurers users fans neighbour
        neighbor resident friend reader user employee employees worker workers whistleblower whistleblowers insider
        insiders staffer staffers passenger passengers customer customers protester protesters activists
        volunteer volunteers student students parents teachers doctors nurses investigators detectives
        bystander bystanders onlooker survivor survivors locals villagers diplomat diplomats negotiators
        economists lawmakers senators critic representatives representative transcript memo filings caption""",
    groups="""company ministry agency party group bank firm airline union department court bureau commission
        organisation organization government administration association council institute university team club
        regulator watchdog newspaper paper broadcaster outlet charity army military bloc centre center embassy board
        carrier automaker retailer lender committee school district office administrator panel alliance network
        platform""",
    articles="the this that",
)  # fmt: skip
_GERMAN = _speech(
    verbs="""sagte sagt sagten sagen gesagt erklärte erklärt erklärten betonte betont teilte teilten mitgeteilt
        schrieb schreibt schrieben meinte meint äußerte äußerten fügte ergänzte ergänzt warnte warnt kündigte
        forderte fordert behauptete behauptet berichtete berichtet antwortete antwortet fragte fragt kritisierte
        kritisiert nannte nennt bezeichnete bezeichnet lobte verurteilte versicherte versprach bestätigte zitierte
        zitiert argumentierte bekräftigte mahnte rief ruft unterstrich hieß heißt verkündete verriet stellte
        dementierte klagte räumte konstatierte gab""",
    sources="laut nach_angaben_von nach_angaben_des nach_angaben_der zufolge nach_worten_von nach_den_worten_von so",
    people="er sie",
    bodies="es",
    fillers="""hat habe haben hatte hatten wurde ist auch dann zudem außerdem weiter später noch nun bereits demnach
        dazu am montag dienstag mittwoch donnerstag freitag samstag sonntag dabei darauf wörtlich erneut sich zuvor""",
    links="von vom aus in im am an auf bei beim mit nach zu zum zur für über gegen während der die und aber als",
    nameless="""sprecher sprecherin regierungssprecher regierungssprecherin polizei beamte behörden zeugen experten
        bericht mitteilung erklärung stellungnahme studie quellen kreise anwalt anwälte ministeriumssprecher""",
    groups="unternehmen ministerium partei behörde verband konzern regierung gericht bank gewerkschaft",
    articles="der die das",
)  # fmt: skip
_FRENCH = _speech(
    verbs="""dit disait déclaré déclare déclarait affirmé affirme affirmait ajouté ajoute ajoutait expliqué explique
        expliquait estimé estime estimait indiqué indique indiquait souligné souligne soulignait précisé précise
        écrit écrivait annoncé annonce assuré assure lancé lance répondu répond demandé demande dénoncé dénonce
        rappelé rappelle confié confie raconté raconte poursuivi poursuit conclu conclut martelé martèle insisté
        insiste reconnu reconnaît regretté regrette prévenu prévient plaidé plaide soutenu soutient jugé juge salué
        salue qualifié qualifie évoqué évoque appelé appelle réagi réagit commenté commente tweeté résumé résume
        observé observe noté note témoigné témoigne relevé relève averti avertit""",
    sources="selon d'après pour_reprendre_les_mots_de aux_yeux_de",
    people="il elle on",
    fillers="""a ont avait est été aussi également ensuite alors encore lui leur l' s' s'est lundi mardi mercredi jeudi
        vendredi samedi dimanche notamment déjà en outre ainsi par t il elle -t-il""",
    links="de du des d' à au aux en dans sur pour par avec chez lors devant après avant qui dont et mais que sous",
    nameless="""porte-parole police responsable responsables source sources témoin témoins rapport étude communiqué
        texte avocat avocats autorités procureur parquet habitants experts""",
    groups="ministère entreprise groupe parti gouvernement agence association organisation banque syndicat tribunal",
    articles="le la l' les ce cette",
)  # fmt: skip
_SPANISH = _speech(
    verbs="""dijo dice dicho decía declaró declara afirmó afirma aseguró asegura añadió añade agregó agrega explicó
        explica señaló señala indicó indica sostuvo sostiene manifestó manifiesta expresó expresa advirtió advierte
        anunció anuncia escribió escribe respondió responde preguntó pregunta comentó comenta apuntó apunta recordó
        recuerda subrayó subraya destacó destaca insistió insiste reconoció reconoce denunció denuncia criticó
        critica calificó califica consideró considera confirmó confirma reiteró reitera precisó precisa opinó opina
        contó cuenta relató relata concluyó concluye enfatizó pidió exigió lamentó celebró llamó detalló admitió
        prometió resaltó puntualizó""",
    sources="según de_acuerdo_con en_palabras_de a_juicio_de para",
    people="él ella",
    fillers="""ha han había también luego además después entonces se le les lo así que este el lunes martes miércoles
        jueves viernes sábado domingo hoy ayer""",
    links="de del en a al con por para desde sobre durante tras ante que quien y pero como según",
    nameless="""portavoz vocero vocera policía funcionario funcionarios fuente fuentes testigo testigos informe estudio
        comunicado texto abogado abogados autoridades fiscalía""",
    groups="empresa ministerio compañía partido gobierno agencia asociación organización banco sindicato tribunal",
    articles="el la los las este esta",
    no_subject=True,
)  # fmt: skip
_PORTUGUESE = _speech(
    verbs="""disse diz dito declarou declara afirmou afirma acrescentou acrescenta explicou explica contou conta
        escreveu escreve ressaltou ressalta destacou destaca completou completa comentou comenta respondeu responde
        perguntou avaliou avalia defendeu defende alertou alerta lembrou lembra criticou critica anunciou anuncia
        garantiu garante reforçou reforça concluiu conclui informou informa relatou relata sublinhou sublinha
        referiu refere considerou considera admitiu admite frisou frisa salientou argumentou pontuou chamou
        classificou revelou prometeu""",
    sources="segundo de_acordo_com conforme na_opinião_de nas_palavras_de para",
    people="ele ela",
    fillers="""tem têm foi havia também depois ainda então se lhe já em hoje ontem nesta neste na no segunda-feira
        terça-feira quarta-feira quinta-feira sexta-feira sábado domingo""",
    links="de do da dos das em no na a ao à com por para pelo pela sobre durante após que quem e mas como",
    nameless="""porta-voz polícia funcionário fonte fontes testemunha testemunhas relatório estudo comunicado nota texto
        advogado advogados autoridades defesa""",
    groups="empresa ministério companhia partido governo agência associação organização banco sindicato tribunal",
    articles="o a os as este esta",
    no_subject=True,
)  # fmt: skip
_ITALIAN = _speech(
    verbs="""detto dice disse diceva dichiarato dichiara affermato afferma aggiunto aggiunge aggiunse spiegato spiega
        sottolineato sottolinea scritto scrive risposto risponde chiesto chiede annunciato annuncia ricordato
        ricorda commentato commenta raccontato racconta concluso conclude ribadito ribadisce osservato osserva
        precisato precisa avvertito avverte sostenuto sostiene assicurato assicura ammesso ammette definito
        definisce replicato replica rivelato prosegue evidenziato accusato attaccato""",
    sources="secondo per stando_a a_detta_di",
    people="lui lei egli ella",
    fillers="""ha hanno aveva è stato stata anche poi inoltre ancora si gli le lo quindi oggi ieri lunedì martedì
        mercoledì giovedì venerdì sabato domenica così""",
    links="""di del della dello dei degli delle a al alla in nel nella su sul con per da dal dalla che chi e ma come
        durante dopo""",
    nameless="""portavoce polizia funzionario fonte fonti testimone testimoni rapporto studio comunicato nota avvocato
        avvocati autorità procura legale""",
    groups="azienda ministero società partito governo agenzia associazione organizzazione banca sindacato tribunale",
    articles="il la lo l' i gli le questo questa",
    no_subject=True,
)  # fmt: skip
_DUTCH = _speech(
    verbs="""zei zegt zeggen zeiden gezegd verklaarde verklaart vertelde vertelt schreef schrijft voegde vindt vond
        meldde meldt stelde stelt benadrukte benadrukt waarschuwde waarschuwt antwoordde vroeg vraagt noemde noemt
        reageerde reageert liet laat aldus legde legt concludeerde bevestigde kondigde erkende riep herhaalde denkt""",
    sources="volgens aldus",
    people="hij zij ze",
    bodies="het",
    fillers="""heeft hebben had is ook dan later nog toen verder eerder al maandag dinsdag woensdag donderdag vrijdag
        zaterdag zondag""",
    links="van in op aan bij met voor tegen na uit over tijdens die dat en maar als door",
    nameless="""woordvoerder woordvoerster politie bron bronnen getuige getuigen rapport onderzoek verklaring advocaat
        autoriteiten""",
    groups="bedrijf ministerie partij regering bank vakbond rechtbank organisatie",
    articles="de het die dat",
)  # fmt: skip
_NORDIC = _speech(
    verbs="""säger sa sade sagt skriver skrev berättar uppger menar tycker förklarar förklarade svarar tillade
        tillägger sier forteller mener forklarer svarer opplyser siger sagde fortæller oplyser mente uttalar uttalte
        konstaterar betonar hävdar tror understryker kallar kaller kalder""",
    sources="enligt ifølge",
    people="han hon hun",
    bodies="det den",
    fillers="har hade havde också også sedan i ett en till til",
    links="av på i från för till med om hos fra for til og och som att at",
    nameless="talesperson talsperson pressetalsperson talsmann talskvinna polisen politiet polisens källor kilder",
    groups="företaget bolaget selskapet partiet regeringen regjeringen",
)  # fmt: skip
_POLISH = _speech(
    verbs="""powiedział powiedziała mówi mówił mówiła stwierdził stwierdziła dodał dodała podkreślił podkreśliła
        oświadczył oświadczyła napisał napisała zaznaczył zaznaczyła ocenił oceniła wyjaśnił wyjaśniła poinformował
        poinformowała zapewnił zapewniła przekazał przekazała odpowiedział odpowiedziała zapowiedział zapowiedziała
        przyznał przyznała zauważył zauważyła zapytał skomentował skomentowała ostrzegł tłumaczy tłumaczył pisze
        dodaje podkreśla twierdzi przekonuje przekonywał nazwał wskazał wskazała""",
    sources="według zdaniem jak_powiedział",
    people="on ona",
    fillers="też także również potem następnie już w we się że jak jeszcze",
    links="w we na z ze od do po przy dla o u i a ale który która podczas",
    nameless="""rzecznik rzeczniczka policja źródło źródła świadek świadkowie raport komunikat adwokat prokuratura
        prokurator""",
    groups="firma ministerstwo partia rząd bank sąd",
    no_subject=True,
)  # fmt: skip
_RUSSIAN = _speech(
    verbs="""сказал сказала сказали заявил заявила заявили заявляет отметил отметила отмечает подчеркнул подчеркнула
        добавил добавила написал написала пишет сообщил сообщила сообщили сообщает рассказал рассказала рассказывает
        объяснил объяснила пояснил пояснила уточнил уточнила утверждает утверждал говорит говорил говорила говорится
        ответил ответила спросил спросила считает считают назвал назвала призвал призвала предупредил предупредила
        признал признала пообещал обещал заверил подтвердил подтвердила прокомментировал прокомментировала указал
        указала напомнил напомнила выразил цитирует передает передаёт констатировал""",
    sources="по_словам по_мнению согласно по_данным как_считает",
    people="он она",
    fillers="также тоже затем потом ранее уже в во на что это его её ему ей еще ещё",
    links="в во на из от до по при для о об у с со к и а но который которая во_время после",
    nameless="""представитель представительница полиция источник источники очевидец очевидцы отчет отчёт доклад
        заявление пресс-служба адвокат пресс-секретарь собеседник следствие""",
    groups="компания министерство партия правительство агентство банк суд ведомство организация",
    no_subject=True,
)  # fmt: skip
_UKRAINIAN = _speech(
    verbs="""сказав сказала сказали заявив заявила заявили зазначив зазначила зазначає наголосив наголосила додав
        додала написав написала пише повідомив повідомила повідомили повідомляє розповів розповіла пояснив пояснила
        уточнив уточнила стверджує каже говорить говорив відповів відповіла запитав вважає назвав назвала закликав
        закликала попередив визнав підкреслив підкреслила запевнив підтвердив прокоментував нагадав""",
    sources="за_словами на_думку згідно_з за_даними",
    people="він вона",
    fillers="також теж потім раніше вже у в на що це його її йому їй ще",
    links="у в на з із від до по при для про і а але який яка під_час після",
    nameless="речник речниця поліція джерело джерела очевидець звіт заява пресслужба адвокат",
    groups="компанія міністерство партія уряд агентство банк суд відомство",
    no_subject=True,
)  # fmt: skip
_TURKISH = _speech(
    verbs="""dedi diyor demişti söyledi söylüyor belirtti açıkladı ifade vurguladı ekledi konuştu kaydetti bildirdi
        yazdı anlattı aktardı savundu sordu yanıtladı uyardı getirdi söyleyen diyen ifadelerini ifadesini kullandı
        sözleriyle şeklinde açıklamasında paylaşımında iddia""",
    sources="göre",
    people="o",
    fillers="da de ise ayrıca daha sonra ve şöyle şunları bu şu sözleri ifadeleri",
    links="ve ile için",
    nameless="sözcüsü yetkili yetkililer polis kaynak kaynaklar rapor görgü avukatı",
    no_subject=True,
)  # fmt: skip
_ARABIC = _speech(
    verbs="""قال قالت قالوا يقول تقول وقال وقالت فقال أضاف أضافت وأضاف وأضافت أكد أكدت وأكد وأكدت صرح صرحت وصرح أعلن
        أعلنت وأعلن وأعلنت أوضح أوضحت وأوضح وأوضحت ذكر ذكرت وذكر وذكرت أشار أشارت وأشار وأشارت كتب كتبت وكتب وكتبت
        تابع تابعت وتابع وتابعت اعتبر اعتبرت واعتبر واعتبرت شدد شددت وشدد وشددت قائلا قائلاً قائلة مضيفا مؤكدا
        معتبرا حذر وحذر رأى لفت وصف وصفت نقل نقلت ونقلت بحسب أفاد وأفاد أفادت وأفادت رد ورد طالب دعا ودعا""",
    sources="وفقا_ل وفقاً_ل بحسب حسب وبحسب",
    people="هو هي",
    fillers="قد أيضا كما إن أن له لها",
    links="في من على إلى عن مع خلال بعد قبل الذي التي و",
    nameless="متحدث المتحدث مصدر مصادر مسؤول مسؤولون شهود بيان تقرير الشرطة",
    groups="الوزارة الشركة الحكومة الحركة الحزب المنظمة",
    no_subject=True,
)  # fmt: skip
_PERSIAN = _speech(
    verbs="""گفت گفته گفتند می‌گوید میگوید افزود کرد اظهار نوشت نوشته تاکید تأکید اعلام توضیح خاطرنشان تصریح پرسید
        پاسخ هشدار خواند دانست بیان ادامه""",
    sources="به_گفته به_گفتهٔ به_نقل_از طبق بر_اساس",
    people="او وی",
    fillers="هم نیز است که را همچنین داد کرده",
    links="در از به با برای که و بر",
    nameless="سخنگوی منبع منابع مقام مقامات شاهدان گزارش پلیس بیانیه",
    groups="شرکت وزارت دولت حزب سازمان",
    no_subject=True,
)  # fmt: skip
_MALAY = _speech(
    verbs="""kata berkata katanya ujar ujarnya berujar jelas jelasnya menjelaskan tambah tambahnya menambah
        menambahkan tegas tegasnya menegaskan tutur tuturnya menurutnya imbuh imbuhnya ungkap ungkapnya
        mengungkapkan menyatakan dinyatakan memberitahu melaporkan ucap ucapnya sebut sebutnya menyebut menyebutkan
        mengatakan dikatakan papar paparnya terang terangnya bertanya tanya tanyanya menulis tulis tulisnya mendakwa
        memaklumkan mengumumkan mengakui akui akuinya menyifatkan mengulas ulasnya soalnya dedah dedahnya
        mendedahkan lanjut lanjutnya pungkas pungkasnya simpul mengingatkan memperingatkan berharap melahirkan
        menekankan dipetik menyeru menuduh memuji""",
    sources="menurut mengikut dipetik_daripada",
    people="""beliau dia ia katanya ujarnya jelasnya tambahnya tegasnya tuturnya menurutnya imbuhnya ungkapnya ucapnya
        sebutnya paparnya terangnya tanyanya tulisnya akuinya ulasnya dedahnya lanjutnya pungkasnya""",
    fillers="""juga turut telah sudah akan kemudian lalu lagi pula pada hari semalam kelmarin tadi isnin selasa rabu
        khamis jumaat sabtu ahad senin kamis jumat minggu dan mereka kepada lanjut""",
    links="""di pada dalam daripada dari kepada untuk dengan yang ketika semasa selepas setelah sebelum bagi oleh dan
        tetapi sebagai menerusi melalui saat usai""",
    nameless="""jurucakap polis polisi pegawai sumber saksi laporan kenyataan kajian peguam pihak juru pengacara pejabat
        seorang salah sesetengah warga warganet netizen penduduk""",
    groups="syarikat kementerian parti kerajaan bank mahkamah pertubuhan agensi perusahaan partai pemerintah",
)  # fmt: skip

MODIFYING: Final = _words(
    "of for at from by with de du des del di della do da dos das van von vom av från daripada dari"
)
"""What joins a name to the one before it: "Jones of the Bank"."""
DOCUMENTS: Final = _words(
    """
statement report study letter post tweet release communique communiqué filing memo email message survey letters
bericht mitteilung erklärung stellungnahme studie rapport étude texte comunicado informe estudio nota relatório
comunicato rapporto studio verklaring onderzoek kenyataan laporan kajian pernyataan заявление отчёт отчет доклад
заява звіт raport komunikat uttalande بيان تقرير
"""
)
"""Whose words are those of whom they are by: "a statement from Acme"."""
CONTRASTING: Final = _words(
    "while whereas although though während tandis mientras enquanto mentre terwijl medan sementara manakala"
)
"""What a clause about somebody else begins with."""
JOINING: Final = _words("and but or then und aber et mais y pero e mas ma en maar och men dan tetapi и но")
PARTICLES: Final = _words("de da del di la le van von der den bin bint al el ter dos du ibn abu")
"""Small words within names."""
HONORIFICS: Final = _words(
    """mr mrs ms miss dr sir lady lord madam mdm monsieur mme m herr frau señor señora sr sra don doña signor signora
    encik cik puan tuan datuk dato seri tan haji bapak ibu pak bu president minister"""
)
"""Before a name, and no part of it."""
ABBREVIATIONS: Final = _words(
    """mr mrs ms dr prof sen rep gov gen col lt sgt capt st jr sr rev hon pres supt insp no vs inc corp co ltd approx
    jan feb mar apr aug sept sep oct nov dec mon tue wed thu fri sat sun m mme mm sra dra hr fr bzw ca etc"""
)
"""Whose full stop ends no sentence."""

_OF_LANGUAGE: Final[Mapping[str, Speech]] = MappingProxyType(
    {
        "en": _ENGLISH, "de": _GERMAN, "fr": _FRENCH, "es": _SPANISH, "pt": _PORTUGUESE, "it": _ITALIAN, "nl": _DUTCH,
        "sv": _NORDIC, "da": _NORDIC, "no": _NORDIC, "nb": _NORDIC, "nn": _NORDIC, "pl": _POLISH, "ru": _RUSSIAN,
        "uk": _UKRAINIAN, "tr": _TURKISH, "ar": _ARABIC, "fa": _PERSIAN, "ms": _MALAY, "id": _MALAY,
    }
)  # fmt: skip


def speech_of(language: str) -> Speech:
    """Return the words of a language; those of English for one that there are none of."""
    return _OF_LANGUAGE.get(language, _ENGLISH)


class DenseSpeech(NamedTuple):
    """The same of a language that is written without spaces, or with endings on everything: found within the text."""

    verbs: re.Pattern[str]
    sources: re.Pattern[str]
    people: re.Pattern[str]
    """Pronouns right before the verb, at the end of what stands there."""
    nameless: re.Pattern[str]
    """A nameless speaker at the end of what stands before the verb."""


def _dense(*, verbs: str, sources: str, people: str, nameless: str) -> DenseSpeech:
    def alternatives(words: str) -> str:
        return "|".join(sorted(words.split(), key=len, reverse=True))

    return DenseSpeech(
        re.compile(alternatives(verbs)),
        re.compile(alternatives(sources) or r"(?!)"),
        re.compile(rf"(?:{alternatives(people)})[^，。、；：,;]{{0,12}}$"),
        re.compile(rf"(?:{alternatives(nameless)})[^，。；：,;]{{0,12}}$"),
    )


_CHINESE = _dense(
    verbs="""说 說 表示 指出 称 稱 透露 强调 強調 认为 認為 补充 補充 写道 寫道 告诉 告訴 回应 回應 呼吁 呼籲 警告
        宣布 解释 解釋 坦言 直言 问 問 答道 承认 承認 批评 批評 形容 重申 提到 谈到 喊 引述 所说 留言 发文 發文 道""",
    sources="据 根据 根據 按照 引述",
    people="他 她 该公司 该名男子 后者",
    nameless="""发言人 發言人 警方 官员 官員 人士 声明 聲明 报告 報告 目击者 目擊者 一名[^，。]{0,10} 有人
        网友 網友 居民 当局 媒体 消息 律师 律師""",
)  # fmt: skip
_JAPANESE = _dense(
    verbs="""述べ 語っ 語り 話し 話す 言っ 言う 強調し 指摘し 説明し 発表し 主張し コメントし 答え 書い 訴え 批判し
        明らかにし 投稿し と呼びかけ 振り返っ 警告し 表明し 示し""",
    sources="によると によれば",
    people="彼は 彼女は 同氏は 同氏 氏は",
    nameless="報道官 関係者 当局者 警察 広報担当 目撃者",
)  # fmt: skip
_KOREAN = _dense(
    verbs="말했 밝혔 전했 강조했 지적했 설명했 덧붙였 주장했 썼다 답했 호소했 비판했 경고했 언급했 라고 며",
    sources="따르면",
    people="그는 그녀는 그가",
    nameless="관계자 대변인 경찰 소식통 목격자",
)  # fmt: skip
_DENSE: Final[Mapping[str, DenseSpeech]] = MappingProxyType({"zh": _CHINESE, "ja": _JAPANESE, "ko": _KOREAN})


def dense_speech_of(language: str) -> DenseSpeech | None:
    """Return the words of a language that is read without looking for words; None for all others."""
    return _DENSE.get(language)
