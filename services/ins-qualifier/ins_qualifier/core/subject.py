"""Which local patient a report is about: his key in his identity domain."""

from dataclasses import dataclass

from ins_qualifier.core.domains import Domain, domain_of
from ins_qualifier.core.keys import Keys
from labohub.contracts.values import Patient, Report, Sender
from labohub.standards.ins.names import transliterate


@dataclass(frozen=True, slots=True)
class Subject:
    """A local patient. `scope` is where one matricule means one patient; empty without a local identifier."""

    id: str
    domain: Domain
    scope: str


@dataclass(frozen=True, slots=True)
class Referential:
    """The identity domains of this installation, and the names of their patients."""

    domains: tuple[Domain, ...]
    keys: Keys

    def subject(self, report: Report) -> Subject:
        """Return the patient of a report."""
        return self.patient(report.patient, report.sender)

    def patient(self, patient: Patient, sender: Sender) -> Subject:
        """Return the local patient: by his first local identifier, else by his traits."""
        domain = domain_of(sender, self.domains)
        local = next((each for each in patient.local_ids if each.value), None)
        if local is not None:
            authority = local.authority_oid or local.authority_id or local.authority_name
            scope = self.keys.of("scope", domain.name, authority)
            return Subject(self.keys.of("patient", scope, local.value), domain, scope)
        traits = patient.traits
        names = (transliterate(traits.birth_name), transliterate(traits.first_given_name or traits.given_names))
        return Subject(self.keys.of("nameless", domain.name, *names, traits.sex, traits.birth_date), domain, "")
