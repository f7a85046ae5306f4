"""Articles in eight languages, the same for the same seed: for tests that compare two ways to the same answer.

The texts mean nothing. They hold what analysers and engines disagree on: apostrophes, elisions, diacritics, dotted and
dotless i, abbreviations, numbers, right-to-left scripts and scripts without spaces.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from typing import NamedTuple

from pipeline.article import Article, Entity

FIRST_DAY = datetime(2023, 1, 1, tzinfo=UTC)
DAYS = 730


class Language(NamedTuple):
    """What the texts of one language are made of; ``phrases`` come up again and again, in the same words."""

    code: str
    words: str
    phrases: Sequence[str]
    letters: str
    space: str = " "
    stop: str = ". "


LANGUAGES = (
    Language(
        "en",
        "the of and a minister's Qa'ani's don't officials said talks border naïve café U.S. U.N. co-operation "
        "$1,000 3.14 F-16 COVID-19 rocket's market's government people's report city Monday e-mail O'Brien",
        (
            "prime minister",
            "the United Nations said",
            "a limited rocket barrage",
            "U.S. officials",
        ),
        "abcdefghijklmnopqrstuvwxyz",
    ),
    Language(
        "de",
        "der die und in Straße Grüße Maßnahmen Übergang äußerte Öl 1.000 3,14 Bundestag's geht's z.B. u.a. Dr. "
        "EU-Gipfel Kanzler Wärmepumpe Züge fährt Ausschuß Ausschuss 2024 für München Weiß",
        ("die Bundesregierung", "im Bundestag", "nach Angaben der Polizei", "Straße von Hormus", "über 1.000 Menschen"),
        "abcdefghijklmnopqrstuvwxyzäöüß",
    ),
    Language(
        "fr",
        "l'Iran d'État aujourd'hui qu'il l’accord élection président où ça œuvre cœur très déjà naïf Noël à 1 000 "
        "3,14 % n'est S.N.C.F. c'est-à-dire Élysée ministère l'école grève été",
        (
            "l'état d'urgence",
            "le président de la République",
            "aujourd'hui à Paris",
            "l’Assemblée nationale",
            "d'ici 2030",
        ),
        "abcdefghijklmnopqrstuvwxyzéèàçù",
    ),
    Language(
        "es",
        "el la de que niño años señal público EE.UU. ¿cuándo? ¡alto! corazón país está economía jóvenes 1.000 "
        "acción última según pingüino América años jefe Sánchez reunión mañana",
        ("el presidente del Gobierno", "los Estados Unidos", "según fuentes oficiales", "cambio climático", "EE.UU. y"),
        "abcdefghijklmnopqrstuvwxyzáéíóúñ",
    ),
    Language(
        "tr",
        "İstanbul ISPARTA ısı iç Iğdır Türkiye'nin Ankara'da şehir çocuk öğrenci güneş İÇİN için ağır yıl "
        "Cumhurbaşkanı 2024'te görüşme dün bugün %15 Erdoğan'ın meclis ülke",
        ("İstanbul Büyükşehir Belediyesi", "Türkiye Büyük Millet Meclisi", "son dakika", "Ankara'da dün"),
        "abcçdefgğhıijklmnoöprsştuüvyz",
    ),
    Language(
        "ar",
        "إيران ایران الحرب السّلام كتاب کتاب مدرسة مدرسه يوم یوم على علی أمريكا آمریکا می‌شود محمّد ٢٠٢٤ ۱۴۰۳ "
        "القاهرة، بغداد؟ الأمم رئيس وزير تهران گفت پژوهش كلّ شيء",
        ("الأمم المتحدة", "رئيس الوزراء", "جمهوری اسلامی ایران", "وزارة الخارجية", "حزب الله"),
        "ابتثجحخدذرزسشصضطظعغفقكلمنهويپچژگ",
    ),
    Language(
        "ru",
        "и в на Москва ёлка елка ещё Україна їжак война президент объявил Санкт-Петербург США С.Ш.А. 1000 рублей "
        "город день год что Кремль сказал «новости» переговоры йод",
        ("Министерство обороны", "в понедельник утром", "президент России", "Санкт-Петербург сегодня"),
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
    ),
    Language(
        "ja",
        "東京 政府 日本 首相 の は が を 会談 経済 ニュース ガス ｶﾞｽ コーヒー "
        "北京 中国 总统 国际 新闻 发布 ２０２４年 3月 ABC社 が 𠮷野家 々",
        ("日本政府は", "岸田首相", "中华人民共和国", "新华社北京", "東京オリンピック"),
        "一二三人大小中国日本語時事",
        space="",
        stop="。",
    ),
)
AUTHORS = (
    "Anna Müller",
    "Jean d'Arc",
    "O'Neil, Pat",
    "李 雷",
    "Мария Петрова",
    "علی رضایی",
    "A. B. Smith",
    "Smith Anna",
)
OUTLETS = ("Morning Post", "Der Tag", "L'Heure", "La Hora", "Gün Haber", "النهار", "Новый день", "朝の新聞")
TAGS = ("politics", "economy", "Sport", "climate change", "изменение климата", "経済", "war & peace", "U.N.")

ENTITIES = (
    Entity(kind="person", name="Esmail Qaani", id="list:qaani", aliases=("Qa'ani", "قاآنی"), in_title=((0, 1),)),
    Entity(kind="person", name="Anna Müller", in_title=((0, 1),)),
    Entity(kind="organisation", name="Hezbollah", id="list:Hezbollah", aliases=("حزب الله",), in_title=((0, 1),)),
    Entity(kind="organisation", name="U.N.", id="list:un", in_title=((0, 1),)),
    Entity(kind="place", name="Beirut", id="geo:1", aliases=("بيروت",), country="LB", in_title=((0, 1),)),
    Entity(kind="place", name="Saint-Denis", id="geo:2", country="FR", in_title=((0, 1),)),
    Entity(kind="place", name="北京", id="geo:3", country="CN", in_title=((0, 1),)),
)


def generated_articles(number: int, seed: int = 0) -> list[Article]:
    """Return ``number`` articles; ids are unique, and about one in twenty shares its family with another."""
    random = Random(seed)
    found: list[Article] = []
    for index in range(number):
        found.append(_article(random, LANGUAGES[index % len(LANGUAGES)], found))
    return found


def _article(random: Random, language: Language, earlier: Sequence[Article]) -> Article:
    article_id = f"{random.getrandbits(128):032x}"
    first_seen = FIRST_DAY + timedelta(seconds=random.randrange(DAYS * 86_400), microseconds=random.randrange(10**6))
    published = first_seen - timedelta(minutes=random.choice((0, 1, 90, 60 * 24 * 40)))
    outlet = random.choice(OUTLETS)
    url = f"https://news{random.randrange(9)}.example.org/{language.code}/{first_seen:%Y/%m}/{article_id[:6]}?page=2"
    return Article(
        id=article_id,
        lane="backfill" if random.random() < 0.2 else "live",
        url=url,
        canonical_url=url.partition("?")[0] if random.random() < 0.5 else "",
        feed=f"feed-{random.randrange(12)}",
        outlet=outlet,
        origin=random.choice(("", "", outlet, "Agence L'Info")),
        title=_sentence(random, language, 4, 9).rstrip(".。 "),
        summary="" if random.random() < 0.2 else _sentence(random, language, 8, 20),
        body="\n\n".join(_paragraph(random, language) for _ in range(random.randint(1, 3))),
        authors=tuple(random.sample(AUTHORS, random.choice((0, 1, 1, 2)))),
        tags=tuple(random.sample(TAGS, random.randint(0, 3))),
        language=language.code,
        published=None if random.random() < 0.05 else published,
        updated=first_seen if random.random() < 0.3 else None,
        first_seen=first_seen,
        version=random.randint(1, 5),
        revision=1,
        family=random.choice(earlier).family if earlier and random.random() < 0.05 else article_id,
        story=f"story-{random.randrange(40)}" if random.random() < 0.5 else "",
        entities=tuple(random.sample(ENTITIES, random.randint(0, 3))),
        stages=tuple(f"{name}/{random.randint(1, 8)}" for name in random.sample(("text", "clean", "quotes"), 2)),
    )


def _paragraph(random: Random, language: Language) -> str:
    return language.stop.join(_sentence(random, language, 6, 18) for _ in range(random.randint(1, 4)))


def _sentence(random: Random, language: Language, shortest: int, longest: int) -> str:
    parts = [_part(random, language) for _ in range(random.randint(shortest, longest))]
    text = language.space.join(parts)
    return text[:1].upper() + text[1:] + language.stop.strip()


def _part(random: Random, language: Language) -> str:
    chance = random.random()
    if chance < 0.15:
        return random.choice(language.phrases)
    if chance < 0.75:
        word = random.choice(language.words.split())
        return random.choice((word, word, word, word.upper(), f"“{word}”", f"{word},", f"({word})"))
    if chance < 0.80:
        return str(random.randrange(10_000))
    return "".join(random.choices(language.letters, k=random.randint(2, 8)))
