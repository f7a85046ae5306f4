"""Words that tell names apart from other capitals, in the languages of the shipped feeds: ordinary vocabulary, no data.

All are lower case. A word that only sometimes says something stands in no list.
"""

from __future__ import annotations

from typing import Final


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_FUNCTION_OF: Final = {
    "english": _words(
        """
a an the this that these those there here he she it they we you i his her its their our your my who whom whose which
what when where why how and or but nor so yet if then than as at by for from in into of off on onto out over to up
upon with within without about above across after again against all almost along already also although always among
another any anyone anything are around away back be became because been before behind being below beneath beside
besides between beyond both can could did do does doing done down during each either else ever every everyone
everything few fewer first formerly further had has have having hence however indeed instead is just last later least
less let like likely many may maybe me meanwhile might more moreover most much must near nearly neither never
nevertheless next no nobody none nonetheless not nothing now often once one only other others otherwise perhaps quite
rather really same second several shall should since some somebody someone something sometimes soon still such sure
thank thanks them therefore third though through throughout thus till today together tomorrow tonight too toward
towards two three four five six seven eight nine ten under unless unlike until us very was well were whatever whether
while will would yes yesterday according additionally amid despite following given including new old
 read see speaking asked please hello dear good great getting going making using based earlier
recently currently finally previously ultimately eventually overall initially similarly separately notably
specifically unfortunately fortunately clearly obviously actually apparently reportedly allegedly certainly didn
isn wasn doesn wouldn couldn won ain aren haven hasn weren shouldn i'm it's that's he's she's there's we're writing
editing reporting says
"""
    ),
    "malay": _words(
        """
dan atau tetapi tapi namun jika kalau apabila ketika semasa selepas sebelum selain sementara manakala menurut kata
katanya beliau ia dia mereka kami kita saya aku ini itu para yang di ke dari daripada kepada pada untuk dengan dalam
oleh bagi sebagai seorang seorangnya satu dua tiga semua setiap beberapa banyak tidak bukan belum sudah telah akan
sedang masih juga pula lagi turut hanya walaupun meskipun sehingga hingga sejak serta seperti kerana sebab agar supaya
bagaimanapun justeru malah bahkan terdahulu sebelumnya kemudian tambahnya ujarnya tambah jelas jelasnya berdasarkan
berikut antara terhadap tentang mengenai siang malam pagi semalam kelmarin esok hari adalah ialah boleh dapat bisa
harus perlu apa siapa mengapa bagaimana berita laporan pihak polis polisi difahamkan dilaporkan
luar ehwal kewangan keuangan perdagangan perindustrian pendidikan kesihatan kesehatan pertahanan pengangkutan tenaga
manusia pembangunan penerangan komunikasi belia sukan kebudayaan kehakiman penyelaras koordinator bidang ekonomi
perekonomian pertanian perusahaan bertanggungjawab perhubungan pariwisata pelancongan alam sekitar
"""
    ),
    "romance": _words(
        """
le la les un une des du de d l et ou mais donc ni car ce cet cette ces il elle ils elles nous vous je tu son sa ses
leur leurs notre nos qui que quoi dont où quand comment pourquoi si comme dans sur sous avec sans pour par chez vers
entre depuis pendant après avant selon malgré afin ainsi alors aussi cependant toutefois enfin puis déjà encore en au
aux à y ne pas plus moins très tout tous toute toutes est sont était ont avait c s n j m t qu el los las lo una unos
unas o pero sino con sin por según desde hasta sobre tras durante ante bajo cuando donde como porque aunque mientras
también además este esta estos estas ese esa eso aquel aquella su sus se te yo ella ellos ellas es fue era ha han
había del al sí ya más muy todo todos hay um uma os e mas com sem da dos das na nas ao aos pelo pela não sim também já
ele ela eles elas isso gli uno ed ma però senza per tra fra dal dalla nel nella sul sulla alla allo ai che chi non più
anche questo questa quello quella sono è hanno suo sua loro dopo prima secondo mentre quando dove come perché on a no
me i do as
"""
    ),
    "germanic": _words(
        """
der die den dem ein eine einen einem einer eines und oder aber denn doch sondern wenn weil dass ob als wie wo wer wann
warum ich er sie wir ihr man mein dein sein ihre unser euer dieser diese dieses diesem diesen jener jede jeder jedes
alle viele einige mehr mehrere nur noch schon auch sehr nicht kein keine im am zum zur vom beim ins ans mit nach bei
von zu aus auf für gegen ohne durch über unter vor hinter neben zwischen seit während wegen trotz laut ist sind war
waren hat haben hatte wird werden wurde kann können soll muss dabei damit daher dann dort hier heute gestern morgen
jetzt etwa bereits bisher zudem außerdem allerdings jedoch het een maar want dus niet ook nog wel geen van op aan bij
met voor door naar uit tot om hij zij wij jij dit dat deze zijn heeft hebben wordt werd kan zal moet volgens sinds
tijdens och eller men att som för av på med från är var har det ett vid efter in an so was de en is ze te al
"""
    ),
    "turkish": _words(
        """
ve veya ama ancak fakat bu şu bir ile için gibi daha çok ki mi biz siz onlar ben sen olarak göre oraz ale lub nie w z
od za po przez dla się jest są był była ta de da en o ne
"""
    ),
    "slavic": _words(
        """
и в во на с со к ко по за из от до о об у не но а или что как это этот эта эти он она они мы вы я его её их при для
после если когда где кто также ранее однако так уже еще ещё все та те то был была были есть нет і й з із зі від про що
як це цей ця ці він вона вони ми ви його її їх після якщо коли де i o a w na z to
"""
    ),
    "greek": _words(
        """
ο η το οι τα του της των τον την στο στη στην στον και ή αλλά με για από σε που πως ότι δεν θα να είναι
"""
    ),
}
_FAMILY_OF: Final = {
    **dict.fromkeys(("ms", "id", "jv", "su"), "malay"),
    **dict.fromkeys(("fr", "es", "pt", "it", "ca", "gl", "ro", "oc", "eu"), "romance"),
    **dict.fromkeys(("de", "nl", "sv", "no", "nb", "nn", "da", "af", "lb"), "germanic"),
    **dict.fromkeys(("tr", "az"), "turkish"),
    **dict.fromkeys(("ru", "uk", "be", "bg", "pl", "sr", "mk", "cs", "sk", "hr", "sl"), "slavic"),
    "el": "greek",
    "en": "english",
}
_ANY: Final = frozenset().union(*_FUNCTION_OF.values())


