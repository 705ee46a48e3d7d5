"""The picture of a timeline: one lane per service, one node per step, in the order of time."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

LANES = ("ingest-hl7", "ins-qualifier", "cda-builder", "mss-sender", "dmp-feeder")
LANE_HEIGHT = 46
LEFT = 150  # pixels kept for the lanes' names
MIN_GAP, MAX_GAP = 80, 132  # pixels between two columns
WIDTH = 1030


@dataclass(frozen=True, slots=True)
class Moment:
    """One step as the picture needs it; `anchor` names its row in the full list."""

    at: datetime
    message_id: str
    lane: str
    step: str
    outcome: str
    target: str = ""
    code: str = ""
    anchor: str = ""


@dataclass(slots=True)
class Node:
    """One dot: the same step several times in a row is one dot with a count."""

    moment: Moment
    count: int = 1
    x: int = 0
    y: int = 0
    since_seconds: float = 0.0  # since the column before


@dataclass(slots=True)
class Picture:
    """Where to draw lanes, nodes and the curves between them; sizes in pixels."""

    width: int
    height: int
    lanes: list[tuple[str, int]] = field(default_factory=list)
    nodes: list[Node] = field(default_factory=list)
    curves: list[str] = field(default_factory=list)  # SVG path data
    borders: list[int] = field(default_factory=list)  # where a further message about the report begins


def grouped(moments: Sequence[Moment]) -> list[Node]:
    """Return one node per step and outcome of a message, where it came first: ten recipients are one dot."""
    nodes: dict[tuple[str, str, str, str], Node] = {}
    for moment in moments:
        key = (moment.message_id, moment.lane, moment.step, moment.outcome)
        if key in nodes:
            nodes[key].count += 1
        else:
            nodes[key] = Node(moment)
    return list(nodes.values())


def draw(moments: Sequence[Moment], *, compact: bool) -> Picture:
    """Return the picture of steps given in the order of time; each message about the report has its own part."""
    order = {message_id: place for place, message_id in enumerate(dict.fromkeys(m.message_id for m in moments))}
    moments = sorted(moments, key=lambda moment: order[moment.message_id])  # stable: time within a message
    nodes = grouped(moments) if compact else [Node(moment) for moment in moments]
    shown = {node.moment.lane for node in nodes}
    lanes = [*LANES, *sorted(shown - set(LANES))]
    rows = {lane: LANE_HEIGHT // 2 + index * LANE_HEIGHT for index, lane in enumerate(lanes)}
    gap = max(MIN_GAP, min(MAX_GAP, (WIDTH - LEFT - 60) // max(1, len(nodes) - 1)))
    picture = Picture(0, LANE_HEIGHT * len(lanes), [(lane, rows[lane]) for lane in lanes], nodes)
    for index, node in enumerate(nodes):
        node.x, node.y = LEFT + 34 + index * gap, rows[node.moment.lane]
        if index:
            node.since_seconds = (node.moment.at - nodes[index - 1].moment.at).total_seconds()
    seen: set[str] = set()
    for node in nodes:
        if seen and node.moment.message_id not in seen:
            picture.borders.append(node.x - gap // 2)
        seen.add(node.moment.message_id)
    last: dict[str, Node] = {}
    for after in nodes:
        before = last.get(after.moment.message_id)
        last[after.moment.message_id] = after
        if before is not None:
            middle = (before.x + after.x) // 2
            picture.curves.append(f"M{before.x} {before.y} C{middle} {before.y} {middle} {after.y} {after.x} {after.y}")
    picture.width = max(WIDTH, nodes[-1].x + 60) if nodes else WIDTH
    return picture
