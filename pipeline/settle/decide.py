"""What an article is, given what is known of its id: new, a new revision, a repeat, or another's sighting of it.

Pure: values in, a decision out. The rules:

- a revision is taken only from the feed that first brought the article, another feed of the same outlet, or the
  fetched page; from any other feed it is a sighting and changes nothing;
- ``revision`` grows only when the content hash does; ``version`` grows with every form that is published;
- the first recorded ``first_seen`` wins; an article that is known only from backfill goes live when a live feed,
  whosever it is, shows it within 48 hours of its publication;
- a form with a title alone takes no text away, and is another feed's sighting only;
- an article that stood in its feed when that was first read (``first_poll``) is no news, and stays so recorded, until,
  within 48 hours of its publication, another feed brings it that has been read before, or its own feed brings a
  changed text: what changes now is news now. Its page, or an edit of an article that is old or has no date, is not.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from pipeline.article import SCHEMA_VERSION, Article, Changes, encode_article
from pipeline.identity import content_hash
from pipeline.outcomes import Status
from pipeline.ports import ArticleRecord
from pipeline.settle.changes import changes_between
from pipeline.settle.kept import is_same_reading, with_text_of
from pipeline.topics import MAX_ARTICLE_BYTES

LATE_LIVE = timedelta(hours=48)
"""How long after its publication a backfilled article still counts as news when a live feed shows it."""

MAX_SEEN_IN = 500
"""Sightings that are named: enough to tell 5 outlets from 50, and a bound for what names a new file each time."""

ROOM_BYTES = 2_048
"""What settle may add to an article of the largest size: half of what a record has for that, its key and headers."""

MIN_FAMILY_CHARS = 100
"""Shorter bodies ("More to follow.") are alike by chance; they are compared together with their titles."""


class Source(Struct, frozen=True):
    """Where an article entered the path: the raw record, which stays the same through every redelivery."""

    place: str
    """``cluster/topic/partition``."""
    offset: int


class Decision(Struct, frozen=True, kw_only=True):
    """What to save and publish. ``record`` is None when nothing about the id changes."""

    status: Status
    record: ArticleRecord | None = None
    is_new_form: bool = False
    """Whether ``record.article`` is a form never published before, to be kept as a revision row."""
    publish: Article | None = None
    reason: str = ""
    """Why, or what of, when there is more to count than the status."""


def copy_key(article: Article) -> str:
    """Return a hash that exact copies share, whatever their white space and letter case; empty: too short to tell."""
    text = " ".join(article.body.casefold().split())
    if len(text) < MIN_FAMILY_CHARS:
        text = " ".join(article.title.casefold().split()) + "\n" + text
    return content_hash(text) if len(text) >= MIN_FAMILY_CHARS // 2 else ""


def decide_new(article: Article, source: Source, *, family: str, now: datetime) -> Decision:
    """The first form of an id."""
    settled = replace(
        article,
        first_seen=article.first_seen or now,
        content_hash=hash_of(article),
        revision=1,
        version=1,
        changes=None,
        family=family or article.id,
        story=family or article.id,
    )
    record = ArticleRecord(
        article=settled, went_live=article.lane == "live", seen_in=(), sources={source.place: source.offset}
    )
    return Decision(status=Status.PUBLISHED, record=record, is_new_form=True, publish=settled)


def decide_known(article: Article, known: ArticleRecord, source: Source, *, family: str, now: datetime) -> Decision:
    """A further form, a repeat or a sighting of an id that has a record."""
    if is_redelivery(known, source):
        return Decision(status=Status.DUPLICATE, publish=known.article)
    known = replace(known, sources=known.sources | {source.place: source.offset})
    is_news = article.lane == "live" and not article.first_poll and _is_still_news(article, known, now)
    if not _may_revise(article, known) or (_says_less(article, known) and article.feed != known.article.feed):
        return _sighting(article, known, is_news=is_news)
    settled = _next_form(article, known, family=family, is_news=is_news)
    if settled == known.article:
        return Decision(status=Status.DUPLICATE, record=known, publish=known.article)
    record = replace(known, article=settled, went_live=known.went_live or is_news)
    return Decision(status=Status.UPDATED, record=record, is_new_form=True, publish=settled)


def _sighting(article: Article, known: ArticleRecord, *, is_news: bool) -> Decision:
    """Another's feed or file shows it: its words stay, but it may be news from now on."""
    name = article.feed or article.source_path
    seen_in = known.seen_in
    if name and name not in {*seen_in, known.article.feed} and len(seen_in) < MAX_SEEN_IN:
        seen_in = (*seen_in, name)
    if is_news and (known.article.first_poll or not known.went_live):
        settled = replace(known.article, lane="live", first_poll=False, version=known.article.version + 1)
        record = replace(known, article=settled, went_live=True, seen_in=seen_in)
        return Decision(status=Status.UPDATED, record=record, is_new_form=True, publish=settled)
    changed = seen_in != known.seen_in
    return Decision(status=Status.DUPLICATE, record=replace(known, seen_in=seen_in) if changed else None)