def function_words(language: str) -> frozenset[str]:
    """Return words of ``language`` (ISO 639-1) that begin sentences and are no names; of all, when it is unknown."""
    if language in {"", "und"}:
        return _ANY
    return _FUNCTION_OF[_FAMILY_OF.get(language, "english")] | _FUNCTION_OF["english"]


CALENDAR: Final = _words(
    """
monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun january february
march april june july august september october november december jan feb mar apr jun jul aug sep sept oct nov dec am
pm gmt est edt pst bst cet utc sgt a.m p.m a.m. p.m. isnin selasa rabu khamis jumaat sabtu ahad senin kamis jumat
minggu januari februari mac mei julai ogos okt disember juni juli agustus oktober desember ogo dis lundi mardi
mercredi jeudi vendredi samedi dimanche janvier février mars avril mai juin juillet août septembre octobre novembre
décembre lunes martes miércoles jueves viernes sábado domingo montag dienstag mittwoch donnerstag freitag samstag
sonntag januar februar märz dezember easter christmas ramadan thanksgiving halloween covid covid-19 internet olympics
olympic paralympic brexit christian christians muslim muslims islam islamic jewish jews jew catholic catholics
christianity hindu hindus buddhist lgbtq republican republicans democrat democrats democratic conservative
conservatives liberal liberals labour nazi nazis god bible quran qur'an western eastern northern southern
westerners
left right centre-left centre-right
"""
)
"""Days, months, feasts, creeds and adherents: capitals that are none of the three kinds."""

