"""Laws of the embedded log: whatever is published, read, left and reopened, a group sees the log as it is."""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from labohub.bus.embedded import EmbeddedBus
from labohub.contracts.envelope import Record
from tests.support.bus import reading

TOPIC = "test.report.v1"
Step = tuple[Literal["publish", "done", "leave", "reopen"], int]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
RECORDS = st.builds(Record, key=TEXT, value=st.binary(max_size=300), headers=st.dictionaries(TEXT, TEXT, max_size=4))
STEPS: st.SearchStrategy[Step] = st.tuples(
    st.sampled_from(["publish", "publish", "done", "done", "leave", "reopen"]), st.integers(min_value=1, max_value=5)
)


async def play(path: Path, records: Sequence[Record], steps: Sequence[Step]) -> None:
    """Play the steps beside a model: a list, and a position per group."""
    published: list[Record] = []
    positions = {"a": 0, "b": 0}
    bus = EmbeddedBus(path)
    await bus.open()
    for number, (step, size) in enumerate(steps):
        group = "ab"[number % 2]
        if step == "publish":
            new = [records[(len(published) + each) % len(records)] for each in range(size)]
            await bus.publish(TOPIC, new)
            published += new
        elif step == "reopen":
            await bus.close()
            bus = EmbeddedBus(path)
            await bus.open()
        elif positions[group] < len(published):
            async with reading(bus, TOPIC, group, max_records=size) as reader:
                batch = await reader.next()
                expected = published[positions[group] : positions[group] + size]
                assert [(r.key, r.value, dict(r.headers)) for r in batch.records] == [
                    (r.key, r.value, dict(r.headers)) for r in expected
                ]
                if step == "done":
                    await batch.done()
                    positions[group] += len(expected)
        assert await bus.lag(TOPIC, group) == len(published) - positions[group]
    await bus.close()


@settings(max_examples=40, deadline=None)
@given(records=st.lists(RECORDS, min_size=1, max_size=6), steps=st.lists(STEPS, max_size=25))
def test_a_group_sees_every_record_in_order_from_its_last_done(records: list[Record], steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "bus.sqlite", records, steps))
