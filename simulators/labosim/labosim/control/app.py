"""One application for the control routes of all simulators."""

from collections.abc import Callable, Sequence
from typing import Literal

from fastapi import APIRouter, FastAPI
from pydantic import BaseModel, Field

from labosim.faults import Faults

LONGEST_FAULT_SECONDS = 24 * 3600.0


class FaultOrder(BaseModel):
    """A fault to put in force. What a `kind` does is said by the simulator of the service."""

    service: Literal["insi", "dmp", "mss", "sgl"]
    kind: str = Field(min_length=1, max_length=40, examples=["outage", "slow", "fault"])
    rate: float = Field(1.0, ge=0, le=1, description="share of the calls")
    seconds: float = Field(60.0, gt=0, le=LONGEST_FAULT_SECONDS)
    code: str = Field("", max_length=200, description="the service's own code, for the kinds that have one")
    delay_seconds: float = Field(1.0, ge=0, le=600, description="for `slow`")


def application(routers: Sequence[APIRouter], faults: Faults, reset: Callable[[], None]) -> FastAPI:
    """Return the application; `reset` makes every simulator forget what it received."""
    app = FastAPI(title="Labohub test bench", version="1", redoc_url=None)
    for router in routers:
        app.include_router(router)

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        """Return `alive`."""
        return {"status": "alive"}

    @app.post("/sim/faults", status_code=201)
    async def order_fault(order: FaultOrder) -> FaultOrder:
        """Put a fault in force for a time, on a share of the calls."""
        faults.order(
            order.service,
            order.kind,
            rate=order.rate,
            seconds=order.seconds,
            code=order.code,
            delay_seconds=order.delay_seconds,
        )
        return order

    @app.delete("/sim/faults", status_code=204)
    async def clear_faults() -> None:
        """End all faults."""
        faults.clear()

    @app.post("/sim/reset", status_code=204)
    async def forget() -> None:
        """Forget everything that was received, and end all faults."""
        faults.clear()
        reset()

    return app
