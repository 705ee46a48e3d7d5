"""What a laboratory's system asks by an event, decided upon what is known of the reports it speaks of."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest_hl7.core import matrix
from ingest_hl7.core.senders import MatrixMode, Sender
from ingest_hl7.core.sgl_refusals import (
    AuthorMustReplace,
    FlagsContradict,
    RecipientRefused,
    ReportAlreadySent,
    ReportDeleted,
    ReportUnderWay,
)
from labohub.contracts.events import ReportReceived
from labohub.contracts.sgl import RecipientsChanged, Subject
from labohub.contracts.values import LocalIdentifier, Path, Recipient, RecipientKind, Report, Request
from labohub.standards.hl7.cda_in_hl7 import INITIAL
from labohub.standards.hl7.participation import PATIENT_DOMAIN
from labohub.standards.mail import AddressMalformed, normal_address, same_address
from labohub.standards.xds.values import is_oid

APPLIED, WAITING, NO_EFFECT, REFUSED = "applied", "waiting", "no-effect", "refused"
SUPERSEDED, DELETED = "report.superseded-while-held", "report.deleted-while-held"
WITHDRAWN = "report.withdrawn-while-held"


@dataclass(frozen=True, slots=True)
class Departure:
    """One accepted request: the fact it leaves with, and whether it left."""

    fact: ReportReceived
    held_for: str = ""  # why it waits, or waited when it never left
    needs_validation: bool = False
    is_settled: bool = False
    only_withdraws: bool = False  # it says nothing to whom got no former version

    @property
    def report(self) -> Report:
        """Return the report as it leaves."""
        return self.fact.report

    @property
    def waits(self) -> bool:
        """Return whether it is here still."""
        return bool(self.held_for) and not self.is_settled

    @property
    def has_left(self) -> bool:
        """Return whether later stages know of it."""
        return not self.held_for


@dataclass(frozen=True, slots=True)
class Going:
    """What becomes of the requests that wait for one report's word."""

    leaving: tuple[Departure, ...] = ()
    ended: tuple[tuple[Departure, str], ...] = ()  # never leave, and why


def check_in_time(known: Sequence[Departure]) -> None:
    """Return when nothing has left. Raises: ReportUnderWay, ReportAlreadySent."""
    gone = [each for each in known if each.has_left]
    if any(not each.is_settled for each in gone):
        raise ReportUnderWay("the report is under way")
    if gone:
        raise ReportAlreadySent("the report has reached its end")


def going(known: Sequence[Departure], free: Sequence[Departure]) -> Going:
    """Return what leaves of one report when `free` (in order, all waiting) has nothing left to wait for.

    A demand leaves in its latest state alone: the former ones are inside it, nobody gets a result after its correction,
    nor the withdrawal of what he never got. A laboratory's own documents leave one after the other, since each replaces
    the former one by name; a deletion of what never left leaves nothing to do.
    """
    if not free:
        return Going()
    if any(each.has_left for each in known[known.index(free[-1]) :]):
        return Going(ended=tuple((each, SUPERSEDED) for each in free))
    has_left = any(each.has_left for each in known)
    last = free[-1]
    if last.report.path is Path.STRUCTURING:
        request = Request.REPLACEMENT if has_left else Request.INITIAL
        before = known[: known.index(last)]
        if last.only_withdraws and not has_left:
            return Going(ended=tuple((each, WITHDRAWN) for each in (*before, last) if each.waits))
        ended = tuple((each, SUPERSEDED) for each in before if each.waits)
        return Going((with_report(last, request=request),), ended)
    if last.report.request is Request.DELETION and not has_left:
        return Going(ended=tuple((each, DELETED) for each in free))
    return Going(tuple(free))


def whole(known: Sequence[Departure]) -> Departure | None:
    """Return the latest content of a report as one request to all who were to get it; None when nothing of it goes."""
    alive = [each for each in known if each.waits or each.has_left]
    if not alive:
        return None
    last = alive[-1]
    same = [each.report for each in alive if _content(each.report) == _content(last.report)]
    recipients = {each.address.casefold(): each for report in same for each in report.recipients}
    return with_report(last, recipients=tuple(recipients.values()), to_dmp=any(report.to_dmp for report in same))


def _content(report: Report) -> tuple[object, ...]:
    content = report.document or report.results
    visibility = report.visibility.model_copy(update={"changes_visibility": False})
    return (content.sha256 if content else "", visibility, report.request is Request.DELETION)


def with_added(report: Report, added: Sequence[Recipient]) -> Report:
    """Return a version of a demand as it goes to those whom events added, too: nobody misses a correction."""
    known = {each.address.casefold() for each in report.recipients}
    visible = not report.visibility.invisible_to_patient
    new = [each for each in added if each.address.casefold() not in known]
    new = [each for each in new if visible or each.kind is not RecipientKind.PATIENT]
    return report.model_copy(update={"recipients": (*report.recipients, *new)}) if new else report


