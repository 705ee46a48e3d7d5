"""Catalogues over HTTP: import, coverage by volume, and the worklist of codes without LOINC."""

from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from cda_builder.adapters.tables import CdaUnit, used_exams
from cda_builder.core.catalogue import Catalogue
from cda_builder.core.catalogue_file import ERROR, read_catalogue
from cda_builder.core.coverage import Coverage, coverage_of
from labohub.store.database import Database

MAX_BYTES = 10 * 1024 * 1024  # a catalogue of 10,000 exams is about 1 MB
Facility = Annotated[str, Query(max_length=200, description="Sending facility (MSH-4); empty: all of them.")]


def routes(database: Database, official: Mapping[str, str]) -> APIRouter:
    """Return the service's part of the API."""
    router = APIRouter(prefix="/api/v1", tags=["catalogue"])

    @router.post("/catalogue", openapi_extra={"requestBody": {"content": {"text/csv": {}}}}, response_model=None)
    async def import_catalogue(request: Request, facility: Facility = "", force: bool = False) -> Response:
        """Put a catalogue (CSV) in the place of the last one; without facility, it is that of all that have none.

        With errors nothing is imported, unless forced.
        """
        data = await request.body()
        if len(data) > MAX_BYTES:
            return Response(status_code=413)
        read = read_catalogue(data, official)
        errors = sum(problem.level == ERROR for problem in read.problems)
        answer = {"exams": len(read.exams), "errors": errors, "problems": [asdict(each) for each in read.problems]}
        if errors and not force:
            return JSONResponse({**answer, "edition": None}, 422)
        async with database.units(CdaUnit)() as unit:
            edition = await unit.catalogues.replace(facility, read.exams, sha256(data).hexdigest())
        return JSONResponse({**answer, "edition": edition})

    @router.get("/catalogue/coverage")
    async def coverage(facility: Facility = "") -> dict[str, Any]:
        """Return how much of a facility's results has a LOINC code, and what contradicts its catalogue."""
        found = await _coverage(database, facility)
        return {"covered_fraction": found.covered_fraction, **found.model_dump()}

    @router.get("/worklists/codes")
    async def codes(facility: Facility = "", limit: Annotated[int, Query(ge=1, le=1000)] = 200) -> dict[str, Any]:
        """List the local codes that leave without LOINC, the most frequent first. An import closes them."""
        found = await _coverage(database, facility)
        waiting = [each for each in found.uncovered if not each.known]
        return {"items": [each.model_dump(exclude={"known"}) for each in waiting[:limit]], "total": len(waiting)}

    return router


async def _coverage(database: Database, facility: str) -> Coverage:
    async with database.reading() as connection:
        seen = await used_exams(connection, facility)
    catalogues = {}
    async with database.units(CdaUnit)() as unit:
        for name in {each.facility for each in seen}:
            owner, number = await unit.catalogues.edition(name)
            catalogues[name] = await unit.catalogues.read(owner) if number else Catalogue()
    return coverage_of(seen, catalogues)
