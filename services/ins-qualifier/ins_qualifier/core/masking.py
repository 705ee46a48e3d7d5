"""A patient's traits as a screen shows them until someone asks to see more."""

from labohub.contracts.values import Traits
from labohub.standards.ins.traits import StrictTraits

HIDDEN = "•••"


def masked(traits: Traits | StrictTraits) -> dict[str, str]:
    """Return the traits with initials, the year of birth and the sex only."""
    shown = revealed(traits)
    return {
        name: value if name == "sex" else _initial(value, kept=4 if name == "birth_date" else 1)
        for name, value in shown.items()
    }


def revealed(traits: Traits | StrictTraits) -> dict[str, str]:
    """Return the strict traits as they are, dates as YYYY-MM-DD when they can be."""
    born = traits.birth_date
    if len(born) == 8 and "-" not in born:
        born = f"{born[:4]}-{born[4:6]}-{born[6:]}"
    return {
        "birth_name": traits.birth_name,
        "first_given_name": traits.first_given_name,
        "given_names": traits.given_names,
        "sex": traits.sex,
        "birth_date": born,
        "birth_place": traits.birth_place,
    }


def masked_number(matricule: str) -> str:
    """Return a matricule's first digit, the rest hidden."""
    return _initial(matricule, kept=1)


def _initial(value: str, *, kept: int) -> str:
    return f"{value[:kept]}{HIDDEN}" if value else ""
