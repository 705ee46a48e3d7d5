"""The identity desk over HTTP. No patient data in any address."""

from fastapi import APIRouter, Query

from ins_qualifier.adapters import tables, views
from ins_qualifier.adapters.desk import Desk
from ins_qualifier.adapters.identity_desk import IdentityDesk
from ins_qualifier.adapters.officer import Officer
from ins_qualifier.adapters.recall_desk import RecallDesk
from ins_qualifier.adapters.reverifications import CANCELLED, PAUSED, RUNNING, Reverifications
from ins_qualifier.core.gate import Gate


def worklist_routes(desk: Desk, officer: Officer, gate: Gate) -> APIRouter:
    """Return the routes of the worklist and of the queue."""
    routes = APIRouter(prefix="/api/v1", tags=["identity"])

    @routes.get("/worklists/identity")
    async def worklist(state: str = tables.OPEN, after: str = "", limit: int = Query(50, ge=1, le=500)) -> views.Page:
        """Return what waits, oldest first."""
        return await desk.page(state, after, limit)

    @routes.get("/worklists/identity/{item}")
    async def one(item: str, reveal: bool = False, operator: str = "") -> views.ItemDetail:
        """Return one item with what INSi proposes. `reveal` shows the traits, and is written down."""
        return await desk.detail(item, reveal=reveal, operator=operator)

    @routes.post("/worklists/identity/{item}/resolve", status_code=202)
    async def resolve(item: str, resolution: views.Resolution) -> views.Resolved:
        """Check again, accept with a reason, reject, or reopen."""
        return await officer.resolve(item, resolution)

    @routes.get("/identity/queue")
    async def queue() -> views.Queue:
        """Return how many reports wait for INSi, since when and why."""
        return await desk.queue(gate)

    return routes


def identity_routes(identities: IdentityDesk, officer: Officer) -> APIRouter:
    """Return the routes of the identity store."""
    routes = APIRouter(prefix="/api/v1/identity", tags=["identity"])

    @routes.get("/patients")
    async def patients(
        status: str = "", domain: str = "", blocked: bool = False, after: str = "",
        limit: int = Query(50, ge=1, le=500),
    ) -> views.IdentityPage:  # fmt: skip
        """Return identities by their key, without traits."""
        return await identities.page(status=status, domain=domain, blocked=blocked, after=after, limit=limit)

    @routes.get("/patients/{identity}")
    async def patient(identity: str) -> views.IdentityDetail:
        """Return one identity with the history of its status."""
        return await identities.detail(identity)

    @routes.post("/patients/{identity}/withdraw", status_code=202)
    async def withdraw(identity: str, act: views.PersonAct) -> views.Resolved:
        """Take the matricule from an identity: what left with it is recalled."""
        return await officer.withdraw(identity, act)

    return routes


def reverification_routes(jobs: Reverifications) -> APIRouter:
    """Return the routes of the bulk verification."""
    routes = APIRouter(prefix="/api/v1/identity/reverifications", tags=["identity"])

    @routes.post("", status_code=202)
    async def start(order: views.ReverificationOrder) -> views.Reverification:
        """Verify qualified identities again, at so many a second."""
        return await jobs.start(order)

    @routes.get("")
    async def page() -> views.ReverificationPage:
        """Return the jobs."""
        return await jobs.page()

    @routes.get("/{job}")
    async def one(job: str) -> views.Reverification:
        """Return how far a job came."""
        return await jobs.one(job)

    @routes.post("/{job}/pause", status_code=202)
    async def pause(job: str, act: views.PersonAct) -> views.Reverification:
        """Let a job wait."""
        return await jobs.turn(job, act, PAUSED)

    @routes.post("/{job}/resume", status_code=202)
    async def resume(job: str, act: views.PersonAct) -> views.Reverification:
        """Let a job go on."""
        return await jobs.turn(job, act, RUNNING)

    @routes.post("/{job}/cancel", status_code=202)
    async def cancel(job: str, act: views.PersonAct) -> views.Reverification:
        """End a job before its time."""
        return await jobs.turn(job, act, CANCELLED)

    return routes


def recall_routes(recalls: RecallDesk) -> APIRouter:
    """Return the routes of the recall list."""
    routes = APIRouter(prefix="/api/v1/worklists/recalls", tags=["identity"])

    @routes.get("")
    async def page(state: str = tables.OPEN, after: str = "", limit: int = Query(50, ge=1, le=500)) -> views.RecallPage:
        """Return the reports to be corrected where they went, oldest first, with who got what."""
        return await recalls.page(state, after, limit)

    @routes.get("/{item}")
    async def one(item: str) -> views.Recall:
        """Return one report to be corrected."""
        return await recalls.one(item)

    @routes.post("/{item}/resolve", status_code=202)
    async def resolve(item: str, act: views.RecallAct) -> views.Resolved:
        """Close a recall with what was done."""
        return await recalls.resolve(item, act)

    return routes
