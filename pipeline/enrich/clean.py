"""Stage ``clean``: what stands in a text but is not of it (advertising lines, a date line), and what hides in it."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime
from itertools import pairwise

import msgspec

from pipeline.article import Article
from pipeline.enrich.paragraphs import Paragraph, split_body, with_paragraphs
from pipeline.enrich.tools import Tools
from pipeline.text.times import plausible

MAX_LONE_CHARACTERS = 100
MAX_HEADING_WORDS = 12
MIN_PARAGRAPH_CHARACTERS = 120
"""What follows a heading is at least this long; lines in a list or a table are shorter."""
TITLE_CHARACTERS = 120

# Whole lines, as `_key` makes them. "Advertisment" is how the sites that misspell it do.
_NOISE = """
advertisement | advertisment | advertisements | advertising | advert | sponsored | sponsored content | promoted content
paid content | read also | also read | read more | see also | read next | continue reading | story continues below
story continues below advertisement | article continues below | article continues after advertisement
article continues after ad | skip advertisement | related articles | related stories | recommended stories
sign up for our newsletter | sign up to our newsletter | subscribe to our newsletter | sign up here | share this article
anzeige | werbung | advertorial | lesen sie auch | lesen sie mehr | mehr lesen | mehr zum thema | lesen sie hier mehr
weiterlesen | newsletter abonnieren | abonnieren sie unseren newsletter | jetzt newsletter abonnieren
publicité | publicite | annonce | lire aussi | à lire aussi | a lire aussi | lire la suite | en savoir plus
inscrivez-vous à notre newsletter | abonnez-vous à notre newsletter | contenu sponsorisé | voir aussi
publicidad | anuncio | lee también | lea también | lee tambien | lea tambien | leer más | leer mas | te puede interesar
suscríbete a nuestro boletín | suscríbase a nuestro boletín | suscríbete a nuestra newsletter | contenido patrocinado
إعلان | اعلان | إعلانات | اقرأ أيضا | اقرأ أيضاً | اقرأ المزيد | إقرأ أيضا | إقرأ أيضاً | اشترك في نشرتنا الإخبارية
اشترك في النشرة البريدية | مواضيع ذات صلة
реклама | на правах рекламы | читайте также | читать далее | читать также | подробнее | подпишитесь на нашу рассылку
подписывайтесь на нашу рассылку | материалы по теме
reklam | reklamlar | ilan | ayrıca okuyun | devamını oku | ilgili haberler | haberin devamı | bültenimize abone olun
bültenimize kaydolun
"""

_DATE_LINE = re.compile(
    r"\s*(?:date|datum|fecha|дата|tarih|التاريخ)\s*[:：]?\s*(\d{4})-(\d{2})-(\d{2})(?![\w-])\s*[-–—:|,.]*\s*",
    re.IGNORECASE,
)
_SENTENCE_END = re.compile(r"""[.!?…:;,。！？：；،؛؟۔।]["'”’»)\]]*$""")
_FIRST_SENTENCE = re.compile(r""".+?(?:[.!?…]["'”’»)]*(?=\s)|[。！？](?:[」』”])?|[؟۔।]|$)""", re.DOTALL)
_MARK = re.compile(r"[-–—*•·>#|+=~\d]")


def _key(line: str) -> str:
    """Return a line as it is compared: case folded (with one i for the Turkish four) and without marks around it."""
    folded = line.casefold().replace("i\u0307", "i").replace("ı", "i").replace("’", "'")
    return " ".join(folded.strip(" \t:：.…-–—*•[](){}<>«»|↓▼▶►→_=#!").split())


NOISE = frozenset(_key(line) for lines in _NOISE.splitlines() for line in lines.split("|")) - {""}


