"""Verification of known identities, in a form of this test bench.

The WSDL of WS_INS3 to WS_INS5 is not published: these are not its messages, and no certification follows from them.
"""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from labosim.insi.questions import Question
from labosim.insi.register import Register

CONFIRMED, REFUTED = "confirmed", "refuted"
PREFIX = "/verification"


class Verification:
    """Says whether a matricule, its authority and the traits still fit; lists are answered when collected again."""

    def __init__(self, register: Callable[[], Register]) -> None:
        self._register = register
        self._lists: dict[str, dict[str, str]] = {}
        self._ready: set[str] = set()

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{PREFIX}/one", self._one, methods=["POST"]),
            Route(f"{PREFIX}/lists", self._deposit, methods=["POST"]),
            Route(PREFIX + "/lists/{ticket}", self._collect, methods=["GET"]),
        ]

    async def _one(self, request: Request) -> Response:
        return JSONResponse({"verdict": self._verdict(await request.json())})

    async def _deposit(self, request: Request) -> Response:
        ticket = uuid4().hex
        self._lists[ticket] = {item["id"]: self._verdict(item) for item in (await request.json())["items"]}
        return JSONResponse({"ticket": ticket}, 202)

    async def _collect(self, request: Request) -> Response:
        """Answer `pending` to the first question, `complete` to the next ones."""
        ticket = request.path_params["ticket"]
        if ticket not in self._lists:
            return JSONResponse({}, 404)
        if ticket not in self._ready:
            self._ready.add(ticket)
            return JSONResponse({"state": "pending", "verdicts": {}})
        return JSONResponse({"state": "complete", "verdicts": self._lists[ticket]})

    def _verdict(self, item: dict[str, Any]) -> str:
        question = Question(
            item["birth_name"], item["given_names"], item["sex"], item["birth_date"], item["birth_place"]
        )
        found = [(one.matricule, one.oid) for one in self._register().find(question)]
        return CONFIRMED if (item["matricule"], item["oid"]) in found else REFUTED
