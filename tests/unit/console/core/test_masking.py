from console.core.masking import masked_traits, shown_name, shown_target
from tests.support.console import DOCTOR, MATRICULE, PATIENT, TRAITS


def test_traits_are_an_initial_a_title_and_a_year() -> None:
    assert masked_traits(TRAITS) == "D••• M. 1954"


def test_a_patient_s_address_hides_the_matricule() -> None:
    assert shown_target(PATIENT) == "•••@patient.mssante.fr"
    assert MATRICULE not in shown_target(PATIENT) + shown_name(PATIENT)


def test_a_doctor_is_shown_by_address_and_name() -> None:
    assert (shown_target(DOCTOR), shown_name(DOCTOR)) == ("alix.martin@medecin.mssante.fr", "MARTIN Alix")
