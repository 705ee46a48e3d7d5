"""What the values of a report are called in French, for every form that people read: narrative, PDF, HTML."""

from labohub.standards.cda.builder.model import Observation, Specimen
from labohub.standards.cda.builder.times import french_time
from labohub.standards.cda.builder.values import Previous
from labohub.standards.cda.tables import labels


def specimen_line(specimen: Specimen) -> str:
    """Return the sentence about a specimen."""
    line = f"Prélèvement : {specimen.nature.label}"
    if specimen.id and specimen.id.extension:
        line += f" n° {specimen.id.extension}"
    if specimen.site:
        line += f", site : {specimen.site.label}"
    if specimen.method:
        line += f", {specimen.method}"
    if specimen.volume:
        line += f", quantité : {specimen.volume}"
    if specimen.collected_low:
        line += f", recueilli du {french_time(specimen.collected_low)} au {french_time(specimen.collected_high)}"
    elif specimen.collected_high:
        line += f", prélevé le {french_time(specimen.collected_high)}"
    if specimen.collector:
        line += f", par {specimen.collector.printed}"
    if specimen.received_at:
        line += f", reçu le {french_time(specimen.received_at)}"
    return "".join((line, *(f". {remark.rstrip('.')}" for remark in specimen.remarks), "."))


def interpretation_text(observation: Observation) -> str:
    """Return what the flags of a result mean, in words."""
    return observation.interpretation_words or ", ".join(
        labels("interpretation")[code] for code in observation.interpretations
    )


def state_text(observation: Observation) -> str:
    """Return the state of a result when it is not an ordinary one."""
    if observation.aborted:
        return "non réalisé"
    if observation.provisional:
        return "résultat provisoire"
    return "résultat corrigé" if observation.corrected else ""


def previous_text(previous: Previous, observation: Observation) -> str:
    """Return an earlier result with its date; its unit is said when it is another one."""
    unit = "" if previous.printed_unit == observation.printed_unit else f" {previous.printed_unit}"
    when = f" le {french_time(previous.effective_time)}" if previous.effective_time else " (date non connue)"
    return f"{previous.printed}{unit}{when}"
