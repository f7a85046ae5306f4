"""Authors as names: what bylines hold besides (who they work as, where, when, how to write to them) taken away.

Feeds and pages write a byline into a field for one name: ``By JANE DOE and Ali Khan, Political Correspondents``. It is
read with rules that are about form, and short lists of words; a doubtful part is left as it was given. Agencies stay,
also behind a name: they are evidence of the article's origin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from pipeline.enrich.titles import title_key
from pipeline.text.characters import one_line
from pipeline.text.limits import MAX_LIST_LENGTH
from pipeline.text.markup import plain_text

MAX_BYLINE_CHARACTERS: Final = 500
MAX_NAME_CHARACTERS: Final = 80
MAX_NAME_WORDS: Final = 8
"""A longer "name" is a sentence about its bearer."""
MAX_LOWER_WORDS: Final = 4
_PASSES: Final = 10


def _listed(words: str) -> frozenset[str]:
    return frozenset(word.strip() for line in words.strip().splitlines() for word in line.split("|")) - {""}


AGENCIES: Final = _listed("""
ap | associated press | the associated press | reuters | thomson reuters | afp | agence france-presse | dpa | efe | ansa
upi | tass | itar-tass | interfax | ria novosti | xinhua | kyodo | kyodo news | jiji | yonhap | anadolu | aa | antara
bernama | pti | press trust of india | ani | ians | pa | pa media | press association | canadian press | aap | ats | apa
the canadian press | bloomberg | keystone-sda | belga | anp | ntb | ritzau | tt | stt | pap | ctk | mti | lusa | unian
ukrinform | europa press | adnkronos | agi | sid | epd | kna | anadolu agency | agencia efe | associated press writer
рейтер | тасс | риа новости | интерфакс | 新华社 | 新華社 | 中新社 | 共同通信 | 時事通信 | 연합뉴스 | رويترز | فرانس برس
""")
"""Names as bylines have them, to know one that stands where a role or a place may stand; not a list of all agencies."""

_ROLES: Final = _listed("""
reporter | reporters | correspondent | correspondents | editor | editors | writer | writers | journalist
journalists | columnist | contributor | contributors | producer | photographer | staff | newsroom | desk
bureau | intern | freelancer | analyst | commentator | blogger | team | admin | administrator | webmaster
agency | agencies | wire | wires | byline | redakteur | redakteurin | redaktion | korrespondent
korrespondentin | journalistin | reporterin | autor | autorin | rédaction | rédacteur | rédactrice | journaliste
correspondant | correspondante | agence | agences | envoyé | redacción | redactor | redactora | periodista
corresponsal | agencia | agencias | redação | repórter | correspondente | redazione | giornalista
corrispondente | inviato | inviata | agenzie | redactie | verslaggever | correspondente | редакция
корреспондент | корреспондентка | журналист | журналистка | обозреватель | редактор | кореспондент | muhabir
muhabiri | editör | editörü | haber merkezi | redaksi | wartawan | penulis | jurnalis | المحرر | مراسل | مراسلة
محرر | وكالات | تحرير | 记者 | 記者 | 编辑 | 編輯 | 기자 | 특파원
""")
_QUALIFIERS: Final = _listed("""
senior | chief | political | politics | economics | economy | business | sports | sport | news | science
health | legal | environment | education | technology | tech | culture | arts | foreign | diplomatic | defence
defense | security | world | crime | city | local | national | international | political | deputy | assistant
managing | executive | associate | web | special | general | data | energy | climate | transport | social
affairs | media | opinion | features | investigations | white | house | home | our | the | of | to | for | and
online | digital | us | uk | north | south | east | west | europe | africa | asia | america | china | middle
contributing | guest | lead | video | photo | breaking | global | european | spécial | spéciale | en | chef | de
la | le | von | aus | für | politik | especial | speciale | del | dell | специальный | собственный | главный
özel | kıdemli
""")
_GENERIC: Final = _listed("""
by | with agencies | and agencies | staff and agencies | agencies | unknown | anonymous | none | null | n/a | author
guest | web desk | news desk | online desk | editorial board | editorial | editor-in-chief
from our correspondent | not specified
""")

_ADDRESS: Final = re.compile(r"\S*(?:://|@|(?<!\w)www\.)\S*")
_BY: Final = re.compile(
    r"(?:(?:written|reported|reporting|story|words|text|edited|posted|published|compiled)\s+by|by|byline|author|authors|oleh|par"
    r"|por|от|автор|авторы|penulis|autor|autorin|autore|auteur|بقلم|كتب|كتبت|من)"
    r"(?:\s*[:：/]\s*|\s+)|(?:作者|文|撰文|yazan|haber|текст|tekst|text)\s*[:：/／]\s*|(?:本报|本報)?(?:记者|記者)\s*[:：]?\s*",
    re.IGNORECASE,
)
_FROM: Final = re.compile(
    r"(?:von|di|da|de|van|fra|av|af|door|przez)\s+(?=[^\W\d_][\w.'’-]*\s+[^\W\d_])", re.IGNORECASE
)
"""Also how surnames begin (Di Maio, von der Leyen): taken as "by" only where two more words follow."""
_SEPARATOR: Final = re.compile(r"\s*(?:[;,|•/、，；\n]|\s[-–—]\s)\s*")
_AND: Final = re.compile(
    r"\s+(?:and|with|und|mit|et|avec|con|com|и|с|та|ve|ile|dan|og|och|med|ja|oraz|και|और|&|\+)\s+", re.IGNORECASE
)
_AND_OF_NAMES: Final = re.compile(r"\s+(?:y|e|i|en|و)\s+", re.IGNORECASE)
"""Short words that surnames hold too (Ortega y Gasset): they part what is two words on either side."""
_PLACE: Final = re.compile(r"\s+(?:in|at|à|en|в)\s+(?=[A-ZÀ-ÞА-Я]).*", re.DOTALL)
_REGION: Final = re.compile(
    r"(\s(?:in|at)\s+[A-Z][\w.'’-]*(?:\s[A-Z][\w.'’-]*){0,2}),\s*[A-Z][\w.'’-]+(?=\s*(?:$|[,;]|and\s))"
)
"""The second word of "in Palm Beach, Florida", which would look like a name."""
_INITIALS: Final = re.compile(r"(?:[^\W\d_]\.[\s-]?){1,4}")
_MONTH: Final = (
    r"(?:jan|feb|fév|mar|mär|apr|avr|may|mai|jun|juin|jul|juil|aug|août|sep|oct|okt|nov|dec|dez|déc|ene|abr|ago|dic"
    r"|янв|фев|мар|апр|мая|июн|июл|авг|сен|окт|ноя|дек)\w*\.?"
)
_DATE: Final = re.compile(
    rf"\b(?:(?:published|updated|posted|aktualisiert|publié|actualizado)\b.*|{_MONTH}\s+\d.*|\d+\.?\s+{_MONTH}(?!\w).*"
    r"|\d{4}\b.*|\d{1,2}[./:-]\d.*|\d+\s+(?:min|minutes?|hours?|days?)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
_PARENTHESIS: Final = re.compile(r"[(\[（]([^()\[\]（）]*)[)\]）]?")
_TITLE_SUFFIX: Final = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.IGNORECASE)
_DEGREE: Final = re.compile(r"(?:ph\.?\s?d|m\.?d|m\.?a|b\.?a|m\.?sc|esq|mba)\.?", re.IGNORECASE)
_PARTICLES: Final = _listed(
    "van | von | der | den | de | la | las | los | del | della | da | di | dos | du | bin | ibn | y"
)
_VOWEL: Final = re.compile("[^BCDFGHJKLMNPQRSTVWXZ]")
_FOR: Final = frozenset({"for", "at", "of", "from", "für", "pour", "para", "per", "voor", "для"})
_EDGES: Final = ' \t.,;:|/-–—•*"“”«»&()[]'


def clean_authors(written: Iterable[str], outlets: frozenset[str] = frozenset()) -> tuple[str, ...]:
    """Return the names in these bylines, each once, in their order; of what was cleaned already, the same again.

    ``outlets`` are keys of the outlet's own names (``titles.site_keys``): a byline that is one names nobody.
    """
    names = [
        plain_text(byline[: 4 * MAX_BYLINE_CHARACTERS])[:MAX_BYLINE_CHARACTERS]
        for byline in tuple(written)[:MAX_LIST_LENGTH]
    ]
    for _ in range(_PASSES):
        found = [_without_outlet(name, outlets) for byline in names for name in _names(byline)][:MAX_LIST_LENGTH]
        if found == names:
            break
        names = found
    told: dict[str, str] = {}
    for name in names:
        if is_agency(name) or title_key(name) not in outlets:
            told.setdefault(name.casefold(), name)
    return tuple(told.values())


def _without_outlet(name: str, outlets: frozenset[str]) -> str:
    """Return ``Jane Doe`` for ``Jane Doe The Example``; two words stay, and a name that is the outlet's."""
    words = name.split(" ")
    end = next((at for at in range(2, len(words)) if title_key(" ".join(words[at:])) in outlets), len(words))
    if end == len(words) or title_key(name) in outlets:
        return name
    return " ".join(words[: end - 1 if end > 2 and words[end - 1].lower() in _FOR else end])