def enrich(article: Article, tools: Tools) -> Article:  # noqa: ARG001 - a stage's interface
    """Drop advertising lines and a date line, and give a plain-text file the headings and the title it has no tags for.

    The date of a date line becomes ``published`` when there is none. The title of a text that has none is its first
    line when that stands alone like one, else its first sentence, cut at about 120 characters.
    """
    paragraphs = split_body(article.body, article.headings)
    published, paragraphs = _without_date_line(paragraphs)
    paragraphs = [paragraph for paragraph in paragraphs if not is_noise(paragraph.text)]
    title = article.title
    if article.text_from == "file":
        paragraphs = _with_headings(paragraphs)
        title, paragraphs = (title, paragraphs) if title.strip() else _titled(paragraphs)
    article = msgspec.structs.replace(with_paragraphs(article, paragraphs), title=title)
    return article if article.published or not published else _dated(article, published)


def is_noise(text: str) -> bool:
    """Whether a paragraph is one of the known lines or a mere divider; never true of a line within a paragraph."""
    if len(text) > MAX_LONE_CHARACTERS or "\n" in text:
        return False
    return _key(text) in NOISE or not any(map(str.isalnum, text))


def _dated(article: Article, claimed: datetime) -> Article:
    """Set ``published`` by the rule for all claimed dates; "now" is when we first had the article."""
    published, flags = plausible(claimed, article.first_seen or claimed)
    return msgspec.structs.replace(article, published=published).flagged(*flags)


def _without_date_line(paragraphs: list[Paragraph]) -> tuple[datetime | None, list[Paragraph]]:
    found = _DATE_LINE.match(paragraphs[0].text) if paragraphs else None
    if found is None:
        return None, paragraphs
    try:
        date = datetime(*map(int, found.groups()), tzinfo=UTC)  # type: ignore[arg-type, misc]
    except ValueError:  # the 30th of February is no date line
        return None, paragraphs
    rest = paragraphs[0].text[found.end() :]
    return date, [*([paragraphs[0]._replace(text=rest)] if rest else []), *paragraphs[1:]]


def _with_headings(paragraphs: list[Paragraph]) -> list[Paragraph]:
    """Mark lone short lines with a long paragraph behind them as headings, unless the file has headings already."""
    if not paragraphs or any(paragraph.is_heading for paragraph in paragraphs):
        return paragraphs
    marked = [
        first._replace(is_heading=_looks_like_heading(first.text) and _is_long(second.text))
        for first, second in pairwise(paragraphs)
    ]
    return [*marked, paragraphs[-1]]


def _titled(paragraphs: list[Paragraph]) -> tuple[str, list[Paragraph]]:
    """Return a title for the text and the text without it: a heading in first place moves, a sentence stays."""
    if not paragraphs:
        return "", paragraphs
    if paragraphs[0].is_heading:
        return paragraphs[0].text, paragraphs[1:]
    return _first_sentence(paragraphs[0].text), paragraphs


def _first_sentence(text: str) -> str:
    found = _FIRST_SENTENCE.match(text[: 4 * TITLE_CHARACTERS])
    sentence = " ".join((found.group() if found else text[: 4 * TITLE_CHARACTERS]).split())
    if len(sentence) <= TITLE_CHARACTERS:
        return sentence
    cut = sentence[:TITLE_CHARACTERS]
    # Scripts without spaces are cut where they stand.
    return (cut[: cut.rfind(" ")] if cut.rfind(" ") > TITLE_CHARACTERS // 2 else cut).rstrip(" ,;:–-") + "…"


def _looks_like_heading(text: str) -> bool:
    if "\n" in text or len(text) > MAX_LONE_CHARACTERS or len(text.split()) > MAX_HEADING_WORDS:
        return False
    # Lower case starts a sentence cut in two; a mark or a number starts an item of a list.
    return not (_SENTENCE_END.search(text) or _MARK.match(text) or unicodedata.category(text[0]) == "Ll")


def _is_long(text: str) -> bool:
    """Whether this is a paragraph of prose; a character of an unspaced script says as much as two or three letters."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text[:MIN_PARAGRAPH_CHARACTERS])
    return len(text) + 2 * wide >= MIN_PARAGRAPH_CHARACTERS
