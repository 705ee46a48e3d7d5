"""The partition of a key is the one that every Kafka client gives it."""

import pytest
from aiokafka.partitioner import murmur2


@pytest.mark.parametrize(
    ("key", "hashed"),
    [("21", -973932308), ("foobar", -790332482), ("a-little-bit-long-string", -985981536), ("abc", 479470107)],
)
def test_keys_hash_as_in_the_java_client(key: str, hashed: int) -> None:
    """Source: Apache Kafka, UtilsTest.testMurmur2."""
    value = murmur2(key.encode())
    assert (value - (1 << 32) if value >= 1 << 31 else value) == hashed
