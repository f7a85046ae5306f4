"""The dateline before a text (place, often date and agency, then a dash), told from a text that merely starts like one.

Better left than eaten: a place in capitals alone is taken before a long dash only, and before a colon only where the
text itself says that it is a place.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

MAX_CHARACTERS: Final = 100
"""Of a dateline with its dash; "SANTA CRUZ DE LA SIERRA, Bolivia, September 30 (Agency name) -" has 65."""
MAX_WORDS: Final = 6
MAX_READ: Final = 20_000
"""Characters of a text that are looked at for a place's name."""

_DASH = re.compile(r"\s*(?:[—–―]+|--+|\s-|-\s)\s*")
_AGENCY_END = re.compile(r"\s*(?:\(([^()]{2,40})\)|/([^/]{2,40})/)$")
_AFTER_SLASHES = re.compile(r"[^/]{3,60}/[^/]{2,40}/\.\s+")
_PART = re.compile(r"[^\W_][\w.'’ /-]{0,30}")
_NUMBER = re.compile(r"\d")
_BRACKETED = re.compile(
    # 新加坡讯, 吉隆坡5日讯; 中央社記者…台北5日電; ワシントン=共同; 東京 5日 ロイター
    r"(?:[（(][^\s（()）]{2,12}[讯訊][)）]|[（(]中央社[^（()）]{2,30}[電电][)）]"
    r"|【[^\s【】=＝]{2,20}[=＝][^【】=＝]{1,20}】|[［\[][^\[\]［］]{2,30}ロイター[\]］]\s*[-－―–—])\s*"
)
_WIRED = re.compile(
    # 新华社北京3月5日电 (记者 …), 中新网北京3月5日电
    r"(?:新华社|新華社|中新网|中新社|中新網|人民网|央视网|法新社|路透社|美联社|中央社)[^\s，。,、（(]{1,16}[电電]"
    r"(?:\s*[（(](?:记者|記者)[^（()）]{1,30}[)）])?[\s:：]*"
)

# As they sign before a text. Only after one of these names is a place taken that is not written in capitals.
_AGENCY_NAMES = """
ap | reuters | afp | upi | dpa | dpa-afx | epd | kna | sid | ots | apa | sda | ats | keystone-sda | belga | anp | pap
ansa | agi | adnkronos | lapresse | efe | europa press | lusa | tass | interfax | xinhua | kyodo | jiji | yonhap | pti
ani | ians | bernama | antara | aap | anadolu | aa | dha | iha | irna | isna | wam | spa | mena | qna | kuna | tt | ntb
stt | ritzau | ctk | mti | unian | ukrinform | bloomberg | prnewswire
тасс | интерфакс | рейтер | рейтерс | уніан | укрінформ
رويترز | أ ف ب | أ.ف.ب | ا ف ب | ا.ف.ب | أف ب | فرانس برس | د ب أ | د.ب.أ | واس | وام | قنا | كونا | وفا | سانا | بترا
رویترز | ایرنا | ایسنا
"""
# Words that stand in capitals before a dash and are no places.
_LABEL_WORDS = """
breaking | exclusive | update | updated | watch | video | opinion | analysis | live | correction | corrected | news
review | editorial | alert | urgent | photos | note | fact | factbox | explainer | interview | column | comment | report
special | developing | just | in | spoiler | warning | please | editor's | editor’s | summary | highlights | letter
obituary | profile | question | answer | claim | facts | verdict | rating | eilmeldung | exklusiv | kommentar | analyse
exclusif | vidéo | tribune | direct | última | hora | opinión | análisis | urgente | exclusiva | exclusivo | opinião
análise | esclusiva | срочно | обновлено | эксклюзив | видео | опрос | son | dakika | özel
"""


def _named(names: str) -> frozenset[str]:
    return frozenset(name.strip() for line in names.splitlines() for name in line.split("|")) - {""}


_AGENCIES: Final = _named(_AGENCY_NAMES)
_LABELS: Final = _named(_LABEL_WORDS)


class Started(NamedTuple):
    """Where a text's dateline ends (0: it has none), and where the text proper begins."""

    end: int
    rest: int


def find_dateline(text: str, start: int = 0, *, title: str = "") -> Started:
    """Return where the dateline at ``start`` ends, without its dash, and where what follows it begins.

    ``text[start:end]`` is the dateline as written: ``BEIRUT, March 15 (Reuters)``. Nothing but a dash (or what stands
    for one) and white space is between it and the rest, and the rest is never empty.
    """
    head = text[start : start + MAX_CHARACTERS]
    for pattern in (_BRACKETED, _WIRED):
        if found := pattern.match(head):
            return _started(text, start, len(found.group().rstrip(" \n-－―–—:：")), found.end())
    if (found := _AFTER_SLASHES.match(head)) and _is_dateline(
        head[: found.end()].strip().rstrip("."), needs_agency=True
    ):
        return _started(text, start, len(found.group().rstrip()), found.end())
    for found in _DASH.finditer(head):
        is_long = any(dash in found.group() for dash in "—–―") or "--" in found.group() or found.group() == " - "
        if _is_dateline(head[: found.start()], is_long_dash=is_long):
            return _started(text, start, found.start(), found.end())
    place, colon, _ = head.partition(":")
    if colon and _is_place(place) and _is_named(place, f"{title}\n{text[start : start + MAX_READ]}"):
        return _started(text, start, len(place), len(place) + len(colon))
    return Started(0, start)


def _started(text: str, start: int, end: int, rest: int) -> Started:
    rest += start
    while rest < len(text) and text[rest].isspace():
        rest += 1
    return Started(start + end, rest) if rest < len(text) else Started(0, start)


def _is_dateline(head: str, *, is_long_dash: bool = False, needs_agency: bool = False) -> bool:
    agency = _AGENCY_END.search(head)
    if agency is None and (needs_agency or not is_long_dash):
        return False
    signed = (agency.group(1) or agency.group(2)).strip().casefold() if agency else ""
    place, *others = (head[: agency.start()] if agency else head).split(",")
    if len(others) > 3 or not all(_is_region_or_date(other.strip()) for other in others):
        return False
    if _is_place(place.strip()):
        return bool(agency or others) or len(place) >= 5
    # The name of a known agency makes a place of what is not written in capitals: "Berlin (dpa) –", "بيروت (رويترز) -".
    words = place.split()
    is_known = signed.split("/")[0].strip() in _AGENCIES
    return is_known and 0 < len(words) <= 4 and all(word[0].isalpha() and not word[0].islower() for word in words)


def _is_place(place: str) -> bool:
    """Whether these are one to six words in capitals, none of them a label such as BREAKING."""
    words = place.split()
    if not 0 < len(words) <= MAX_WORDS or not all(word.isupper() and word[0].isalpha() for word in words):
        return False
    letters = sum(map(str.isalpha, place))
    return (
        letters >= 3 and not any(word.casefold().strip(".") in _LABELS for word in words) and not _NUMBER.search(place)
    )


def _is_region_or_date(part: str) -> bool:
    return len(part.split()) <= 4 and _PART.fullmatch(part) is not None and (part[0].isdigit() or not part[0].islower())


def _is_named(place: str, text: str) -> bool:
    """Whether a text says of something that it is a place: "in Singapore"."""
    name = re.escape(" ".join(word.capitalize() for word in place.split()))
    return re.search(rf"\b(?:in|from|near|across|di|ke|dari|à|en|em) {name}\b", text) is not None
