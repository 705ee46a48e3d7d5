"""The way to the DMP, open or not."""

from datetime import UTC, datetime, timedelta

from dmp_feeder.core.channel import Channel

NOW = datetime(2026, 7, 14, tzinfo=UTC)


def test_an_open_channel_lets_whole_batches_through() -> None:
    assert Channel().take(NOW, 8) == 8


def test_after_a_failure_nobody_tries_until_the_wait_is_over() -> None:
    channel = Channel()
    channel.failed(NOW, 10)
    assert channel.take(NOW + timedelta(seconds=9), 8) == 0


def test_after_the_wait_one_document_tries_for_all() -> None:
    channel = Channel()
    channel.failed(NOW, 10)
    later = NOW + timedelta(seconds=10)
    assert [channel.take(later, 8), channel.take(later, 8)] == [1, 0]
    channel.give_back()
    assert channel.take(later, 8) == 1


def test_an_answer_opens_the_channel_for_all() -> None:
    channel = Channel()
    channel.failed(NOW, 10)
    channel.succeeded()
    assert channel.take(NOW, 8) == 8


def test_a_shorter_wait_does_not_shorten_a_longer_one() -> None:
    channel = Channel()
    channel.failed(NOW, 600)
    channel.failed(NOW, 2)
    assert channel.take(NOW + timedelta(seconds=3), 8) == 0


def test_documents_that_fail_together_are_one_failure() -> None:
    channel = Channel()
    for _ in range(8):
        channel.failed(NOW, 2)
    assert channel.failures == 1
    channel.failed(NOW + timedelta(seconds=2), 4)
    assert channel.failures == 2
