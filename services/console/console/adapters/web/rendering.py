"""Templates, their filters, and the headers that go with every page."""

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from console.adapters.web import words
from console.core.states import WORKLISTS
from labohub.runtime.clock import Clock

STATIC = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icons.svg": "image/svg+xml",
    "mark.svg": "image/svg+xml",
}
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
LANGUAGE_COOKIE = "labohub_language"


def static_file(name: str) -> bytes:
    """Return a file shipped with the console."""
    return files("console.adapters.web").joinpath("static", name).read_bytes()


class Renderer:
    """Makes pages in the reader's language and time zone."""

    def __init__(self, default_language: str, time_zone: str, clock: Clock) -> None:
        self._default_language = default_language
        self._zone = ZoneInfo(time_zone)
        self._clock = clock
        version = hashlib.sha256(b"".join(static_file(name) for name in STATIC)).hexdigest()[:12]
        self._environment = Environment(
            loader=PackageLoader("console.adapters.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= {
            "version": version,
            "worklist_names": WORKLISTS,
            "words": words,
            "look": lambda key: words.LOOKS.get(key, ("dot", "muted")),
            "with_query": _with_query,
        }
        self._environment.filters |= {"size": _size, "seconds": _seconds}

    def language(self, request: Request) -> str:
        """Return the language asked for: by the address, then by the cookie, then the setting."""
        for wanted in (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE)):
            if wanted in words.LANGUAGES:
                return str(wanted)
        return self._default_language

    def page(self, request: Request, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
        """Return a page with its headers; a language asked for by the address is remembered."""
        language = self.language(request)
        now = self._clock()

        def t(french: str, english: str) -> str:
            return french if language == "fr" else english

        def say(table: str, key: str) -> str:
            return words.word(getattr(words, table), key, language)

        text = self._environment.get_template(template).render(
            request=request, language=language, t=t, say=say, now=now,
            when=self.when, clock=self.clock_time, age=lambda at: age(now, at, language),
            **values,
        )  # fmt: skip
        response = HTMLResponse(text, status_code=status, headers=HEADERS)
        if request.query_params.get("lang") in words.LANGUAGES:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=31_536_000, httponly=True, samesite="strict")
        return response

    def local(self, at: datetime) -> datetime:
        """Return a time in the reader's zone."""
        return at.astimezone(self._zone)

    def when(self, at: datetime | None) -> str:
        """Return date and time to the second, or the time alone when it is today."""
        if at is None:
            return "—"
        local, today = self.local(at), self.local(self._clock()).date()
        return local.strftime("%H:%M:%S" if local.date() == today else "%d/%m/%Y %H:%M:%S")

    def clock_time(self, at: datetime) -> str:
        """Return the time of day to the millisecond."""
        local = self.local(at)
        return f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"


def age(now: datetime, at: datetime | None, language: str) -> str:
    """Return how long ago, in the largest unit that fits."""
    if at is None:
        return "—"
    seconds = max(timedelta(), now - at).total_seconds()
    for size, unit in ((86_400, "j" if language == "fr" else "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{int(seconds)} s"


def _seconds(value: float) -> str:
    if value < 1:
        return f"{value * 1000:.0f} ms"
    return f"{value:.1f} s" if value < 60 else f"{value / 60:.0f} min"


def _size(value: int) -> str:
    return f"{value} o" if value < 1000 else f"{value / 1000:.0f} ko" if value < 1_000_000 else f"{value / 1e6:.1f} Mo"


def _with_query(request: Request, **changes: str | None) -> str:
    """Return the page's own address with some parameters changed or, when None, removed."""
    query = {name: value for name, value in request.query_params.items() if name != "lang"}
    query |= {name: value for name, value in changes.items() if value is not None}
    for name, value in changes.items():
        if value is None:
            query.pop(name, None)
    return f"{request.url.path}?{urlencode(query)}" if query else request.url.path


def csv_file(name: str, heading: Sequence[str], rows: Iterable[Sequence[object]], filters: str = "") -> Response:
    """Return a CSV file (RFC 4180, UTF-8 with BOM for spreadsheets); the filter is written in its first line."""
    out = io.StringIO()
    writer = csv.writer(out)
    if filters:
        writer.writerow([f"# {filters}"])
    writer.writerow(heading)
    writer.writerows([[_cell(value) for value in row] for row in rows])
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(("\ufeff" + out.getvalue()).encode(), media_type="text/csv; charset=utf-8", headers=headers)


def _cell(value: object) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
