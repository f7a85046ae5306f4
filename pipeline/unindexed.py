"""Articles that the state knows and the index lacks: how a lost index, or one not rebuilt yet, is noticed."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

from msgspec import Struct

from pipeline import topics, wiring
from pipeline.index import run as index
from pipeline.index.retention import is_past
from pipeline.ports import SearchIndex
from pipeline.query.tree import Everything
from pipeline.settle import run as settle
from pipeline.wiring import Ports


class Holdings(Struct, frozen=True):
    """How many articles the state knows, and how many of them the index lacks though nothing is to bring them."""

    known: int
    lacking: int

    def __str__(self) -> str:
        return f"the index lacks {self.lacking:,} of the {self.known:,} articles that the state knows"


def look_up_holdings(ports: Ports, target: SearchIndex) -> Holdings:
    """Compare what the state knows with what the index holds; cheap, and never wrong about what is only on its way.

    The order of the looks matters: an article known at the first is, at each later one, still waiting, refused, in the
    index, or deleted. Where months are dropped, and on Elasticsearch, which shows a write only after a refresh, numbers
    say too little, so there an index counts as lost only when it is empty.

    Raises:
        TryLater, WirewatchError: state, broker or index cannot be read.
    """
    known = ports.state.count_articles()
    coming = _waiting(ports, settle.GROUP, settle.INPUTS) + _waiting(ports, index.GROUP, index.INPUTS)
    refused = sum(ports.broker.end_offsets([topics.dead(name) for name in index.INPUTS]).values())
    held = target.search(Everything(), limit=1).total
    known = min(known, ports.state.count_articles())
    lacking = max(0, known - coming - refused - held)
    if lacking and (ports.settings.index_keep_days or wiring.is_elasticsearch(ports.settings)):
        is_lost = not held and not coming and _lacks_what_is_kept(ports, target)
        return Holdings(known, lacking if is_lost else 0)
    return Holdings(known, lacking)


def _waiting(ports: Ports, group: str, names: Collection[str]) -> int:
    done = ports.broker.committed(group, names)
    return sum(max(0, end - done.get(place, 0)) for place, end in ports.broker.end_offsets(names).items())


def _lacks_what_is_kept(ports: Ports, target: SearchIndex) -> bool:
    """Whether an article that is not past its retention is nowhere in the index, not even unrefreshed."""
    now, days = ports.clock(), ports.settings.index_keep_days
    kept = (each for each in ports.state.all_articles() if not is_past(f"{each.first_seen:%Y-%m}", now, days))
    return any(target.get(each.id) is None for each in islice(kept, 1))
