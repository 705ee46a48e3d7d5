"""The public contract of the SGL events: what the published schemas say is what is taken, by an independent reader."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import labohub.contracts
from labohub.contracts import sgl

FOLDER = Path(labohub.contracts.__file__).parent / "schemas" / "sgl"
BASE = {
    "id": "E-1",
    "occurred_at": "2026-03-12T10:05:00+01:00",
    "source": {"application": "S", "facility": "F"},
    "subject": {"kind": "order", "value": "D1"},
}
RECIPIENT = {"kind": "professional", "address": "a.b@medecin.mssante.fr"}
DATA: dict[str, dict[str, Any]] = {
    "report.validated": {},
    "report.hold": {"next_version": True},
    "report.release": {},
    "consent.recorded": {"feeding": "opposed"},
    "announcement.done": {},
    "recipients.changed": {"add": [RECIPIENT]},
}


def body(kind: str, **changes: Any) -> dict[str, Any]:
    """Return an event of a type."""
    return {**BASE, "type": kind, "data": DATA[kind], **changes}


def is_valid(instance: Any, kind: str) -> bool:
    """Return what an independent validator says under the published schema."""
    schema = json.loads((FOLDER / f"{kind}.json").read_text())
    return bool(jsonschema.Draft202012Validator(schema).is_valid(instance))


def test_each_type_has_its_published_schema_and_no_other_is_there() -> None:
    assert {path.stem for path in FOLDER.glob("*.json")} == set(sgl.TYPES) == set(DATA)
    for path in FOLDER.glob("*.json"):
        jsonschema.Draft202012Validator.check_schema(json.loads(path.read_text()))


@pytest.mark.parametrize("kind", DATA)
def test_what_the_schema_takes_is_taken(kind: str) -> None:
    assert is_valid(body(kind), kind)
    event = sgl.read_event(body(kind))
    assert (event.type, event.id) == (kind, "E-1")


WRONG: dict[str, dict[str, Any]] = {
    "an unknown field": {"extra": 1},
    "an unknown field of the data": {"data": {"nextversion": True}},
    "an id with a blank": {"id": "E 1"},
    "an id too long": {"id": "E" * 65},
    "no subject": {"subject": None},
    "another kind of subject": {"subject": {"kind": "bed", "value": "1"}},
    "an empty value": {"subject": {"kind": "order", "value": ""}},
    "a control character": {"subject": {"kind": "order", "value": "D\u001f1"}},
    "no facility": {"source": {"application": "S"}},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_the_schema_refuses_is_refused(name: str) -> None:
    wrong = body("report.hold", **WRONG[name])
    assert not is_valid(wrong, "report.hold")
    with pytest.raises(sgl.EventMalformed):
        sgl.read_event(wrong)


BEYOND: dict[str, tuple[str, dict[str, Any]]] = {
    "a time without offset": ("report.hold", {"occurred_at": "2026-03-12T10:05:00"}),
    "a patient for a hold": ("report.hold", {"subject": {"kind": "patient", "value": "1", "authority": "A"}}),
    "a patient without authority": ("consent.recorded", {"subject": {"kind": "patient", "value": "1"}}),
    "an authority of an order": ("consent.recorded", {"subject": {"kind": "order", "value": "1", "authority": "A"}}),
    "a word for true": ("report.hold", {"data": {"next_version": "yes"}}),
    "nobody added or removed": ("recipients.changed", {"data": {}}),
    "the same mailbox twice": ("recipients.changed", {"data": {"add": [RECIPIENT], "remove": [RECIPIENT["address"]]}}),
    "an address in two lines": ("recipients.changed", {"data": {"remove": ["a@b.fr\nBcc: c@d.fr"]}}),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_no_schema_can_say_is_refused_too(name: str) -> None:
    kind, changes = BEYOND[name]
    with pytest.raises(sgl.EventMalformed) as refused:
        sgl.read_event(body(kind, **changes))
    assert refused.value.places


@pytest.mark.parametrize("text", [None, 3, "x", [], {}, {"type": "report.burnt"}, {"type": ["report.hold"]}])
def test_what_is_no_event_is_refused(text: Any) -> None:
    with pytest.raises(sgl.EventMalformed):
        sgl.read_event(text)
