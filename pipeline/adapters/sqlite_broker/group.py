"""Who of a group's members reads which partition: leases, fair shares, and the fence around commits.

A member is a row with an end; an owner row gives one partition to one member. A partition changes hands only when its
owner releases it, leaves, lets its lease run out, is gone from this machine, or is replaced under its own name. The
group's ``version`` grows with each such change, so a member that sees it unchanged has nothing to do and
writes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

import structlog
from msgspec import Struct

from pipeline.adapters.processes import holder_name, is_gone
from pipeline.adapters.sqlite_broker.log_file import LogFile
from pipeline.adapters.sqlite_broker.roster import Member, Roster
from pipeline.errors import MemberReplaced, PartitionLost, TryLater
from pipeline.ports import Clock, TopicPartition

log = structlog.get_logger("wirewatch")


def fair_share(partitions: int, names: Collection[str], name: str, turn: int) -> int:
    """Return how many partitions of a topic ``name`` reads; ``turn`` moves who gets one more from topic to topic."""
    each, over = divmod(partitions, len(names))
    rank = sorted(names).index(name)
    return each + ((rank + turn) % len(names) < over)


def to_release(mine: Collection[int], share: int, in_hand: Collection[int], overdue: bool) -> list[int]:
    """Return the partitions to give up: the surplus, but none with uncommitted records until that is ``overdue``."""
    idle_first = sorted(mine, key=lambda partition: (partition in in_hand, partition))
    surplus = idle_first[: max(0, len(mine) - share)]
    return [partition for partition in surplus if overdue or partition not in in_hand]


def to_put_out(members: Sequence[Member], me: int, now_ms: int) -> list[Member]:
    """Return the other members whose lease has ended or whose process is gone.

    A member that is late itself leaves the merely late alone: the machine slept, or the clock was set forward.
    """
    late = any(member.id == me and member.expires_ms <= now_ms for member in members)
    return [
        member
        for member in members
        if member.id != me and ((member.expires_ms <= now_ms and not late) or is_gone(member.holder))
    ]


class Standing(Struct, frozen=True):
    """What a member knows of itself; replaced as a whole once a transaction is committed."""

    id: int = 0
    """Changes when the member had to join anew: what it owned before was in other hands meanwhile."""
    owned: frozenset[TopicPartition] = frozenset()
    version: int = -1
    expires_ms: int = 0
    owes_since_ms: int | None = None
    """Since when it has had more than its share, because records of the surplus are in hand."""


class Membership:
    """One member of one group. Joins at once; a given ``member`` name takes over what that name had, and fences it."""

    def __init__(
        self, file: LogFile, group: str, topics: Collection[str], *, member: str, clock: Clock, lease_seconds: float
    ) -> None:
        self.group = group
        self.standing = Standing()
        self._file = file
        self._topics = frozenset(topics)
        self._holder = holder_name(member)
        self._name = member or self._holder
        self._clock = clock
        self._lease_ms = int(lease_seconds * 1000)
        self._checked_ms = 0
        with file.writing() as sql:
            self.roster = Roster(sql, group)
            standing = self._balanced(sql, frozenset())
        self.standing = standing

    def keep(self, in_hand: Collection[TopicPartition]) -> None:
        """Stay a member and move towards the fair share; ``in_hand`` are partitions with uncommitted records.

        Writes only when a third of the lease has passed or the group has changed.

        Raises:
            MemberReplaced: another process has joined under this member's name.
        """
        now = self._now()
        with self._file.reading():
            changed = self.roster.version() != self.standing.version or self.standing.owes_since_ms is not None
            if not changed and not self._is_check_due(now):
                return
            dead = to_put_out(self.roster.members(), self.standing.id, now)
        self._checked_ms = now
        if not changed and not dead and not self._is_renewal_due(now):
            return
        try:
            with self._file.writing() as sql:
                standing = self._balanced(sql, in_hand)
            self.standing = standing
        except TryLater as later:
            self._warn(later)  # nobody else can write either; reading goes on, and each commit is fenced

    def renew(self) -> None:
        """Stay a member, but neither take nor give. Raises ``PartitionLost`` when the group has put this one out."""
        now = self._now()
        with self._file.reading():
            if self.roster.version() == self.standing.version and not self._is_check_due(now):
                return
            if self.standing.id not in {member.id for member in self.roster.members()}:
                raise PartitionLost(f"{self.group} has given this member's partitions away: its lease ran out")
        self._checked_ms = now
        if not self._is_renewal_due(now):
            return
        ends = now + self._lease_ms
        try:
            with self._file.writing():
                self.roster.extend(self.standing.id, ends)
            self.standing = Standing(self.standing.id, self.standing.owned, self.standing.version, ends)
        except TryLater as later:
            self._warn(later)

    def leave(self) -> None:
        """Give everything up at once."""
        try:
            with self._file.writing():
                self.roster.remove(self.standing.id)
                self.roster.raise_version()
        except TryLater as later:
            self._warn(later)

    # --- one transaction

    def _balanced(self, sql: sqlite3.Connection, in_hand: Collection[TopicPartition]) -> Standing:
        """Join where that is needed, renew the lease, put out the dead, give up the surplus and claim what is free."""
        now, me, expires = self._now(), self.standing.id, self.standing.expires_ms
        members = self.roster.members()
        dead = to_put_out(members, me, now)
        for member in dead:
            self.roster.remove(member.id)
        joins = me not in {member.id for member in members}
        if joins:
            if me and any(member.name == self._name for member in members if member not in dead):
                raise MemberReplaced(
                    f"another process has joined {self.group} as {self._name}, a name for one only; give each its own "
                    "with the setting member, or leave it empty"
                )
            me = self.roster.enter(self._name, self._holder, self._topics, now + self._lease_ms)
        if joins or self._is_renewal_due(now):
            expires = now + self._lease_ms
            self.roster.extend(me, expires)
        since = self.standing.owes_since_ms
        overdue = since is not None and now - since >= self._lease_ms
        moved, owes = self._shared(sql, me, in_hand, overdue)
        if dead or joins or moved:
            self.roster.raise_version()
        return Standing(
            me,
            self.roster.owned(me),
            self.roster.version(),
            expires,
            (now if since is None else since) if owes else None,
        )

    def _shared(
        self, sql: sqlite3.Connection, me: int, in_hand: Collection[TopicPartition], overdue: bool
    ) -> tuple[bool, bool]:
        """Move each topic towards its fair shares; return whether anything moved and whether a surplus remains."""
        moved = owes = False
        members = self.roster.members()
        for topic in sorted(self._topics):
            row = self._file.topic_row(sql, topic)
            if row is None:
                continue
            owners = self.roster.owners(row.id)
            mine = [partition for partition, owner in owners.items() if owner == me]
            share = fair_share(row.partitions, [m.name for m in members if topic in m.topics], self._name, row.id)
            release = to_release(mine, share, {place.partition for place in in_hand if place.topic == topic}, overdue)
            free = [partition for partition in range(row.partitions) if partition not in owners]
            claim = free[: max(0, share - len(mine))]
            self.roster.release(row.id, release)
            self.roster.claim(row.id, claim, me)
            moved = moved or bool(release or claim)
            owes = owes or len(mine) - len(release) > share
        return moved, owes

    # --- time

    def _now(self) -> int:
        return int(self._clock().timestamp() * 1000)

    def _is_check_due(self, now: int) -> bool:
        """About once a second, and at once when the clock was set back."""
        return not self._checked_ms <= now < self._checked_ms + min(1000, self._lease_ms // 3)

    def _is_renewal_due(self, now: int) -> bool:
        return not self._lease_ms * 2 // 3 <= self.standing.expires_ms - now <= self._lease_ms

    def _warn(self, later: TryLater) -> None:
        log.warning("group not told", group=self.group, cause=later.cause, next="tried again; else the lease ends")
