"""Topics: made with partitions and retention of our own choice, never by accident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from kafka import errors
from kafka.admin import ConfigResource, ConfigResourceType

from pipeline.errors import WirewatchError
from pipeline.topics import MAX_RECORD_BYTES, Topic

RECORD_BATCH_BYTES: Final = 1_048_588
"""Kafka's own default for ``max.message.bytes``, asked for in case a cluster sets a lower one."""
LEAST_BATCH_BYTES: Final = MAX_RECORD_BYTES + 65_536
"""That a topic must take: the largest record alone in its batch, with the batch's own head."""
COPIES_FOR_A_QUORUM: Final = 3


def partitions_of(admin: Any, names: Sequence[str] | None = None) -> dict[str, int]:
    """Return the number of partitions of these topics, where they exist; of all when none is named."""
    return {
        topic["name"]: len(topic["partitions"])
        for topic in admin.describe_topics(None if names is None else list(names))
        if not topic["error_code"] and not topic["is_internal"]
    }


def problems(admin: Any, topics: Sequence[Topic]) -> list[str]:
    """Return what keeps these topics from being used as they should, a phrase each.

    What this user may not be told counts as well.
    """
    there = partitions_of(admin, [topic.name for topic in topics])
    found = []
    if missing := [topic.name for topic in topics if topic.name not in there]:
        found.append(f"there is no topic {', '.join(missing)}")
    found += [
        f"{topic.name} has {there[topic.name]} partitions, at least {topic.partitions} are wanted"
        for topic in topics
        if there.get(topic.name, topic.partitions) < topic.partitions
    ]
    found += [
        f"{name} takes batches of {most} bytes at most, a record needs {LEAST_BATCH_BYTES} (its max.message.bytes)"
        for name, most in _most_bytes(admin, sorted(there)).items()
        if most < LEAST_BATCH_BYTES
    ]
    return found


def _most_bytes(admin: Any, names: Sequence[str]) -> dict[str, int]:
    """Return ``max.message.bytes`` of those topics whose settings this user may read."""
    asked = [ConfigResource(ConfigResourceType.TOPIC, name, ["max.message.bytes"]) for name in names]
    try:
        settings = admin.describe_configs(asked, config_filter="all")["topic"] if asked else {}
    except errors.AuthorizationError:
        return {}
    values = {name: _value(settings.get(name, {}), "max.message.bytes") for name in names}
    return {name: int(value) for name, value in values.items() if value.isdigit()}


def create(admin: Any, topics: Sequence[Topic], replication: int) -> None:
    """Create what is missing, and bring the retention of the others up to date.

    Raises:
        WirewatchError: this user may not create topics; the message names them.
    """
    there = partitions_of(admin)
    missing = [topic for topic in topics if topic.name not in there]
    if missing:
        _create(admin, missing, replication)
    _keep(admin, [topic for topic in topics if topic.name in there])


def _create(admin: Any, topics: Sequence[Topic], replication: int) -> None:
    wanted = {
        topic.name: {
            "num_partitions": topic.partitions,
            "replication_factor": replication,
            "configs": _settings(topic, replication),
        }
        for topic in topics
    }
    try:
        answer = admin.create_topics(wanted, raise_errors=False)
        for topic in answer["topics"]:
            error = errors.for_code(topic["error_code"])
            if error not in {errors.NoError, errors.TopicAlreadyExistsError}:  # another process was quicker
                raise error(f"{topic['name']}: {topic.get('error_message') or 'cannot be created'}")
        admin.wait_for_topics(list(wanted))
    except (errors.AuthorizationError, errors.PolicyViolationError, errors.InvalidReplicationFactorError) as error:
        raise WirewatchError(
            f"Kafka does not let these topics be created: {', '.join(wanted)} ({error}). Let this user create them, or "
            f"create them by hand with {topics[0].partitions} partitions and max.message.bytes of at least "
            f"{LEAST_BATCH_BYTES}, then start again."
        ) from error


def _settings(topic: Topic, replication: int) -> dict[str, str]:
    settings = {
        "retention.ms": _milliseconds(topic),
        "max.message.bytes": str(RECORD_BATCH_BYTES),
        "cleanup.policy": "delete",
    }
    if replication >= COPIES_FOR_A_QUORUM:
        settings["min.insync.replicas"] = "2"  # an acknowledged record survives the loss of any one broker
    return settings


def _keep(admin: Any, topics: Sequence[Topic]) -> None:
    """Set the retention where it is another; a cluster's owner may have set everything else."""
    if not topics:
        return
    asked = [ConfigResource(ConfigResourceType.TOPIC, topic.name, ["retention.ms"]) for topic in topics]
    now = admin.describe_configs(asked, config_filter="all")["topic"]
    changed = [
        ConfigResource(ConfigResourceType.TOPIC, topic.name, {"retention.ms": _milliseconds(topic)})
        for topic in topics
        if _value(now.get(topic.name, {}), "retention.ms") != _milliseconds(topic)
    ]
    if changed:
        admin.alter_configs(changed)


def _value(settings: Mapping[str, Any], name: str) -> str:
    entry = settings.get(name)
    return str(entry["value"] if isinstance(entry, dict) else entry)


def _milliseconds(topic: Topic) -> str:
    return str(topic.retention // timedelta(milliseconds=1))
