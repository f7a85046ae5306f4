"""Every port, a file each: what the steps need of the world outside, and what each adapter promises.

The promises are the contract suites in ``tests/contract``; an adapter is correct when it passes them. All calls are
synchronous and safe from one thread (an adapter is opened once per thread), but for ``Http``, which is asyncio. Times
are aware datetimes in UTC and always passed in. Nothing opened here may cross a fork.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from pipeline.ports.broker import Broker, Consumer, Message, Record, TopicPartition, batched_records
from pipeline.ports.index import CountField, Hit, Hits, IndexDelete, IndexOutcome, SearchIndex, Sort
from pipeline.ports.outgoing import Channel, Http, Response
from pipeline.ports.outlets import PAGES_KEPT, OutletBreak, OutletPage, OutletPages, PageNorm
from pipeline.ports.pages import Pages
from pipeline.ports.profiles import NoProfiles, Profiles, UntoldProfiles
from pipeline.ports.robots import RobotsAnswer, RobotsCache
from pipeline.ports.state import (
    ArticleRecord,
    FeedNumbers,
    Feeds,
    FetchQueue,
    Gap,
    Lease,
    Leases,
    Ledger,
    Marker,
    Outbox,
    PageRequest,
    PageTrouble,
    PollDay,
    PollResult,
    PollTally,
    Progress,
    Records,
    Request,
    Requests,
    Revision,
    Settling,
    State,
)

Clock = Callable[[], datetime]

__all__ = [
    "PAGES_KEPT",
    "ArticleRecord",
    "Broker",
    "Channel",
    "Clock",
    "Consumer",
    "CountField",
    "FeedNumbers",
    "Feeds",
    "FetchQueue",
    "Gap",
    "Hit",
    "Hits",
    "Http",
    "IndexDelete",
    "IndexOutcome",
    "Lease",
    "Leases",
    "Ledger",
    "Marker",
    "Message",
    "NoProfiles",
    "Outbox",
    "OutletBreak",
    "OutletPage",
    "OutletPages",
    "PageNorm",
    "PageRequest",
    "PageTrouble",
    "Pages",
    "PollDay",
    "PollResult",
    "PollTally",
    "Profiles",
    "Progress",
    "Record",
    "Records",
    "Request",
    "Requests",
    "Response",
    "Revision",
    "RobotsAnswer",
    "RobotsCache",
    "SearchIndex",
    "Settling",
    "Sort",
    "State",
    "TopicPartition",
    "UntoldProfiles",
    "batched_records",
]