ADJECTIVES: Final = _words(
    """
afghan afghans african africans albanian albanians algerian algerians american americans angolan arab arabs arabic
argentine argentinian argentines armenian armenians asian asians australian australians austrian austrians azerbaijani
bahraini balkan bangladeshi belarusian belarusians belgian belgians bolivian bosnian bosnians brazilian brazilians
british briton britons brits bruneian bulgarian bulgarians burmese cambodian cambodians cameroonian canadian canadians
caribbean catalan chilean chileans chinese colombian colombians congolese croatian croatians cuban cubans cypriot
czech czechs danish danes dane dutch ecuadorian egyptian egyptians emirati emiratis english englishman eritrean
estonian estonians ethiopian ethiopians european europeans filipino filipinos filipina finnish finn finns french
frenchman gazan gazans georgian georgians german germans ghanaian ghanaians greek greeks guatemalan haitian haitians
hispanic honduran hungarian hungarians icelandic indian indians indonesian indonesians iranian iranians iraqi iraqis
irish irishman israeli israelis italian italians jamaican japanese jordanian jordanians kazakh kenyan kenyans korean
koreans kosovar kurdish kurd kurds kuwaiti kuwaitis kyrgyz laotian latin latino latinos latvian latvians lebanese
liberian libyan libyans lithuanian lithuanians macedonian malay malays malaysian malaysians maldivian malian maltese
mexican mexicans moldovan mongolian montenegrin moroccan moroccans mozambican namibian nepali nepalese nicaraguan
nigerian nigerians nordic norwegian norwegians omani pakistani pakistanis palestinian palestinians panamanian
paraguayan persian peruvian peruvians polish pole poles portuguese puerto-rican qatari qataris romanian romanians
russian russians rwandan rwandans saudi saudis scandinavian scot scots scottish senegalese serb serbs serbian serbians
sierra-leonean singaporean singaporeans slovak slovaks slovenian slovene somali somalis south-african spanish spaniard
spaniards sri-lankan sudanese swede swedes swedish swiss syrian syrians taiwanese tajik tanzanian thai thais tibetan
tibetans tunisian tunisians turk turks turkish turkmen ugandan ugandans ukrainian ukrainians uruguayan uyghur uyghurs
uzbek venezuelan venezuelans vietnamese welsh yemeni yemenis zambian zimbabwean zimbabweans slavic soviet californian
texan texans floridian londoner londoners parisian yorkers hawaiian indigenous aboriginal black blacks white
whites amerika-syarikat
scotsman scotswoman welshman dutchman brit
hebrew mandarin cantonese hindi tamil urdu farsi swahili yiddish tagalog bahasa bengali punjabi melayu inggeris
"""
)
"""Adjectives and inhabitants: capitals in English that are no places."""

TITLES: Final = _words(
    """
mr mrs ms miss mx dr prof sir dame lord lady madam master pope king queen prince princess emperor duke duchess earl
baron count countess president vice-president ex-president premier chancellor minister prime deputy foreign defence
defense finance interior secretary undersecretary sen rep gov lt gen col maj capt cmdr adm sgt cpl pvt insp supt
senator representative congressman congresswoman governor mayor councillor councilman councilwoman commissioner
ambassador judge justice chief attorney general prosecutor colonel captain major lieutenant sergeant commander admiral
officer detective inspector constable superintendent sheriff professor doctor reverend rev father sister brother
bishop archbishop cardinal rabbi imam ayatollah sheikh shaikh sheik mullah coach manager director chairman chairwoman
chairperson chair ceo cfo coo cto founder co-founder speaker leader spokesman spokeswoman spokesperson analyst
economist author actor actress singer rapper producer writer reporter journalist editor lawyer counsel host anchor
former acting interim late mp mep mps dpm pm esm msgt hon rt hrh majesty highness crown whip rookie quarterback
striker midfielder defender goalkeeper receiver encik cik puan tuan datuk dato datuk-seri seri sri tan tun tengku
tunku raja sultan haji hajah ustaz ustazah presiden menteri perdana timbalan wakil gubernur bupati walikota jenderal
jeneral kapten kolonel profesor bapak ibu pak bu pengarah ketua pegawai perdana-menteri setiausaha naib penolong ir ts
monsieur madame mademoiselle mme président présidente ministre maire général roi reine señor señora sr sra
presidente presidenta ministro ministra alcalde senador rey reina senhor senhora signor signora papa sindaco herr frau
bundeskanzler bundeskanzlerin bundespräsident kanzler kanzlerin präsident präsidentin ministerin außenminister
außenministerin verteidigungsminister finanzminister innenminister wirtschaftsminister papst könig königin
bürgermeister bürgermeisterin ministerpräsident meneer mevrouw statsminister cumhurbaşkanı başbakan bakan bay bayan
sayın президент президента президентом президенту премьер премьер-министр министр министра глава господин госпожа
генерал прем'єр міністр пан пані голова
adviser advisor aide assistant assistants professors judges justices senators ministers presidents lawmaker lawmakers
lieutenant-governor secretary-general chairwoman emeritus co-chair co-host comedian novelist poet musician chef
engineer scientist historian activist dissident student teacher principal nurse physician executive managing treasurer
national-security deputy-prime shadow incoming outgoing
ceos cfos judges sens reps lords rapporteur commissioners directors founders analysts economists
affairs
footballer prophet socialist supermodel presenter broadcaster filmmaker youtuber entrepreneur billionaire tycoon
guitarist drummer bassist violinist pianist composer conductor curator choreographer architect designer photographer
mdm assoc adj
"""
)
"""Titles, roles and forms of address before a person's name, also written small; never part of the name."""

