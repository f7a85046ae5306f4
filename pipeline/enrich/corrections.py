"""The notice with which an outlet corrects an article, found by how such notices begin."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pipeline.text.characters import one_line

MAX_CORRECTION_CHARACTERS: Final = 500

_NAMES: Final = """
correction | corrections | corrected | clarification | clarifications | correction notice | erratum | errata
correction and clarification | corrections and clarifications | korrektur | berichtigung | richtigstellung
korrekturhinweis | rectificatif | rectification | correctif | précision | corrección | correcciones | fe de errores
fe de erratas | fe de errata | rectificación | aclaración | errata corrige | rettifica | correzione | correção
esclarecimento | correctie | rectificatie | rättelse | rettelse | korrigering | oikaisu | korjaus | sprostowanie
oprava | helyesbítés | erată | исправление | уточнение | поправка | опровержение | виправлення | уточнення
διόρθωση | düzeltme | tekzip | تصحيح | تصويب | اصلاحیه | תיקון | תיקון טעות | सुधार | भूल सुधार | সংশোধনী
更正 | 更正启事 | 更正啟事 | 勘误 | 訂正 | 訂正とお詫び | おわびと訂正 | お詫びと訂正 | 정정 | 정정보도 | 바로잡습니다
ralat | pembetulan | koreksi | đính chính
"""
"""What a notice is called. Alone such a word begins many a sentence ("Correction officers said"), so that it counts
with a colon or a dash behind it, a date between them, or as a whole line before the notice."""
_MARKED: Final = re.compile(
    rf"(?:{'|'.join(re.escape(name.strip()) for line in _NAMES.strip().splitlines() for name in line.split('|'))})"
    r"(?:\s*\([^()\n]{1,40}\)|[^:.\n]{0,30}\d[^:.\n]{0,15})?\s*(?:[:：]|\s[-–—]|\n|$)",
    re.IGNORECASE,
)
_TEXT: Final = r"(?:article|story|report|post|piece|column|review|headline|graphic|caption|newsletter|obituary)"
_SENTENCE: Final = re.compile(
    rf"an? (?:earlier|previous) (?:version|edition) of (?:this|the) {_TEXT}\b"
    rf"|th(?:is|e) (?:headline (?:of|on) this )?{_TEXT} (?:has been|was) (?:corrected|amended)\b"
    r"|this \w+ \d+ (?:article|story) has been corrected\b|(?<=\()corrects\b"
    r"|in einer (?:früheren|vorherigen|ersten) (?:version|fassung) d(?:iese|e)s (?:artikels|textes|beitrags|berichts)\b"
    r"|(?:dans )?une (?:première )?version (?:précédente|antérieure) de (?:cet article|ce texte)\b"
    r"|(?:en )?una versión (?:anterior|previa) de (?:este artículo|esta noticia|esta información|este texto)\b"
    r"|(?:em )?uma versão anterior d(?:este artigo|esta reportagem|este texto|esta notícia)\b"
    r"|(?:in )?una versione precedente di quest(?:o articolo|a notizia)\b|in een eerdere versie van dit artikel\b"
    r"|в (?:предыдущей|более ранней|первоначальной) версии (?:этой |данной )?(?:статьи|новости|заметки|публикации)\b"
    r"|bu haberin önceki|本文(?:早前|先前|此前)(?:的)?版本|この記事の(?:以前|当初)の",
    re.IGNORECASE,
)
_OPENING: Final = re.compile(r"[(\[*_\s]*(?:(?:editor['’]?s['’]? note|note|update)\s*[:.–—-]\s*)?", re.IGNORECASE)


def find_correction(paragraphs: Sequence[str]) -> str:
    """Return the first paragraph that is a notice of a correction, on one line of at most 500 characters; else empty.

    A notice whose name stands in a line of its own begins with that line.
    """
    for place, paragraph in enumerate(paragraphs):
        start = _OPENING.match(paragraph)
        at = start.end() if start else 0
        if _SENTENCE.match(paragraph, at):
            return _shown(paragraph)
        if found := _MARKED.match(paragraph, at):
            if paragraph[found.end() :].strip():
                return _shown(paragraph)
            if place + 1 < len(paragraphs):
                return _shown(f"{paragraph.strip().rstrip(':：')}: {paragraphs[place + 1]}")
    return ""


def _shown(text: str) -> str:
    text = one_line(text[: 2 * MAX_CORRECTION_CHARACTERS])
    return text if len(text) <= MAX_CORRECTION_CHARACTERS else text[: MAX_CORRECTION_CHARACTERS - 1].rstrip() + "…"
