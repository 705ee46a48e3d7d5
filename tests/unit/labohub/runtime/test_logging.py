"""Nothing about a patient can be logged by accident."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from labohub.runtime import logging as hub_logging


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    hub_logging.configure("INFO")
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_keeps_the_fields_of_the_allow_list_and_drops_the_others(lines: io.StringIO) -> None:
    before = hub_logging.DROPPED._value.get()
    hub_logging.get_logger("t").info("mail.accepted", report_id="r1", attempt=2, patient="PAT-TROIS", subject="x")
    line = json.loads(lines.getvalue())
    assert (line["event"], line["report_id"], line["attempt"]) == ("mail.accepted", "r1", 2)
    assert "PAT-TROIS" not in lines.getvalue()
    assert hub_logging.DROPPED._value.get() == before + 2


def test_the_text_of_other_libraries_is_never_written(lines: io.StringIO) -> None:
    logging.getLogger("somelibrary").error("cannot send to %s", "279035121518989@patient.mssante.fr")
    line = json.loads(lines.getvalue())
    assert line["event"] == "foreign.record"
    assert "279035121518989" not in lines.getvalue()


def test_a_bug_is_logged_by_type_and_place_without_its_text(lines: io.StringIO) -> None:
    try:
        raise ValueError("PAT-TROIS DOMINIQUE")
    except ValueError as error:
        hub_logging.get_logger("t").bug("event.failed", error, report_id="r1")
    line = json.loads(lines.getvalue())
    assert line["error_type"] == "ValueError"
    assert "test_logging" in line["path"]
    assert "PAT-TROIS" not in lines.getvalue()