def is_agency(name: str) -> bool:
    """Whether a byline is a news agency's name."""
    return name.casefold().strip(_EDGES) in AGENCIES


def _names(byline: str) -> list[str]:
    """Return the names of one byline, in one pass: what a part shows only now, the next pass takes away."""
    text = _ADDRESS.sub(" ", byline)
    asides = [aside for aside in _PARENTHESIS.findall(text) if is_agency(aside)]
    outside = _PARENTHESIS.sub(" ", text)
    if not any(map(str.isalpha, outside)):  # "press@example.org (Jane Doe)", as RSS wants it
        outside = " ".join(_PARENTHESIS.findall(text))
        asides = []
    outside = _REGION.sub(r"\1", outside)
    if turned := _initialled(outside) or _reversed(outside):
        return turned
    pieces = [piece for piece in map(_without_by, _SEPARATOR.split(outside)) if not _is_sentence(piece)]
    parts = [part for piece in pieces for part in _parted(piece)]
    return [name for part in _with_suffixes([*parts, *asides]) if (name := _name(part))]


def _is_sentence(text: str) -> bool:
    """Whether this says something of somebody: names have few words in lower case."""
    return sum(word[0].islower() for word in _AND.sub(" ", text).split()) > MAX_LOWER_WORDS


def _parted(text: str) -> list[str]:
    """Split at words for "and"; a short one only where both sides look like whole names."""
    parts = []
    for part in _AND.split(text):
        sides = _AND_OF_NAMES.split(part)
        parts.extend(sides if all(len(side.split()) > 1 or is_agency(side) for side in sides) else [part])
    return parts