PERSON_TITLES_ONLY: Final = _words(
    """
mr mrs ms miss dr prof sir dame sen rep lt gen col sgt encik cik puan datuk dato tan tun senator congressman
congresswoman rabbi ayatollah monsieur madame mme herr frau señor señora mr. mrs. ms. dr. prof. sen. rep. gen. col.
lord lady judges judge pope prince princess sheikh imam king queen justices messrs
mdm
"""
)
"""Titles that a person's name must follow, so that one unlisted word after them is a person."""

ABBREVIATED: Final = _words(
    """
mr mrs ms dr prof sen rep gov lt gen col maj capt cmdr adm sgt cpl st jr sr rev hon rt ft mt
"""
)
"""What is written with a full stop that ends no sentence."""

PARTICLES: Final = _words(
    """
de da dos del della du des la le van von der den ter zu zur af av bin binti bint binte ibn ben al ul
ur abu bte a/l a/p anak
"""
)
"""Small words within names: "Ursula von der Leyen", "Mohammed bin Salman"."""

ORGANISATION_HEADS: Final = _words(
    """
ministry department office agency administration authority bureau commission committee council court tribunal
parliament assembly congress senate university college institute institution academy school bank fund exchange company
corporation corp inc ltd llc llp plc gmbh ag sa spa nv bv oyj asa pte bhd sdn tbk co group holdings holding partners
ventures capital enterprises industries technologies systems solutions laboratories labs motors airlines airways
railways energy oil petroleum steel pharmaceuticals electronics media entertainment studios pictures records press
times post herald tribune journal gazette guardian telegraph magazine television broadcasting news network radio
association federation union league alliance coalition organisation organization society foundation trust party front
movement brigade brigades army navy force forces corps guard guards police militia command hospital clinic museum
library theatre orchestra choir philharmonic church diocese club fc afc cf sc united city-fc rovers wanderers athletic
hotspur team center centre centers centres initiative project campaign board panel task-force secretariat service
services watch watchdog international consulting analytics advisors associates insurance securities chamber house
caucus delegation embassy consulate mission treasury exchequer cabinet reserve kementerian jabatan universiti
universitas majlis persatuan parti partai polis pertubuhan suruhanjaya mahkamah yayasan lembaga badan kolej sekolah
dewan komisi kepolisian kejaksaan perusahaan syarikat agensi pejabat institut pasukan tentara tentera bursa perbadanan
dinas pengadilan ministère université banque conseil assemblée cour société syndicat fédération comité agence
préfecture mairie ministerio universidad banco consejo partido sindicato federación instituto asociación agencia
ayuntamiento comisión fundación ministério universidade associação ministero università banca consiglio partito
federazione istituto associazione ministerium bundesministerium universität bundestag bundesrat bundesbank partei
verband verein gewerkschaft stiftung gericht bundesgericht landgericht amtsgericht verfassungsgericht
staatsanwaltschaft bundesamt kommission hochschule министерство университет банк комитет партия суд совет агентство
федерация союз фонд компания міністерство університет комітет партія рада bakanlığı üniversitesi partisi bankası
kurumu mahkemesi
government daily news media bros brothers platforms research
digital
parlimen
battalion battalions regiment forum transit archive archives collective observatory facility
cooperative
management
therapeutics biosciences biotech biopharma pharma foods brands semiconductor semiconductors software telecom
telecommunications communications aerospace investments mining logistics robotics networks chemicals chemical
"""
)

