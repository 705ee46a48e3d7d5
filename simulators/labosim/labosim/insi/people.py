"""What the control API lists of calls, and takes of people."""

from pydantic import BaseModel, ConfigDict

from labosim.identities import TestIdentity


class InsiCall(BaseModel):
    """A call, as the control API lists it: never whom it was about."""

    id: str
    operation: str
    outcome: str  # 00, 01, 02, a fault's code, or the kind of an injected failure
    elapsed_ms: float


class InjectedAnswer(BaseModel):
    """A prepared answer for one question, as the CNDA tests ask of editors."""

    birth_name: str
    given_name: str
    xml: str


class Person(BaseModel):
    """A person whom INSi is to know, or to know otherwise from some call on. The date is YYYYMMDD."""

    model_config = ConfigDict(hide_input_in_errors=True)

    birth_name: str
    given_names: str
    birth_date: str
    sex: str
    birth_place: str
    matricule: str
    oid: str
    former: tuple[str, ...] = ()
    after_calls: int = 0  # how many calls still find what was known before
    holder: str = ""  # also on this holder's Vitale card, with the rank
    rank: str = "1"

    def identity(self) -> TestIdentity:
        """Return the person."""
        return TestIdentity(**{name: getattr(self, name) for name in TestIdentity.__dataclass_fields__})