def _without_by(text: str) -> str:
    text = _trimmed(text)
    while (found := _BY.match(text) or _FROM.match(text)) and not text[found.end() :][:1].islower():
        text = _trimmed(text[found.end() :])
    return text


def _initialled(text: str) -> list[str]:
    """Return the names of ``Ash, C., Mueller, K. L.``, as journals write them: each second part is initials."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) % 2 or not all(map(_INITIALS.fullmatch, parts[1::2])):
        return []
    return [f"{first} {last}" for last, first in zip(parts[::2], parts[1::2], strict=True) if last]


def _reversed(text: str) -> list[str]:
    """Return ``Jane Doe`` for ``Doe, Jane``: one comma with one word before and one behind it, neither an agency."""
    words = [part.split() for part in text.split(",")]
    if len(words) != 2 or len(words[0]) != 1 or not 1 <= len(words[1]) <= 2:
        return []
    last, first = words[0][0], words[1]
    is_initialled = len(first) == 1 or len(first[1].rstrip(".")) == 1
    is_name = all(word[0].isupper() and _fold(word) not in _ROLES | _QUALIFIERS for word in (last, *first))
    if (
        not (is_initialled and is_name)
        or is_agency(last)
        or is_agency(" ".join(first))
        or _TITLE_SUFFIX.fullmatch(first[0])
    ):
        return []
    return [" ".join((*map(_word_cased, first), _word_cased(last)))]


def _with_suffixes(parts: Iterable[str]) -> list[str]:
    """Put a ``Jr.`` that a comma cut off back where it belongs, and let a degree go."""
    joined: list[str] = []
    for part in parts:
        if joined and _TITLE_SUFFIX.fullmatch(part.strip()):
            joined[-1] = f"{joined[-1]} {part.strip()}"
        elif not _DEGREE.fullmatch(part.strip()):
            joined.append(part)
    return joined


def _name(part: str) -> str:
    """Return one name without role, place and date; empty when nothing is left that could be one."""
    text = _trimmed(one_line(_DATE.sub("", part)))
    if is_agency(text):
        return text
    if _fold(text) in _GENERIC | _ROLES:
        return ""
    text = " ".join(_without_roles(text.split()))
    if (place := _PLACE.search(f" {text}")) and place.start() != 1 and len(text[: place.start()].split()) != 1:
        text = text[: max(place.start() - 1, 0)]
    is_sentence = len(text.split()) > MAX_NAME_WORDS or len(text) > MAX_NAME_CHARACTERS
    if is_sentence or sum(map(str.isalpha, text)) < 2:
        return ""
    return _cased(text)


def _trimmed(text: str) -> str:
    """Return a part without marks around it; a point that is part of a name stays (``Davis Jr.``, ``Lee J.``)."""
    last = text.rstrip(_EDGES.replace(".", "")).split(" ")[-1]
    is_short = _TITLE_SUFFIX.fullmatch(last) or (len(last) == 2 and last[0].isalpha())
    return text.strip(_EDGES) + ("." if is_short and last.endswith(".") else "")


def _without_roles(words: list[str]) -> list[str]:
    """Take a role and what qualifies it from the end, then from the beginning; two words stay: White is a name."""
    folded = [_fold(word) for word in words]
    if not words or (all(word in _ROLES | _QUALIFIERS for word in folded) and _ROLES & set(folded)):
        return []
    start, end = 0, len(words)
    while end and (folded[end - 1] in _ROLES or (folded[end - 1] in _QUALIFIERS and end > 2)):
        end -= 1
    end = end if _ROLES & set(folded[end:]) else len(words)
    while folded[start] in _ROLES or (folded[start] in _QUALIFIERS and end - start > 2):
        start += 1
    return words[start if _ROLES & set(folded[:start]) else 0 : end]


def _fold(text: str) -> str:
    return text.casefold().strip(_EDGES)


def _cased(name: str) -> str:
    """Return a name of capital letters as names are written; one word, or one without a vowel, may be an acronym."""
    words = name.split(" ")
    if len(words) < 2 or not name.isupper():
        return name
    return " ".join(
        word.lower() if place and word.lower() in _PARTICLES else _word_cased(word) for place, word in enumerate(words)
    )


def _word_cased(word: str) -> str:
    if is_agency(word) or (3 <= len(word) <= 4 and word.isalpha() and not _VOWEL.search(word)):
        return word
    pieces = re.split(r"([-'’.])", word)
    lowered = "".join(piece[:1] + piece[1:].lower().replace("i̇", "i") for piece in pieces)
    if re.match(r"Mc[a-z]{2}", lowered):
        return "Mc" + lowered[2:3].upper() + lowered[3:]
    return lowered
