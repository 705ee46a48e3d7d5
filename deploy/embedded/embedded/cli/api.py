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
        self._client = httpx.Client(base_url=self._url, timeout=TIMEOUT_SECONDS, transport=transport)

    def get(self, path: str, **parameters: Any) -> Any:
        """Return the JSON at a path; parameters that are empty are left out.

        Raises:
            ApiUnavailable, ApiRefused: see the classes.
        """
        asked = {name: value for name, value in parameters.items() if value not in ("", None)}
        try:
            answer = self._client.get(f"/api/v1{path}", params=asked)
        except httpx.HTTPError:
            raise ApiUnavailable(f"no answer at {self._url}") from None
        if answer.status_code >= 500:
            raise ApiUnavailable(f"{self._url} answers {answer.status_code}")
        if answer.is_error:
            raise ApiRefused(f"{answer.status_code} {_code(answer)}".rstrip())
        return answer.json()

    def ready(self) -> bool:
        """Return whether the hub says that it is ready."""
        try:
            return self._client.get("/readyz").is_success
        except httpx.HTTPError:
            return False


def _code(answer: httpx.Response) -> str:
    try:
        return str(answer.json().get("code", ""))
    except ValueError:
        return ""
