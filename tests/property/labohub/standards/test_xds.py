"""Laws of XDS metadata."""

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from labohub.standards.xds import to_utc
from labohub.standards.xds.values import Xcn, Xon, escaped

OFFSETS = st.integers(min_value=-14 * 60, max_value=14 * 60)
MOMENTS = st.datetimes(min_value=datetime(1900, 1, 2), max_value=datetime(2999, 12, 30))  # noqa: DTZ001 - made aware below


@given(moment=MOMENTS, minutes=OFFSETS)
def test_a_time_with_an_offset_is_the_same_instant_in_utc(moment: datetime, minutes: int) -> None:
    local = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    written = (
        local.strftime("%Y%m%d%H%M%S") + f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{abs(minutes) % 60:02d}"
    )
    read = datetime.strptime(to_utc(written), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    assert read == local


@given(name=st.text(), given_name=st.text())
def test_any_name_stays_in_its_component_and_fits_xml(name: str, given_name: str) -> None:
    xon, xcn = Xon(name, "1999900017").text(), Xcn("8", name, given_name, "1.2").text()
    assert (xon.count("^"), xcn.count("^")) == (9, 12)
    assert xon.count("&") == xcn.count("&") == 2
    element = etree.Element("Value")
    element.text = xcn
    assert etree.fromstring(etree.tostring(element)).text == xcn


@given(text=st.text())
def test_no_separator_stays_active(text: str) -> None:
    assert not set("^&|~\r\n") & set(escaped(text))
