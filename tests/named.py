"""Articles and a small gazetteer for the tests of names: what is in it is invented, or as common as Paris."""

from __future__ import annotations

from pipeline.article import Article, Entity
from pipeline.enrich.entities import enrich
from pipeline.enrich.gazetteer import Gazetteer
from pipeline.enrich.gazetteer_files import Row
from pipeline.enrich.tools import Tools
from pipeline.ingest.memory_pages import MemoryPages


def _place(key: str, name: str, kind: str, country: str, weight: int, **more: object) -> Row:
    return Row(id=key, kind="place", type=kind, name=name, country=country, weight=weight, **more)  # type: ignore[arg-type]


ROWS = (
    _place("l:fr", "France", "country", "FR", 67_000_000, aliases=("法国",)),
    _place("l:us", "United States", "country", "US", 330_000_000),
    _place("l:jo", "Jordan", "country", "JO", 11_000_000),
    _place("l:ge", "Georgia", "country", "GE", 3_700_000),
    _place("s:ga", "Georgia", "state", "US", 10_700_000),
    _place("s:tx", "Texas", "state", "US", 29_000_000),
    _place("l:lb", "Lebanon", "country", "LB", 5_000_000),
    _place("l:sg", "Singapore", "country", "SG", 5_600_000, aliases=("新加坡",)),
    _place("c:paris", "Paris", "city", "FR", 2_100_000, latitude=48.85, longitude=2.35),
    _place("c:paris-tx", "Paris", "city", "US", 25_000, latitude=33.66, longitude=-95.56),
    _place("c:beirut", "Beirut", "city", "LB", 360_000, latitude=33.89, longitude=35.5),
    _place("c:tbilisi", "Tbilisi", "city", "GE", 1_100_000),
    _place("c:atlanta", "Atlanta", "city", "US", 500_000),
    _place("c:jackson", "Jackson", "city", "US", 150_000),
    _place("c:nice", "Nice", "city", "FR", 340_000, context=("France", "French", "Riviera")),
    Row(id="p:qaani", kind="person", type="military", name="Esmail Qaani", aliases=("Ismail Qaani", "Qaani")),
    Row(id="p:doe", kind="person", name="Marlon Examplesson"),
    Row(id="o:who", kind="organisation", type="agency", name="World Health Organization", aliases=("WHO",)),
    Row(id="o:hamas", kind="organisation", name="Hamas"),
)


def small_tools(own: tuple[Row, ...] = ()) -> Tools:
    """Return tools with the small gazetteer."""
    return Tools(pages=MemoryPages(), languages=None, agencies=None, _loaded={"gazetteer": Gazetteer(ROWS, own)})  # type: ignore[arg-type] -- no model is asked


TOOLS = small_tools()


def entities_of(body: str, *, title: str = "", language: str = "en", **fields: str) -> tuple[Entity, ...]:
    """Return what the stage finds; each place that it gives is checked to be of a form of the name."""
    found = enrich(Article(id="a", title=title, body=body, language=language, **fields), TOOLS).entities  # type: ignore[arg-type]
    for entity in found:
        forms = {entity.name, *entity.aliases}
        assert {body[start:end] for start, end in entity.in_body} <= forms
        assert {title[start:end] for start, end in entity.in_title} <= forms
    return found


def names_of(body: str, **options: str) -> dict[str, list[str]]:
    """Return for each kind the names found, each with the forms it has: ``Name=form=form``."""
    named: dict[str, list[str]] = {"person": [], "organisation": [], "place": []}
    for entity in sorted(entities_of(body, **options), key=lambda entity: (entity.in_body or entity.in_title)[0]):  # type: ignore[arg-type]
        named[entity.kind].append("=".join((entity.name, *entity.aliases)))
    return named


def people(body: str, **options: str) -> list[str]:
    """Return the people found."""
    return names_of(body, **options)["person"]


def organisations(body: str, **options: str) -> list[str]:
    """Return the organisations found."""
    return names_of(body, **options)["organisation"]


def places(body: str, **options: str) -> list[str]:
    """Return the places found."""
    return names_of(body, **options)["place"]
