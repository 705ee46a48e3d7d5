"""A laboratory's day as HL7 messages: invented people, plausible figures, always the same for a seed."""

from labosim.day.exams import Exam, draw_exam
from labosim.day.ltw import ltw_message
from labosim.day.people import DOCTORS, LABORATORY, Doctor
from labosim.day.relay import Destinations, relay_message
from labosim.day.report import Copy, cr_bio
from labosim.day.sample import DayMessage, day_messages, sample_day

__all__ = [
    "DOCTORS",
    "LABORATORY",
    "Copy",
    "DayMessage",
    "Destinations",
    "Doctor",
    "Exam",
    "cr_bio",
    "day_messages",
    "draw_exam",
    "ltw_message",
    "relay_message",
    "sample_day",
]