ORGANISATION_OPENERS: Final = _words(
    """
ministry department office agency bureau commission committee council court parliament assembly university college
institute academy school bank fund association federation union league organisation organization society foundation
house chamber center centre centers centres board church army party museum institutes ministries embassy confederation
order library supreme ministère université banque conseil cour société institut ministerio universidad banco
ministério ministero università banca
administration authority council research government parliamentarians lawyers doctors reporters citizens women
mothers americans students friends
"""
)
"""Heads after which "of", "for" and what these lead to belong to the name: "Bank of England"."""

PLACE_HEADS: Final = _words(
    """
city county province state region district island islands river lake sea ocean gulf bay strait strip mountain
mountains mount valley peninsula desert beach coast hills heights springs falls village town township borough parish
prefecture oblast canal cape archipelago basin pulau sungai kampung bandar bukit tanjung kota kabupaten provinsi
negeri daerah laut gunung taman wilayah selat
creek panhandle canyon ridge lagoon bayou
"""
)
PLACE_OPENERS: Final = _words(
    """
mount lake cape gulf strait isle lac mont pulau sungai kampung bandar bukit tanjung gunung selat kabupaten kota
provinsi fort port
county
"""
)

PLACE_PREPOSITIONS: Final = _words(
    """
in at near from to outside inside around across throughout into toward towards via di ke dari à en dans vers près aus
nach bei в из під у
"""
)

NOT_NAMES: Final = _words(
    """
 act bill law amendment section article proposition accord agreement treaty deal plan programme program
award awards prize cup trophy championship championships series super bowl marathon festival summit conference war
wars attack crisis revolution day week month year season game games match show street avenue road boulevard airport
stadium arena bridge tower building square hall palace highway station hotel park plaza memorial hurricane cyclone
typhoon storm storms earthquake covid virus biennial triennial report index review survey code rule policy project
protocol doctrine directive resolution scheme theory effect syndrome disease tournament open classic grand slam prix
medal oscars grammys emmys twitter-files room tour album song film movie book novel ballet opera suite symphony
concerto musical dance jazz akta jalan lebuh undang-undang piala hari lapangan masjid gereja kes airways-flight flight
boeing airbus model iphone
music artist artists close ballroom race age note capitol islamist islamists
oscar grammy
castle castles cathedral abbey mosque temple apartments disease
agenda strategy breakthrough
scandal affair inquiry
mall system missile fighter jet
"""
)
"""Heads of what has a name but is none of the three kinds: laws, prizes, events, works, buildings."""

ACRONYMS_OF_NO_NAME: Final = _words(
    """
ceo cfo coo cto cio ai tv pr hr it id dna rna hiv aids gdp gps usb pdf url faq diy ufo vip rv suv atm pin cctv vpn vr
ar phd mba md jd ba ma bsc msc mp mps mep mla pm dpm am ii iii iv vi vii viii ix xi usd sgd rm eur gbp idr myr tba tbd
q1 q2 q3 q4 ev evs ipo etf esg nft api sms dm ppe ptsd adhd asd lgbt lgbtq ivf icu er ed ok lol omg rip dj mc dvd cd
hd led lcd cgi r&b bpd ltd tkm lng lpg psi asap fyi aka eta sop swat 3d 4d 5g 4g lte mri ct wmd icbm hq nda llm gpt
mrna pcr art rpg mvp nfts cpi ppi pmi apr roi ltv faqs usp b2b wfh kpi hdb coe gst vat erp psle gce mrt lrt bto killed
breaking exclusive watch video photo photos update updated live editor note read more new
al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc
sd tn tx ut vt va wa wv wi wy irl rnb
et pt ct mt est edt aest winner winners faq pc uk-based
"""
)
"""Letters that abbreviate what is no person, organisation or place."""

SAYING: Final = _words(
    """
said says say told tells added adds asked asks wrote writes tweeted argued argues noted notes explained explains
testified admitted insisted warned warns replied claimed claims stated recalled joked quipped continued concluded
berkata kata katanya ujar ujarnya menegaskan menambah mengatakan menyatakan memberitahu menjelaskan tutur jelas
déclaré affirmé dit dijo afirmó declaró señaló sagte erklärte betonte disse сказал сказала заявил заявила сообщил dedi
söyledi belirtti
"""
)

