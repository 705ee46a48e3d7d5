from datetime import timedelta

from console.core.lanes import LANES, Moment, draw, grouped
from tests.support.console import START


def moments(*steps: tuple[str, str], message_id: str = "m1") -> list[Moment]:
    return [
        Moment(START + timedelta(seconds=number), message_id, lane, step, "ok")
        for number, (lane, step) in enumerate(steps)
    ]


def test_the_same_step_for_several_recipients_is_one_dot_with_a_count() -> None:
    nodes = grouped(
        moments(("mss-sender", "mail.accepted"), ("dmp-feeder", "dmp.accepted"), ("mss-sender", "mail.accepted"))
    )
    assert [(node.moment.step, node.count) for node in nodes] == [("mail.accepted", 2), ("dmp.accepted", 1)]


def test_steps_that_alternate_between_recipients_are_one_dot_each() -> None:
    steps = [("mss-sender", "mail.delivered"), ("mss-sender", "mail.read"), ("mss-sender", "mail.delivered")]
    assert [(node.moment.step, node.count) for node in grouped(moments(*steps))] == [
        ("mail.delivered", 2),
        ("mail.read", 1),
    ]


def test_the_steps_of_two_messages_are_never_one_dot() -> None:
    steps = (("ingest-hl7", "report.received"),)
    assert len(grouped([*moments(*steps), *moments(*steps, message_id="m2")])) == 2


def test_a_further_message_begins_after_a_border_and_has_its_own_curve() -> None:
    steps = (("ingest-hl7", "report.received"), ("ins-qualifier", "identity.qualified"))
    picture = draw([*moments(*steps), *moments(*steps, message_id="m2")], compact=True)
    first, second, third, _ = picture.nodes
    assert second.x < picture.borders[0] < third.x
    assert len(picture.curves) == 2
    assert first.x < second.x


def test_lanes_are_in_the_order_a_report_travels_and_an_unknown_service_comes_last() -> None:
    picture = draw(moments(("new-service", "a"), ("dmp-feeder", "b")), compact=False)
    assert [lane for lane, _ in picture.lanes] == [*LANES, "new-service"]


def test_a_report_without_steps_is_an_empty_picture() -> None:
    picture = draw([], compact=True)
    assert (picture.nodes, picture.curves) == ([], [])


def test_messages_that_overlap_in_time_are_drawn_one_after_the_other() -> None:
    first, second = (moments(("ingest-hl7", "a"), ("dmp-feeder", "b"), message_id=name) for name in ("m1", "m2"))
    picture = draw([first[0], second[0], first[1], second[1]], compact=True)
    assert [node.moment.message_id for node in picture.nodes] == ["m1", "m1", "m2", "m2"]
    assert len(picture.borders) == 1
