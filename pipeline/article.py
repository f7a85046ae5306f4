"""The article: the one record that travels the whole path, and how it is written and read.

Field names follow schema.org NewsArticle and IPTC ninjs where those have one. A stage never changes an article;
it returns a new one (``msgspec.structs.replace``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import Struct

from pipeline.errors import BadArticle

SCHEMA_VERSION = "1.2"
"""``major.minor``. A newer minor only adds fields and is read; another major goes to the dead letters."""

Lane = Literal["live", "backfill"]
TextFrom = Literal["feed", "page", "file"]
TextChoice = Literal["", "extracted", "json_ld", "content", "summary", "given"]
"""Which of the texts at hand became the body: extracted from the page, the page's own JSON-LD ``articleBody``, the
feed's content, the feed's summary, or what a file gave."""
Direction = Literal["ltr", "rtl"]
EntityKind = Literal["person", "organisation", "place"]
Span = tuple[int, int]
"""Start and end of a stretch of text, in characters; the end is not part of it."""
OriginEvidence = Literal["", "byline", "dateline", "credit", "canonical", "attribution"]
"""What says who wrote an article: its authors, its dateline, a credit line, the address it is a copy of, or a sentence
("as reported by …")."""


class Heading(Struct, frozen=True):
    """A sub-heading: a paragraph of ``body`` that starts at character ``offset``."""

    offset: int
    text: str


class Entity(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person, an organisation or a place that the article names, once, with everywhere that it does."""

    kind: EntityKind
    name: str
    """The canonical name of a known entity; else the fullest form in the article."""
    id: str = ""
    """Of the row in the gazetteer (``source:key``); empty for a name that is in none."""
    type: str = ""
    """What kind of person, organisation or place, in one word (``country``, ``city``, ``party``); empty: not known."""
    aliases: tuple[str, ...] = ()
    """The forms other than ``name`` that this article has for it, as it writes them."""
    in_title: tuple[Span, ...] = ()
    in_body: tuple[Span, ...] = ()
    in_dateline: tuple[Span, ...] = ()
    country: str = ""
    """ISO 3166-1 alpha-2."""
    latitude: float | None = None
    """Degrees north (WGS 84), of a place."""
    longitude: float | None = None
    """Degrees east."""


