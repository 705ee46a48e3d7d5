"""The console's API, as the command line uses it."""

from typing import Annotated, Any

import httpx
import typer

from labohub.errors import Refused, Unavailable

DEFAULT_URL = "http://127.0.0.1:8080"
Url = Annotated[str, typer.Option("--api", envvar="LABOHUB_API_URL", help="Address of the hub's HTTP API.")]
TIMEOUT_SECONDS = 10.0


class ApiUnavailable(Unavailable):
    """The hub's HTTP API does not answer: is it up, and where?"""

    code = "api.unavailable"


class ApiRefused(Refused):
    """The API refused the question; its own code is in the text."""

    code = "api.refused"


class Api:
    """A client of the API under /api/v1."""

    def __init__(self, url: str = DEFAULT_URL, transport: httpx.BaseTransport | None = None) -> None:
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            base_url=self._url, timeout=TIMEOUT_SECONDS, transport=transport, headers={"Connection": "close"}
        )

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON at a path; parameters that are empty are left out.

        Raises:
            ApiUnavailable, ApiRefused: see the classes.
        """
        return self._ask(self._client.build_request("GET", f"/api/v1{path}", params=_given(parameters)))

    def post(self, path: str, content: bytes, media_type: str, **parameters: Any) -> Any:
        """Return the JSON that answers a content, a refusal (422) with its reasons included.

        Raises:
            ApiUnavailable, ApiRefused: see the classes.
        """
        headers = {"Content-Type": media_type}
        request = self._client.build_request(
            "POST", f"/api/v1{path}", content=content, headers=headers, params=_given(parameters)
        )
        return self._ask(request, reasons=422)

    def _ask(self, request: httpx.Request, *, reasons: int = 0) -> Any:
        try:
            answer = self._client.send(request)
        except httpx.HTTPError:
            raise ApiUnavailable(f"no answer at {self._url}") from None
        if answer.status_code >= 500:
            raise ApiUnavailable(f"{self._url} answers {answer.status_code}")
        if answer.is_error and answer.status_code != reasons:
            raise ApiRefused(f"{answer.status_code} {_code(answer)}".rstrip())
        return answer.json()

    def ready(self) -> bool:
        """Return whether the hub says that it is ready."""
        return self.facts() is not None

    def facts(self) -> dict[str, dict[str, str]] | None:
        """Return what a ready hub says of its services; None when it is not ready."""
        try:
            answer = self._client.get("/readyz")
            return dict(answer.json().get("facts", {})) if answer.is_success else None
        except (httpx.HTTPError, ValueError):
            return None


def _given(parameters: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if value not in ("", None)}


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except ValueError:
        return ""
