"""Values of results. Digits are the laboratory's, units are UCUM, times are CDA text (`yyyymmdd[hhmm[ss]+zzzz]`)."""

from dataclasses import dataclass

from labohub.standards.cda.facts import Coded


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with a UCUM unit."""

    value: str
    unit: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number without unit (INR, ratio)."""

    value: str


@dataclass(frozen=True, slots=True)
class Bound:
    """Below (`upper`) or above a limit."""

    value: str
    unit: str
    upper: bool
    inclusive: bool = False


@dataclass(frozen=True, slots=True)
class Interval:
    """Between two limits."""

    low: str
    high: str
    unit: str


@dataclass(frozen=True, slots=True)
class Ratio:
    """One number to another: a titre (`1:160`), two concentrations of an association."""

    numerator: str
    denominator: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class CodedText:
    """A coded result, or a text that stands for one (`code` None)."""

    label: str
    code: Coded | None = None
    translations: tuple[Coded, ...] = ()


@dataclass(frozen=True, slots=True)
class Plain:
    """A text."""

    text: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A date or time given as a result."""

    value: str


Value = Quantity | Number | Bound | Interval | Ratio | CodedText | Plain | Moment


@dataclass(frozen=True, slots=True)
class Range:
    """The one reference range for this patient: bounds with the result's unit, or words."""

    printed: str
    low: str = ""
    high: str = ""
    unit: str = ""
    low_inclusive: bool = True
    high_inclusive: bool = True


@dataclass(frozen=True, slots=True)
class Previous:
    """An earlier result of the same exam. Without a time, or in another unit, it is only read, not compared."""

    value: Value
    printed: str
    printed_unit: str = ""
    effective_time: str = ""
    interpretation: str = ""  # a code of ObservationInterpretation
    comparable: bool = True
