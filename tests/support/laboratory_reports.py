"""One report of each kind of result that laboratories send."""

from labohub.contracts.laboratory import Code, Organisation
from tests.support.cda import POTASSIUM, SODIUM, battery, result, results_of
from tests.support.microbiology import antibiogram, culture, electrophoresis

REPORTS = {
    "ordinary": results_of(),
    "without LOINC": results_of(battery(result(("X1", "Examen maison", "", "")), loinc=None)),
    "partial": results_of(battery(result(), result(POTASSIUM, "", status="I"), status="P"), partial=True),
    "cancelled": results_of(battery(result(value="", status="X", value_type="", comments=("Hémolyse.",)), status="X")),
    "words": results_of(battery(result(value_type="FT", value="Titre\nNon réactif & <stable>", unit=""))),
    "coded": results_of(
        battery(result(value_type="CWE", value_code=Code(code="10828004", label="Positive", system="SCT"), unit=""))
    ),
    "below": results_of(battery(result(value_type="SN", value="<^0.5", reference_range="<5", flags=("N",)))),
    "interval": results_of(battery(result(value_type="SN", value="^10^-^15", unit="/[HPF]"))),
    "titre": results_of(battery(result(value_type="SN", value="^1^:^160", unit=""))),
    "no unit": results_of(battery(result(value="2.1", unit="{INR}", reference_range="2-3"))),
    "unknown unit": results_of(battery(result(value="2.1", unit="furlong/L", reference_range="2-3"))),
    "surface": results_of(battery(result(value="54", unit="mL/min/{1.73_m2}", reference_range=">=60", flags=("L",)))),
    "date": results_of(battery(result(value_type="DT", value="20260220", unit=""))),
    "subcontracted": results_of(
        battery(result(performer=Organisation(identifier="990000564", name="SPE"), method="FEIA"), result(POTASSIUM))
    ),
    "two chapters": results_of(battery(), battery(result(SODIUM), section="HM", specimens=(), comments=("Revu.",))),
    "sparse": results_of(
        battery(
            result(validated_by=None, observed_at="", analysed_at=""), collected_at="", reported_at="", specimens=()
        ),
        prescriber=None,
        prescribed_at="",
    ),
    "germs": results_of(culture(), antibiogram("1"), electrophoresis()),
}