def announced(report: Report, sender: Sender | None) -> Report:
    """Return a report of the structuring path as it leaves once the patient was told."""
    visibility = report.visibility.model_copy(update={"invisible_to_patient": False})
    recipients = report.recipients
    ins = report.patient.ins
    if sender is not None and sender.to_patient and ins is not None:
        address = f"{ins.matricule}@{PATIENT_DOMAIN}"
        if not any(same_address(each.address, address) for each in recipients):
            patient = Recipient(
                kind=RecipientKind.PATIENT, address=address, identifier=ins.matricule, identifier_type="INS"
            )
            recipients = (*recipients, patient)
    return report.model_copy(update={"visibility": visibility, "recipients": recipients})


def check_announcement(last: Departure) -> bool:
    """Return whether the announcement changes anything. Raises: AuthorMustReplace, ReportDeleted."""
    report = last.report
    if report.request is Request.DELETION:
        raise ReportDeleted("the report was deleted")
    if not report.visibility.invisible_to_patient:
        return False
    if report.path is Path.RELAY:
        raise AuthorMustReplace("a visibility change is a new document, which only its author can make")
    return True


def recipients_after(event: RecipientsChanged, last: Departure, sender: Sender | None) -> tuple[Recipient, ...]:
    """Return who is to get the report, in one list.

    Raises: ReportDeleted, ReportUnderWay, RecipientRefused, FlagsContradict.
    """
    report = last.report
    if report.request is Request.DELETION:
        raise ReportDeleted("the report was deleted")
    if event.data.remove and not last.waits:
        raise ReportUnderWay("who was to get the report is planned already")
    removed = {each.casefold() for each in event.data.remove}
    kept = [each for each in report.recipients if each.address.casefold() not in removed]
    known = {each.address.casefold() for each in kept}
    for new in event.data.add:
        recipient = Recipient.model_validate(new.model_dump())
        _check_recipient(recipient, report)
        if recipient.address.casefold() not in known:
            known.add(recipient.address.casefold())
            kept.append(recipient)
    _check_flags(report, kept, sender)
    return tuple(kept)


def patient_identifier(subject: Subject) -> LocalIdentifier:
    """Return the identifier that an event's subject is, as a PID-3 would give it: its authority is an OID or a name."""
    authority = subject.authority or ""
    if is_oid(authority):
        return LocalIdentifier(value=subject.value, authority_oid=authority)
    if authority.isdigit():  # FINESS, SIRET
        return LocalIdentifier(value=subject.value, authority_id=authority)
    return LocalIdentifier(value=subject.value, authority_name=authority)


def with_report(departure: Departure, **changes: object) -> Departure:
    """Return the request with its report changed."""
    report = departure.report.model_copy(update=changes)
    return replace(departure, fact=departure.fact.model_copy(update={"report": report}))


def _check_recipient(recipient: Recipient, report: Report) -> None:
    try:
        domain = normal_address(recipient.address).rpartition("@")[2]
    except AddressMalformed:
        raise RecipientRefused("not a mail address") from None
    is_patient = recipient.kind is RecipientKind.PATIENT
    if is_patient != (domain == PATIENT_DOMAIN):
        raise RecipientRefused("the kind of recipient and the domain differ")
    if not is_patient:
        return
    ins = report.patient.ins
    if ins is None or not same_address(recipient.address, f"{ins.matricule}@{PATIENT_DOMAIN}"):
        raise RecipientRefused("not the mailbox of the report's patient")


def _check_flags(report: Report, recipients: Sequence[Recipient], sender: Sender | None) -> None:
    """Rule: a combination outside the official table is refused, whoever asks for it."""
    visibility, to_patient = report.visibility, any(each.kind is RecipientKind.PATIENT for each in recipients)
    flags = {
        "MASQUE_PS": visibility.masked_from_professionals,
        "INVISIBLE_PATIENT": visibility.invisible_to_patient,
        "INVISIBLE_REP_LEGAUX": visibility.invisible_to_guardians,
        "CONNEXION_SECRETE": visibility.secret_connection,
        "MODIF_CONF_CODE": False,
        "DESTDMP": report.to_dmp,
        "DESTMSSANTEPS": any(each.kind is not RecipientKind.PATIENT for each in recipients),
        "DESTMSSANTEPAT": to_patient,
    }
    mode = sender.matrix if sender is not None else MatrixMode.DEFAULT
    if matrix.check(flags, INITIAL, mode)[0]:
        raise FlagsContradict("these flags and destinations do not go together")