def is_redelivery(known: ArticleRecord, source: Source) -> bool:
    """Whether this very input, or a later one from the same place, was settled before."""
    return source.offset <= known.sources.get(source.place, -1)


def hash_of(article: Article) -> str:
    """Return the content hash of an article's text."""
    return content_hash(article.title, article.summary, article.body)


def _may_revise(article: Article, known: ArticleRecord) -> bool:
    """Whether this source speaks for the article."""
    if article.lane == "backfill" and (known.went_live or _is_older(article, known.article)):
        return False
    if article.feed == known.article.feed:
        return True
    return bool(article.outlet) and article.outlet == known.article.outlet


def _says_less(article: Article, known: ArticleRecord) -> bool:
    """Whether this form has a title at most, as a sitemap's has, where the text is known."""
    return not (article.body or article.summary) and bool(known.article.body or known.article.summary)


def _is_older(article: Article, known: Article) -> bool:
    """Whether an archive has this form from before the known one: archives are read in any order, and again."""
    return bool(article.fetched and known.fetched and article.fetched < known.fetched)


def _is_still_news(article: Article, known: ArticleRecord, now: datetime) -> bool:
    published = known.article.published or article.published
    shown = article.first_seen or now  # when it was polled: that this step was off must not cost an alert
    return published is None or shown - published <= LATE_LIVE


def _next_form(article: Article, known: ArticleRecord, *, family: str, is_news: bool) -> Article:
    """Return the form to publish next: the incoming text under the recorded identity, or the last when equal."""
    last, is_other_feed = known.article, article.feed != known.article.feed
    if is_other_feed and hash_of(article) == last.content_hash:
        article = last  # another feed of the same outlet with the same text: its feed and tags are no news
    # The feed's teaser does not replace the page's text; a changed page is fetched and comes on its own.
    if _says_less(article, known) or (last.text_from == "page" and article.text_from == "feed"):
        article = with_text_of(last, article)
    new_hash = hash_of(article)
    is_revised = new_hash != last.content_hash and not is_same_reading(last, article)
    joined = family if family and last.family == last.id and is_revised else last.family
    ends_silence = is_news and (is_other_feed or (is_revised and last.published is not None))
    settled = replace(
        article,
        schema_version=last.schema_version,
        id=last.id,
        lane="live" if is_news or last.lane == "live" else "backfill",
        feed=last.feed,
        outlet=last.outlet,
        published=article.published or last.published,
        first_seen=last.first_seen,
        first_poll=last.first_poll and not ends_silence,
        content_hash=new_hash,
        revision=last.revision + is_revised,
        version=last.version,
        changes=changes_between(last, article) if is_revised else last.changes,
        family=joined,
        story=joined,
    )
    if replace(settled, fetched=last.fetched) == last:
        return last
    return _fitting(replace(settled, schema_version=SCHEMA_VERSION, version=last.version + 1))


def _fitting(article: Article) -> Article:
    """Return the article; where it fills its record to the brim, with no more of its changes than their numbers."""
    if article.changes is None or len(encode_article(article)) <= MAX_ARTICLE_BYTES + ROOM_BYTES:
        return article
    changes = article.changes
    numbers = Changes(
        characters_before=changes.characters_before, characters_after=changes.characters_after, share=changes.share,
        page_replaced_feed=changes.page_replaced_feed,
    )  # fmt: skip
    return replace(article, changes=numbers)
