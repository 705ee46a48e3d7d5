"""Errors as RFC 9457 problems, for every route that says so. No input is repeated in them."""

from collections.abc import Callable, Coroutine
from http import HTTPStatus
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import HTTPException, RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException as StarletteHTTPException

from labohub.errors import Refused, Unavailable
from labohub.runtime.http import problem

STATUS_OF_CODE = {
    "console.report-unknown": HTTPStatus.NOT_FOUND,
    "console.document-unknown": HTTPStatus.NOT_FOUND,
    "blob.missing": HTTPStatus.GONE,
}


class ProblemRoute(APIRoute):
    """A route whose every refusal is a problem document."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with its errors translated."""
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                wrong = [{"place": ".".join(map(str, item["loc"])), "rule": item["type"]} for item in error.errors()]
                return problem(422, "request.invalid", errors=wrong)
            except (HTTPException, StarletteHTTPException) as error:
                return problem(error.status_code, f"http.{error.status_code}")
            except Refused as error:
                return problem(STATUS_OF_CODE.get(error.code, 422), error.code, str(error))
            except Unavailable as error:
                return problem(503, error.code, str(error))

        return answer
