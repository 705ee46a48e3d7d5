"""A clinical document as a page for people: HTML made by our own stylesheet, never by one that came with it.

The narrative is shown as its author wrote it, the header as facts; what is abnormal is marked by a sign and a colour.
Source: HL7 CDA R2 narrative block; CI-SIS CR-BIO 2021.01 for the form that presents itself.
"""

from labohub.standards.cda.presentation.page import ACCENT, Theme, ThemeRefused, to_html
from labohub.standards.cda.presentation.self_presenting import self_presenting

__all__ = ["ACCENT", "Theme", "ThemeRefused", "self_presenting", "to_html"]
