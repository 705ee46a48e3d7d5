"""What the fuzzer checks, on its seeds, on what it once found, and on what Hypothesis makes of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.findings import FINDINGS
from tests.fuzz.seeds import corpus
from tests.fuzz.targets import TARGETS

CASES = [(target, name, data) for target in TARGETS for name, data in {**corpus(target), **FINDINGS[target]}.items()]


@pytest.mark.parametrize(("target", "name", "data"), CASES, ids=[f"{target}-{name}" for target, name, _ in CASES])
def test_a_known_input_keeps_the_promises_of_its_target(target: str, name: str, data: bytes) -> None:
    TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
@given(st.data())
def test_a_damaged_message_keeps_the_promises_of_its_target(target: str, data: st.DataObject) -> None:
    seeds = corpus(target)
    raw = seeds[data.draw(st.sampled_from(sorted(seeds)))]
    start = data.draw(st.integers(0, len(raw)))
    end = data.draw(st.integers(start, min(len(raw), start + 200)))
    patch = data.draw(
        st.one_of(st.binary(max_size=8), st.sampled_from([b"|", b"^", b"~", b"&", b"\r", b"\x0b", b"\x1c\r"]))
    )
    TARGETS[target](raw[:start] + patch + raw[end:])