DIRECTIONS: Final = _words(
    """
north south east west northern southern eastern western central upper lower downtown greater inner outer mainland
northeast northwest southeast southwest midtown rural occupied
"""
)

PRESS_HEADS: Final = _words(
    """
times post telegraph guardian independent economist herald tribune journal gazette globe mail mirror sun observer
sunday yorker atlantic nation hill star chronicle inquirer examiner sentinel standard intercept verge athletic
"""
)
"""Heads of newspapers, which "The" with a capital belongs to."""

SHORT_PLACES: Final = {
    "us": "United States", "u.s": "United States", "usa": "United States", "u.s.a": "United States",
    "uk": "United Kingdom", "u.k": "United Kingdom", "britain": "United Kingdom", "great britain": "United Kingdom",
    "uae": "United Arab Emirates", "u.a.e": "United Arab Emirates", "drc": "Congo - Kinshasa",
    "america": "United States", "holland": "Netherlands", "turkey": "Türkiye", "ivory coast": "Côte d’Ivoire",
    "bosnia": "Bosnia & Herzegovina", "east timor": "Timor-Leste", "macedonia": "North Macedonia",
}  # fmt: skip
"""Short names of countries that are no part of the lists of names; without their last stop."""

STATE_ABBREVIATIONS: Final = {
    "ala": "Alabama", "ariz": "Arizona", "ark": "Arkansas", "calif": "California", "colo": "Colorado",
    "conn": "Connecticut", "del": "Delaware", "fla": "Florida", "ga": "Georgia", "ill": "Illinois", "ind": "Indiana",
    "kan": "Kansas", "ky": "Kentucky", "la": "Louisiana", "mass": "Massachusetts", "md": "Maryland",
    "mich": "Michigan", "minn": "Minnesota", "miss": "Mississippi", "mo": "Missouri", "mont": "Montana",
    "neb": "Nebraska", "nev": "Nevada", "n.c": "North Carolina", "n.d": "North Dakota", "n.h": "New Hampshire",
    "n.j": "New Jersey", "n.m": "New Mexico", "n.y": "New York", "okla": "Oklahoma", "ore": "Oregon",
    "pa": "Pennsylvania", "r.i": "Rhode Island", "s.c": "South Carolina", "s.d": "South Dakota",
    "tenn": "Tennessee", "tex": "Texas", "va": "Virginia", "vt": "Vermont", "wash": "Washington",
    "w.va": "West Virginia", "wis": "Wisconsin", "wyo": "Wyoming", "l.a": "Los Angeles", "d.c": "Washington",
}  # fmt: skip
"""How American newspapers shorten the states, always with a full stop."""

CORPORATE_HEADS: Final = _words(
    """
inc ltd llc llp plc gmbh ag sa nv oyj asa bhd tbk co corp corporation company group holdings holding airlines airways
analytics technologies industries motors pharmaceuticals bank
"""
)
"""Heads that a company's short name is without: "Boeing Co", "Boeing"."""

INSTITUTIONS: Final = frozenset(
    {
        "congress", "senate", "house", "parliament", "house of representatives", "house of commons", "house of lords",
        "commons",
        "white house", "pentagon", "kremlin", "supreme court", "high court", "capitol police", "home office",
        "foreign office", "state department", "treasury", "federal reserve", "fed", "knesset", "bundestag", "bundesrat",
        "duma", "lok sabha", "rajya sabha", "interpol", "vatican city state", "dpr", "mahkamah agung", "élysée",
        "facebook", "twitter", "instagram", "tiktok", "youtube", "whatsapp", "telegram", "wechat", "weibo", "linkedin",
        "reddit", "snapchat", "truth social",
    }
)  # fmt: skip
"""Seats of power and chambers that news names without their country, and platforms."""

