"""What aiokafka raises, in the hub's words."""

import pytest
from aiokafka import errors

from labohub.bus.kafka_errors import KafkaRefusesUs, translate
from labohub.bus.port import BusClosed, BusUnavailable
from labohub.errors import Misconfigured, Unavailable


@pytest.mark.parametrize(
    "error",
    [
        errors.KafkaConnectionError(),
        errors.KafkaTimeoutError(),
        errors.NotLeaderForPartitionError(),
        errors.OutOfOrderSequenceNumber(),
        errors.NotEnoughReplicasError(),
        TimeoutError(),
    ],
)
def test_what_time_heals_is_unavailable(error: Exception) -> None:
    assert type(translate(error)) is BusUnavailable
    assert isinstance(translate(error), Unavailable)


@pytest.mark.parametrize(
    "error",
    [
        errors.TopicAuthorizationFailedError("labohub.report.v1"),
        errors.GroupAuthorizationFailedError(),
        errors.SaslAuthenticationFailed(),
        errors.InvalidTopicError(),
    ],
)
def test_what_the_operator_must_change_is_misconfigured(error: Exception) -> None:
    assert type(translate(error)) is KafkaRefusesUs
    assert isinstance(translate(error), Misconfigured)


def test_a_client_that_was_closed_is_a_closed_log() -> None:
    assert type(translate(errors.ProducerClosed())) is BusClosed


def test_the_text_of_a_library_is_not_repeated() -> None:
    assert "secret" not in str(translate(errors.KafkaError("secret")))