class Quote(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that somebody is quoted as having said: ``body[start:end]``, without its quotation marks."""

    start: int
    end: int
    speaker: str = ""
    """By the canonical name when known, else by the fullest form in the article; empty: the article names nobody."""
    speaker_id: str = ""
    """Of the row in the gazetteer."""
    verb: str = ""
    """The verb of saying, as written."""


class Figure(Struct, frozen=True, kw_only=True):
    """A number that took another's place in a sentence (or title) that is otherwise the same."""

    before: str
    after: str
    sentence: str
    """As it reads now; its beginning, when it is long."""


class Changes(Struct, frozen=True, kw_only=True):
    """What a revision changed in the one before it (``pipeline.settle.changes``). Bounded, whatever the texts are."""

    title_before: str = ""
    """Both titles, when the title changed; else both are empty."""
    title_after: str = ""
    figures: tuple[Figure, ...] = ()
    """Those of title and body, in their order; the first 20."""
    characters_before: int = 0
    """Length of the body."""
    characters_after: int = 0
    share: float = 0.0
    """Of the longer body, in characters: sentences that do not stand in the other one; 0 to 1."""
    headings_added: tuple[str, ...] = ()
    headings_removed: tuple[str, ...] = ()
    page_replaced_feed: bool = False
    """The page's text took the place of the feed's: its body is another, but nobody edited it."""


class Article(Struct, frozen=True, kw_only=True):
    """One article of one outlet. All times are aware and in UTC; all text is NFC with no control characters."""

    schema_version: str = SCHEMA_VERSION
    id: str
    """128-bit hash in hexadecimal (see ``pipeline.identity``), fixed at poll."""
    lane: Lane = "live"
    url: str = ""
    canonical_url: str = ""
    guid: str = ""
    feed: str = ""
    """Id of the feed that brought this form of the article; empty for a file."""
    outlet: str = ""
    """Who published it."""
    origin: str = ""
    """Who wrote it, when the article says so: a news agency, or an outlet."""
    origin_by: OriginEvidence = ""
    title: str = ""
    summary: str = ""
    body: str = ""
    """Plain text; paragraphs (headings among them) are separated by one empty line."""
    headings: tuple[Heading, ...] = ()
    html: str = ""
    """Markup of the item's text as the feed or file gave it; the text stage turns it into ``body`` and empties it."""
    page: str = ""
    """Key of the stored page in the pages port; empty when there is none."""
    text_from: TextFrom = "feed"
    text_choice: TextChoice = ""
    text_confidence: float = 0.0
    """How sure it is that the body is the whole article and nothing else; 0 to 1. See ``pipeline.enrich.text``."""
    dateline: str = ""
    """As written before the text, without its dash: ``BEIRUT, March 15 (Reuters)``."""
    correction: str = ""
    """What the outlet says it corrected, as it says it."""
    section: str = ""
    """The part of the outlet it stands in, such as Sport."""
    image: str = ""
    """Address of the main picture."""
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = "und"
    """ISO 639-1 where there is one; ``und`` when unsure. Before the language stage: the feed's own claim."""
    script: str = ""
    """ISO 15924 code of the script that most letters are of (``Latn``, ``Arab``); empty without letters."""
    direction: Direction = "ltr"
    entities: tuple[Entity, ...] = ()
    """Most often named first."""
    quotes: tuple[Quote, ...] = ()
    main_place: str = ""
    """Id (of the gazetteer) of the place that the article is most about; one that only ``dateline`` names is not among
    ``entities``."""
    published: datetime | None = None
    """As claimed by the outlet; clamped and flagged when impossible."""
    updated: datetime | None = None
    first_seen: datetime | None = None
    """When Wirewatch first had it; set by poll, fixed by settle. Alerts, routing and order use it."""
    fetched: datetime | None = None
    first_poll: bool = False
    """It stood in its feed when that was first read: no news, so that no rule tells of it. See ``pipeline.settle``."""
    flags: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    """The enrichment stages this form went through, ``name/version`` each."""
    content_hash: str = ""
    """Hash of title, summary and body; set by settle. A new hash is a new revision."""
    revision: int = 0
    version: int = 0
    """Grows with every published form of this id; the index keeps the highest."""
    changes: Changes | None = None
    """What this revision changed in the one before; set by settle, None in the first revision."""
    family: str = ""
    """Id of the first article with the same text."""
    story: str = ""
    source_path: str = ""
    """Where a file's article came from, as given on the command line."""
    extra: dict[str, Any] = {}
    """Keys of an ingested JSON line that are not fields of an article, kept aside; never indexed."""

    def flagged(self, *flags: str) -> Article:
        """Return this article with ``flags`` added, each once."""
        return msgspec.structs.replace(self, flags=tuple(dict.fromkeys((*self.flags, *flags))))

    def unflagged(self, *flags: str) -> Article:
        """Return this article without ``flags``."""
        if not self.flags or not set(flags).intersection(self.flags):
            return self
        return msgspec.structs.replace(self, flags=tuple(flag for flag in self.flags if flag not in flags))


class Deletion(Struct, frozen=True, kw_only=True):
    """An order to forget an article, on the same topics and under the same key as the article itself."""

    id: str
    reason: str
    deleted_at: datetime


DELETION_HEADER = {"kind": "deletion"}
"""Headers of a record whose value is a ``Deletion``; a record without them holds an ``Article``."""

REENRICH_HEADER = {"kind": "reenrich"}
"""Headers of a raw or enriched record that holds a settled article whose stages are to be gone through again."""

SOURCE_HEADER = "source"
"""Header with the place of the raw record (``topic/partition/offset``) that an enriched one was made from. It stays
the same when a step before settle publishes twice, so that settle can tell a redelivery from an edit. A replayed raw
record bears it too, with the place it had before it died, so that it cannot pass for an edit either."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What msgspec raises on a stranger's bytes; the last for JSON nested thousands deep, also in keys it passes over."""

MAX_NESTING = 64
"""Of ``extra``: what is read at one depth of calls must be written at another, and both count as recursion."""

_encoder = msgspec.json.Encoder()
_article_decoder = msgspec.json.Decoder(Article)
_deletion_decoder = msgspec.json.Decoder(Deletion)


def encode_article(article: Article) -> bytes:
    """Return the article as one line of JSON in UTF-8, without the line end."""
    return _encoder.encode(article)


def decode_article(value: bytes | None) -> Article:
    """Return the article of a record's value.

    Raises:
        BadArticle: the value is null, not JSON, not an article, nested too deep, or of another major schema version.
    """
    if value is None:
        raise BadArticle("null value", "the record has a key but no value")
    try:
        article = _article_decoder.decode(value)
    except UNREADABLE as error:
        raise BadArticle("not an article", str(error)) from error
    if not nests_within(article.extra, MAX_NESTING):
        raise BadArticle("not an article", f"extra is nested more than {MAX_NESTING} deep")
    if article.schema_version.partition(".")[0] != SCHEMA_VERSION.partition(".")[0]:
        raise BadArticle("unknown schema version", f"{article.schema_version}; this release reads {SCHEMA_VERSION}")
    return article


def nests_within(value: Any, levels: int) -> bool:
    """Return whether no list or object in ``value`` stands deeper than ``levels`` below it."""
    layer = [value]
    for _ in range(levels):
        layer = [
            inner
            for outer in layer
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
        if not layer:
            return True
    return not any(isinstance(inner, dict | list) for inner in layer)


def encode_deletion(deletion: Deletion) -> bytes:
    """Return the deletion as JSON in UTF-8."""
    return _encoder.encode(deletion)


def decode_deletion(value: bytes | None) -> Deletion:
    """Return the deletion of a record's value; raises ``BadArticle`` when it is none."""
    try:
        return _deletion_decoder.decode(value or b"")
    except UNREADABLE as error:
        raise BadArticle("not a deletion", str(error)) from error


def article_json_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an article, generated from the class above."""
    return msgspec.json.schema(Article)