REGIONS: Final = frozenset(
    {
        "england", "scotland", "wales", "northern ireland", "korea", "capitol hill", "thames", "danube", "rhine",
        "nile", "volga", "mekong", "euphrates", "tigris", "yangtze", "ganges", "dnipro", "dnieper",
        "middle east", "near east", "far east",
        "west bank", "gaza strip", "southeast asia", "south-east asia",
        "central asia", "east asia", "south asia", "latin america", "central america", "north africa", "west africa",
        "east africa", "horn of africa", "eastern europe", "western europe", "central europe", "asia pacific",
        "asia-pacific", "indo-pacific", "balkans", "caucasus", "sahel", "maghreb", "levant", "scandinavia", "crimea",
        "donbas", "donbass", "kashmir", "tibet", "kurdistan", "sinai", "golan heights", "red sea", "black sea",
        "north sea", "baltic sea", "caspian sea", "mediterranean", "mediterranean sea", "south china sea",
        "east china sea", "persian gulf", "gulf of aden", "gulf of mexico", "strait of hormuz", "taiwan strait",
        "suez canal", "panama canal", "english channel", "arctic", "antarctica", "arctic ocean", "pacific",
        "pacific ocean", "atlantic", "atlantic ocean", "indian ocean", "caribbean", "caribbean sea", "himalayas",
        "alps", "andes", "amazon rainforest", "sahara", "siberia", "midwest", "bay area", "silicon valley",
        "timur tengah", "asia tenggara", "laut china selatan", "tepi barat", "semenanjung gaza", "pasifik", "atlantik",
        "naher osten", "nahen osten", "proche-orient", "moyen-orient", "oriente medio", "cisjordanie",
    }
)  # fmt: skip
"""Parts of the world and seas that the lists of countries and cities do not hold."""

ORGANISATION_BEGINNINGS: Final = _words(
    """
kementerian jabatan universiti universitas majlis persatuan pertubuhan suruhanjaya mahkamah yayasan lembaga kejaksaan
kepolisian perbadanan ministère université préfecture ministerio universidad ayuntamiento ministério universidade
ministero università
parlimen dewan institut agensi tentera perkhidmatan
pejabat syarikat pasukan parti partai sekolah kolej
"""
)
"""Heads with which the name begins, in languages that put them first."""

SURNAMES_BEFORE_HYPHENS: Final = _words(
    """
kim lee park choi jung jeong kang cho jo yoon yun jang lim im han oh seo shin kwon hwang ahn an song ryu yoo hong moon
bae baek heo hur nam noh roh ha joo ju ko koo ri chung son sohn ban min chun yang ma pak rhee
tsai lai chen lin chang wang huang chiang wu liu yang hsu hsieh chou su ho wong chan lam leung cheung ng tang yip
"""
)
"""Korean and Chinese surnames, behind which a given name has a hyphen and a small letter: "Kim Sung-han"."""

ORGANISATION_NOUNS: Final = _words(
    """
company firm giant startup start-up maker automaker carmaker drugmaker chipmaker retailer chain provider operator
developer supplier manufacturer conglomerate lender insurer brokerage carrier airline platform publisher broadcaster
newspaper daily weekly magazine tabloid outlet website portal channel agency group band trio quartet quintet duo
orchestra club team champions party union charity nonprofit non-profit ngo think-tank thinktank watchdog
regulator university college militia subsidiary app
syarikat perusahaan akhbar harian majalah laman portal agensi kumpulan parti partai firma konglomerat penerbangan
unternehmen konzern firma hersteller partei zeitung sender verein verband band
entreprise société groupe journal quotidien parti constructeur club association
empresa compañía grupo diario periódico partido fabricante equipo
companhia jornal azienda gruppo quotidiano partito bedrijf krant partij företaget bolaget firmaet
компания компании газета партия группа концерн холдинг
"""
)
"""Nouns whose name is that of an organisation when it stands right behind: "drugmaker Acme"."""

PLACE_NOUNS: Final = _words(
    """
village villages town towns city cities county counties district districts province provinces region regions state
states island islands suburb suburbs neighbourhood neighborhood port capital municipality hamlet borough settlement
stadt dorf ville village ciudad pueblo cidade città город деревня село kampung bandar kota
"""
)
"""Nouns whose name, behind "of", is a place's: "the village of X"."""

ORGANISATION_ROLES: Final = _words(
    """
ceo cfo coo cto cio co-founder cofounder founder founders co-owner spokesman spokeswoman spokesperson shareholders
executives shares employees subsidiary unit chief
"""
)
"""Who or what an organisation has: its name stands right before."""

TEAM_ROLES: Final = _words(
    """
goalkeeper striker midfielder defender winger forward substitute captain manager coach boss quarterback linebacker
skipper full-back left-back right-back centre-back playmaker shortstop pitcher
"""
)
"""Who plays for a team or is for it; written small, behind its name."""
