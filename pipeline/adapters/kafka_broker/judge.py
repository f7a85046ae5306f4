"""What an error of kafka-python means to us: wait, give the partition up, or stop and say why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kafka import errors

from pipeline.errors import PartitionLost, TryLater, WirewatchError

HOPELESS = (
    errors.AuthorizationError,
    errors.SaslAuthenticationFailedError,
    errors.UnsupportedSaslMechanismError,
    errors.IllegalSaslStateError,
    errors.UnsupportedVersionError,
    errors.InvalidSessionTimeoutError,
    errors.InconsistentGroupProtocolError,
    errors.InvalidGroupIdError,
    errors.KafkaConfigurationError,
    errors.UnsupportedCodecError,
)
"""Waiting does not help; a person has to change a setting here or there."""

NO_MEMBER = (
    errors.CommitFailedError,
    errors.UnknownMemberIdError,
    errors.IllegalGenerationError,
    errors.FencedInstanceIdError,
)
"""The group went on without this member."""


@contextmanager
def judged(doing: str) -> Iterator[None]:
    """Turn errors of kafka-python into ours.

    Raises:
        WirewatchError: for a person; PartitionLost: the group went on without us; TryLater: anything else.
    """
    try:
        yield
    except NO_MEMBER as error:
        raise PartitionLost(f"{doing}: {error}") from error
    except HOPELESS as error:
        raise WirewatchError(
            f"Kafka refuses ({doing}): {error}. Check the user, its rights and the settings of the broker's URL; "
            "nothing was lost, start again when that is mended."
        ) from error
    except errors.KafkaError as error:
        raise TryLater(f"Kafka: {doing}: {error}") from error
