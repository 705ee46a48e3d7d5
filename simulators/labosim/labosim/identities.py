"""Test identities: the public ones, those of the sample messages, and as many generated ones as a load needs.

None is a real person. The public ones come from the qualification environment of INSi, where their authority is the
one of production (`…4.8`): nothing else tells them from real matricules. All others carry the test authority (`…4.10`),
which a hub in production refuses.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from labohub.standards.ins import oids
from labohub.standards.ins.matricule import with_key

_FIRST_DAY = date(1935, 1, 1)
_DAYS = 29_000  # to mid-2014
_PLACES = (
    "33063", "69383", "13055", "75114", "35238", "59350", "63113", "31555", "44109", "67482",
    "34172", "06088", "21231", "76540", "51454", "97209", "2A004", "2B033", "99109", "25056",
)  # fmt: skip
_SYLLABLES = ("BA", "CO", "DI", "FA", "GRE", "JO", "LU", "MER", "NA", "POL", "QUI", "ROU", "SA", "TEL", "VI", "ZAN")
_INITIALS = {syllable[0]: digit for digit, syllable in enumerate(_SYLLABLES)}  # all differ: a name reads back
_PREFIX = "TEST-"
_WOMEN = ("ALICE", "BEATRICE", "CLOTILDE", "DELPHINE", "ELISE", "FLORENCE", "GAELLE", "HELENE", "INES", "JEANNE-MARIE")
_MEN = ("ARTHUR", "BASILE", "CYRIL", "DAMIEN", "ETIENNE", "FELIX", "GAUTIER", "HUGO", "IVAN", "JEAN-LOUP")


@dataclass(frozen=True, slots=True)
class TestIdentity:
    """A fictional person as INSi knows him. `given_names` is the whole list; the date is YYYYMMDD, as in PID-7."""

    __test__ = False  # not a test class

    birth_name: str
    given_names: str
    birth_date: str
    sex: str
    birth_place: str
    matricule: str  # 15 characters
    oid: str = oids.INS_NIR
    former: tuple[str, ...] = ()  # former matricules, 15 characters, kept as the real service gives them

    @property
    def first_given_name(self) -> str:
        """Return the first name of the list; a hyphenated name is one name."""
        return self.given_names.split(" ")[0]


_CNDA = (
    TestIdentity("ADRUN", "ZOE", "19751231", "F", "63220", "275126322074974"),
    TestIdentity("ADRTROIS", "TOUSSAINT", "19600101", "M", "2B020", "160012B02077713"),
    TestIdentity("D'ARTAGNAN DE L'HERAULT", "PIERRE-ALAIN GUNTHER", "20010617", "M", "63220", "101066322075460"),
    TestIdentity("DE VINCI", "LEONARDO PIERO", "20140201", "M", "63220", "114026322083356"),
    TestIdentity("DE VINCI", "LEONARDO", "20140201", "M", "63113", with_key("1140263113834")),  # ours: makes the 02
    TestIdentity("TCHITCHI", "CATARINA BELLA", "19360621", "F", "63220", "236066322083656"),
    TestIdentity(
        "ECETINSI",
        "PIERRE-ALAIN MURIEL FLORIANT",
        "20090714",
        "M",
        "63220",
        "109076322083489",
        former=("209076322083439",),
    ),
    TestIdentity("PROVISOIRE", "MATRICULE", "20090701", "M", "63220", "109076322088835", oids.INS_NIA),
    TestIdentity("CORSE", "ANTHONY", "19800302", "M", "2B020", "180032B02040123", former=("180032B02040123",)),
    TestIdentity(
        "HERMAN", "GATIEN", "19810324", "M", "63220", "181036322045676", former=("181036322045676", "281036322045610")
    ),  # the last key is wrong, as in the kit: a former matricule is kept as received
    TestIdentity("NESSI", "MICHELANGELO ANTHONY", "20100807", "M", "63220", "110086322083060"),
    TestIdentity("NESSI", "NATHALIE", "19770714", "F", "63220", "277076322082910"),
    TestIdentity("NESSI", "RUTH", "19770714", "F", "63220", "277076322082910"),
    TestIdentity("ADRTROIS", "DOMINIQUE", "19970226", "F", "2A020", "297022A02077878"),
    TestIdentity("ADRDEUX", "LAURENT", "19810101", "M", "63220", "181016322075140"),
)
_SAMPLES = (
    # The patient of the ANS samples. INSi does not know her; the simulator does, under the samples' test authority, so
    # that an official message travels the whole road. The birth place is the HL7 samples' (the CDA ones differ).
    TestIdentity("PAT-TROIS", "DOMINIQUE MARIE-LOUISE", "19790328", "F", "63220", "279035121518989", oids.INS_NIR_TEST),
    # Patients of laboratory messages used in conformance checks.
    TestIdentity("MARCHALOT", "CLAIRE JULIE", "19850714", "F", "69383", "285076938314206", oids.INS_NIR_TEST),
    TestIdentity("BERTOUX", "ROLAND MARCEL", "19520329", "M", "13055", "152031305504758", oids.INS_NIR_TEST),
    TestIdentity("NGUYEN-FABRE", "LEA LINH", "19991102", "F", "75114", "299117511420848", oids.INS_NIR_TEST),
    TestIdentity("SAINT-AULAIRE", "MONIQUE", "19640418", "F", "33063", "264043306331141", oids.INS_NIR_TEST),
    TestIdentity("DESRUELLES", "ANDRE GEORGES", "19470121", "M", "59350", "147015935008931", oids.INS_NIR_TEST),
    TestIdentity("KERVELLA", "YANN", "19781209", "M", "35238", "178123523806405", oids.INS_NIR_TEST),
)
PUBLIC: tuple[TestIdentity, ...] = (*_CNDA, *_SAMPLES)


def generated_identity(number: int) -> TestIdentity:
    """Return the fictional person of a number from 0, always the same, and different for each number."""
    woman = number % 2 == 0
    names = _WOMEN if woman else _MEN
    first, second = names[number // 2 % 10], names[(number // 20 + 3) % 10]
    born = _FIRST_DAY + timedelta(days=number * 7919 % _DAYS)
    place = _PLACES[number // 999 % len(_PLACES)]
    body = f"{2 if woman else 1}{born:%y%m}{place}{1 + number % 999:03d}"
    return TestIdentity(
        birth_name=_family_name(number),
        given_names=first if first == second else f"{first} {second}",
        birth_date=f"{born:%Y%m%d}",
        sex="F" if woman else "M",
        birth_place=place,
        matricule=with_key(body),
        oid=oids.INS_NIR_TEST,
    )


def generated_from(birth_name: str) -> TestIdentity | None:
    """Return the generated person of a birth name, or None when it is nobody's."""
    number, place, rest = 0, 1, birth_name.removeprefix(_PREFIX)
    if rest == birth_name:
        return None
    while rest:
        digit = _INITIALS.get(rest[0], -1)
        if digit < 0 or not rest.startswith(_SYLLABLES[digit]):
            return None
        number, place, rest = number + digit * place, place * len(_SYLLABLES), rest.removeprefix(_SYLLABLES[digit])
    identity = generated_identity(number)
    return identity if identity.birth_name == birth_name else None


def _family_name(number: int) -> str:
    """Return a name that no other number has: its digits in base 16 as syllables."""
    syllables: list[str] = []
    while number or len(syllables) < 2:
        number, digit = divmod(number, len(_SYLLABLES))
        syllables.append(_SYLLABLES[digit])
    return _PREFIX + "".join(syllables)
