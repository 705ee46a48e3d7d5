"""Verification of known identities: nobody's, or a test bench's in a form of its own.

WS_INS3 to WS_INS5 exist, their messages are not published. Until the official package is at hand nothing here is
certified, and production refuses to start with it.
"""

from collections.abc import Mapping
from typing import Any

import httpx

from ins_qualifier.adapters.insi_certificate import tls_context
from ins_qualifier.ports import Insi, InsiMisconfigured, InsiUnavailable, Verdict, VerificationUncertified
from ins_qualifier.settings import InsQualifierSettings
from labohub.contracts.values import Identity, Ins

COMPLETE = "complete"


def verifier(settings: InsQualifierSettings, environment: str, insi: Insi) -> "NoVerifier | BenchVerifier":
    """Return who verifies identities in this installation. Raises: InsiMisconfigured for a test bench in production."""
    if not settings.verification_url:
        return NoVerifier()
    if environment == "production":
        raise InsiMisconfigured("INS_QUALIFIER_VERIFICATION_URL: no certified verification exists, leave it empty")
    return BenchVerifier(settings, insi)


class NoVerifier:
    """Says that nobody verifies."""

    async def close(self) -> None:
        """Do nothing."""

    is_certified = False

    async def verify_one(self, identity: Identity) -> Verdict:
        """Raise VerificationUncertified."""
        raise VerificationUncertified("INSi's verification is not available here")

    async def deposit(self, identities: Mapping[str, Identity]) -> str:
        """Raise VerificationUncertified."""
        raise VerificationUncertified("INSi's verification is not available here")

    async def collect(self, ticket: str) -> Mapping[str, Verdict] | None:
        """Raise VerificationUncertified."""
        raise VerificationUncertified("INSi's verification is not available here")


class BenchVerifier:
    """Asks the simulator over mutual TLS, one question at a time, behind every call of now."""

    is_certified = False

    def __init__(self, settings: InsQualifierSettings, insi: Insi) -> None:
        self._url = settings.verification_url.rstrip("/")
        self._insi = insi
        self._client = httpx.AsyncClient(
            verify=tls_context(settings), timeout=settings.call_timeout_seconds, trust_env=False
        )

    async def verify_one(self, identity: Identity) -> Verdict:
        """Return the verdict on one identity."""
        return Verdict((await self._ask("POST", "/one", _item(identity)))["verdict"])

    async def deposit(self, identities: Mapping[str, Identity]) -> str:
        """Return the ticket of a list."""
        items = [{"id": name, **_item(identity)} for name, identity in identities.items()]
        return str((await self._ask("POST", "/lists", {"items": items}))["ticket"])

    async def collect(self, ticket: str) -> Mapping[str, Verdict] | None:
        """Return the verdicts of a list by our keys; None while they are not there."""
        answer = await self._ask("GET", f"/lists/{ticket}")
        if answer["state"] != COMPLETE:
            return None
        return {name: Verdict(verdict) for name, verdict in answer["verdicts"].items()}

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        await self._insi.turn(bulk=True)
        try:
            response = await self._client.request(method, self._url + path, json=body)
            response.raise_for_status()
            answer: dict[str, Any] = response.json()
        except (httpx.HTTPError, ValueError):
            raise InsiUnavailable("the verification of the test bench does not answer") from None
        return answer


def _item(identity: Identity) -> dict[str, str]:
    """Return an identity as the test bench takes it; the date YYYY-MM-DD, as INSi writes it."""
    traits, ins = identity.traits, identity.ins or Ins(matricule="", oid="")
    born = traits.birth_date
    return {
        "matricule": ins.matricule,
        "oid": ins.oid,
        "birth_name": traits.birth_name,
        "given_names": traits.given_names,
        "sex": traits.sex,
        "birth_date": f"{born[:4]}-{born[4:6]}-{born[6:8]}",
        "birth_place": traits.birth_place,
    }
