"""Writing mails: the attachments of a document are made once for all its recipients."""

import asyncio

from labohub.store.blobs import Blobs
from mss_sender.core.laboratory import Laboratories
from mss_sender.core.parcel import Content, Parcel, build_parcel, write_mail
from mss_sender.core.values import PlannedMail


class Composer:
    """Writes mails; keeps the parcels of the last documents."""

    def __init__(self, blobs: Blobs, laboratories: Laboratories, cached_documents: int) -> None:
        self._blobs = blobs
        self._laboratories = laboratories
        self._capacity = cached_documents
        self._parcels: dict[str, asyncio.Task[Parcel]] = {}

    async def write(self, mail: PlannedMail) -> bytes:
        """Return the mail's bytes. Raises: Refused (document or identity), Unavailable (storage)."""
        parcel = await self._parcel(mail)
        return write_mail(mail, parcel, self._laboratories.of(mail.source.report.sender))

    async def _parcel(self, mail: PlannedMail) -> Parcel:
        key = mail.source.event_id
        task = self._parcels.get(key)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._parcels[key] = asyncio.create_task(self._build(mail))
            while len(self._parcels) > max(self._capacity, 1):
                del self._parcels[next(iter(self._parcels))]
        return await asyncio.shield(task)

    async def _build(self, mail: PlannedMail) -> Parcel:
        source = mail.source
        contents = [
            Content(
                await self._blobs.read(each.content),
                await self._blobs.read(each.pdf) if each.pdf else None,
            )
            for each in source.documents
        ]
        laboratory = self._laboratories.of(source.report.sender)
        return await asyncio.to_thread(build_parcel, source, contents, laboratory, source.occurred_at)
