"""Laws of results and orders: what is written is read; the latest word stands, whatever the order of arrival."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest_hl7.core import demand
from ingest_hl7.core.decision import Structured
from ingest_hl7.core.results import Places
from ingest_hl7.core.senders import Sender, Transaction
from ingest_hl7.core.structuring import decide
from labohub.contracts.laboratory import Battery, Code, LaboratoryReport, Result
from labohub.standards.er7 import escape
from labohub.standards.hl7.results import group_orders
from tests.support.ingest import pid
from tests.support.ltw import er7_of, msh, obr, obx, orc, oru, read, receipt, spm

PRINTABLE = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs")), min_size=1, max_size=20
)
TEXTS = PRINTABLE.filter(lambda text: text.strip() == text and text != '""')
NUMBERS = st.from_regex(r"[+-]?[0-9]{1,6}(\.[0-9]{1,4})?", fullmatch=True)
IDENTIFIERS = st.from_regex(r"[A-Z][A-Z0-9]{0,7}", fullmatch=True)


@dataclass(frozen=True)
class Line:
    """One result as it is written."""

    code: str
    kind: str
    value: str
    sub_id: str
    status: str
    flags: tuple[str, ...]

    def written(self) -> str:
        return obx(
            f"{self.code}^{self.code}^99REM", escape(self.value) if self.kind == "ST" else self.value, kind=self.kind,
            sub_id=self.sub_id, status=self.status, flags="~".join(self.flags), unit="",
        )  # fmt: skip


LINES = st.one_of(
    st.tuples(st.just("NM"), NUMBERS),
    st.tuples(st.just("ST"), TEXTS),
    st.tuples(st.just("SN"), NUMBERS.map(lambda n: f"<^{n}")),
).flatmap(
    lambda value: st.builds(
        Line,
        code=IDENTIFIERS,
        kind=st.just(value[0]),
        value=st.just(value[1]),
        sub_id=st.sampled_from(["", "1", "2", "1.1"]),
        status=st.sampled_from(list("FCPSXRIWD")),
        flags=st.lists(st.sampled_from(["N", "H", "L", "A", "S", "R"]), max_size=2).map(tuple),
    )
)
ORDERS = st.lists(st.lists(LINES, max_size=6), min_size=1, max_size=5)


def told(report: LaboratoryReport) -> list[list[Line]]:
    return [
        [
            Line(each.local_code.code if each.local_code else "", each.value_type, each.value, each.sub_id, each.status,
                 each.flags)
            for each in battery.results
        ]
        for battery in report.batteries
    ]  # fmt: skip


def decided(raw: bytes, sender: Sender | None = None) -> LaboratoryReport:
    found = decide(read(raw), receipt(), sender or Sender(), "test")
    assert isinstance(found, Structured)
    return found.state


@settings(max_examples=60, deadline=None)
@given(ORDERS)
def test_every_result_of_any_oru_is_read_as_it_was_written(orders: list[list[Line]]) -> None:
    lines = [
        line
        for number, results in enumerate(orders)
        for line in (orc(f"F{number}"), obr(f"F{number}"), *(each.written() for each in results), spm(f"T{number}"))
    ]
    report = decided(oru(*lines))
    assert told(report) == orders
    assert [battery.filler_number for battery in report.batteries] == [f"F{number}" for number in range(len(orders))]
    assert [battery.specimens[0].identifier for battery in report.batteries] == [
        f"T{number}" for number in range(len(orders))
    ]


@settings(max_examples=60, deadline=None)
@given(ORDERS, st.sampled_from(["R22", "R24"]))
def test_an_oul_says_the_same_as_an_oru(orders: list[list[Line]], event: str) -> None:
    lines: list[str] = []
    for number, results in enumerate(orders):
        order = (obr(f"F{number}"), orc(f"F{number}"))
        tube = (spm(f"T{number}"), f"SAC|||C{number}")
        lines += (*tube, *order) if event == "R22" else (*order, *tube)
        lines += [each.written() for each in results]
    report = decided(er7_of(msh(f"OUL^{event}^OUL_{event}"), pid(), *lines), Sender(transactions=(Transaction.LAB_3,)))
    assert told(report) == orders
    assert [battery.specimens[0].identifier for battery in report.batteries] == [
        f"T{number}" for number in range(len(orders))
    ]


PRIORS = st.lists(st.sampled_from(["pr", "patient", "bare"]), max_size=3)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["NW", "CA", "SC", "XO"]), PRIORS), min_size=1, max_size=6))
def test_prior_results_never_swallow_an_order_nor_become_one(orders: list[tuple[str, list[str]]]) -> None:
    lines: list[str] = []
    for number, (control, priors) in enumerate(orders):
        lines += [orc(f"F{number}", control=control), obr(f"F{number}"), obx(f"Q{number}^Q^99REM", status="O")]
        for at, prior in enumerate(priors):
            head = {"pr": [orc(f"O{at}", control="PR")], "patient": [pid(), "PV1|1|I", orc(f"O{at}")], "bare": [pid()]}[
                prior
            ]
            lines += [*head, obr(f"O{at}"), obx("OLD^Old^99REM")]
    grouped = group_orders(read(er7_of(msh("OML^O21^OML_O21"), pid(), *lines)))
    assert [(group.text(3), group.control) for group in grouped.orders] == [
        (f"F{number}", control) for number, (control, _) in enumerate(orders)
    ]
    assert [len(group.prior) for group in grouped.orders] == [len(priors) for _, priors in orders]
    assert [[each.obx.component(3, 1) for each in group.observations] for group in grouped.orders] == [
        [f"Q{number}"] for number in range(len(orders))
    ]
    assert len(grouped.patients) == 1


def state(values: Sequence[str], minute: int) -> LaboratoryReport:
    results = tuple(
        Result(local_code=Code(code=f"K{at}"), value_type="NM", value=value, status="C")
        for at, value in enumerate(values)
    )
    battery = Battery(
        code=Code(code="B"), filler_number="F1", status="C", reported_at=f"202603120930{minute:02}", results=results
    )
    return LaboratoryReport(number="D1", batteries=(battery,))


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_whatever_the_order_of_arrival_the_latest_word_stands(data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 4))
    versions = data.draw(st.lists(st.lists(NUMBERS, min_size=count, max_size=count), min_size=1, max_size=6))
    messages = [state(values, minute) for minute, values in enumerate(versions)]
    arrival = data.draw(st.permutations(messages))
    known = demand.begin(arrival[0], sent_at="").report
    for message in arrival[1:]:
        places = Places(["OBR^1"], [["OBX^1"] * count])
        known = demand.apply(known, {}, message, places, sent_at="", snapshot=False).report
    assert [each.value for each in known.batteries[0].results] == versions[-1]


@settings(max_examples=60, deadline=None)
@given(ORDERS)
def test_a_message_that_comes_twice_changes_nothing(orders: list[list[Line]]) -> None:
    lines = [
        line
        for number, results in enumerate(orders)
        for line in (orc(f"F{number}"), obr(f"F{number}"), *(each.written() for each in results))
    ]
    found = decide(read(oru(*lines)), receipt(), Sender(), "test")
    assert isinstance(found, Structured)
    again = demand.apply(found.state, {}, found.fresh.results, found.fresh.places, sent_at="", snapshot=False)
    assert told(again.report) == orders
