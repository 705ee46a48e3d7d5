"""Delivers webhooks: HTTPS, no redirect, no way into the internal network unless the operator opened it."""

import asyncio
import ipaddress
import ssl
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from ingest_hl7.core.senders import Webhook
from ingest_hl7.core.webhooks import SecretMalformed, secret_of, signed_headers
from ingest_hl7.ports import WebhookRefused, WebhookUnreachable
from ingest_hl7.settings import IngestSettings
from labohub.errors import Misconfigured

_LINK_LOCAL = (ipaddress.ip_network("169.254.0.0/16"), ipaddress.ip_network("fe80::/10"))  # a cloud's secrets
USER_AGENT = "labohub"


class WebhooksMisconfigured(Misconfigured):
    """The authorities of the webhooks' servers cannot be read."""

    code = "webhook.misconfigured"


class HttpReceiver:
    """The receivers of all laboratories."""

    def __init__(self, settings: IngestSettings) -> None:
        """Raises: WebhooksMisconfigured."""
        authorities, seconds = settings.webhooks_ca, settings.webhooks_timeout_seconds
        try:
            context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
        except OSError:  # ssl.SSLError is one
            raise WebhooksMisconfigured("INGEST_HL7_WEBHOOKS_CA cannot be read") from None
        # A kept connection would be reused by address: one name's certificate would then stand for another's.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._client = httpx.AsyncClient(
            verify=context, timeout=seconds, follow_redirects=False, trust_env=False, limits=limits
        )
        self._timeout_seconds = seconds

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def deliver(self, webhook: Webhook, delivery_id: str, body: str, at: datetime) -> int:
        """Return the status that the receiver answers.

        Raises:
            WebhookRefused: the address is one that we do not call.
            WebhookUnreachable: no answer in time.
            SecretMalformed: the operator must mend the secret; tried again.
        """
        key = await asyncio.to_thread(_read_secret, webhook)
        parts = urlsplit(webhook.url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(self._timeout_seconds):
                address = await self._address(host, port, webhook)
                url = httpx.URL(webhook.url).copy_with(host=address)
                headers = {
                    **signed_headers(key, delivery_id, at, body),
                    "Host": parts.netloc.rpartition("@")[2],
                    "Content-Type": "application/json",
                    "User-Agent": USER_AGENT,
                }
                request = self._client.build_request(
                    "POST", url, content=body.encode(), headers=headers, extensions={"sni_hostname": host}
                )
                answer = await self._client.send(request, stream=True)  # what it says besides is not read
                await answer.aclose()
        except (httpx.HTTPError, httpx.InvalidURL, OSError, TimeoutError):
            raise WebhookUnreachable("the receiver does not answer") from None
        return answer.status_code

    async def _address(self, host: str, port: int, webhook: Webhook) -> str:
        """Return the one address to connect to: checked, then used, so that a name cannot change in between."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, proto=6)
        addresses = [ipaddress.ip_address(each[4][0]) for each in found]
        if not addresses or not all(_is_allowed(each, webhook) for each in addresses):
            raise WebhookRefused("an address that is not called")
        return str(addresses[0])


def _is_allowed(address: ipaddress.IPv4Address | ipaddress.IPv6Address, webhook: Webhook) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return webhook.is_loopback
    if address.is_multicast or address.is_unspecified or any(address in network for network in _LINK_LOCAL):
        return False
    return address.is_global or webhook.allow_private


def _read_secret(webhook: Webhook) -> bytes:
    try:
        return secret_of(Path(webhook.secret_file).read_text(encoding="ascii"))
    except (OSError, UnicodeDecodeError):
        raise SecretMalformed("the secret's file cannot be read") from None
