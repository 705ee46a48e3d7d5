"""INSi's part of the control API."""

from fastapi import APIRouter

from labosim.insi.people import InjectedAnswer, InsiCall, Person
from labosim.insi.simulator import InsiSimulator


def routes(simulator: InsiSimulator) -> APIRouter:
    """Return INSi's part of the control API."""
    router = APIRouter(prefix="/sim/insi", tags=["insi"])

    @router.get("/calls")
    async def calls() -> list[InsiCall]:
        """Return the calls, oldest first."""
        return list(simulator.calls)

    @router.post("/people", status_code=204)
    async def tell(person: Person) -> None:
        """Know a person, or know him otherwise: other traits, a new number with its former one, a namesake, a card."""
        simulator.tell(person)

    @router.post("/answers", status_code=204)
    async def inject(answer: InjectedAnswer) -> None:
        """Answer the searches of a name with a prepared envelope, until the next reset."""
        simulator.inject(answer.birth_name, answer.given_name, answer.xml.encode())

    return router
