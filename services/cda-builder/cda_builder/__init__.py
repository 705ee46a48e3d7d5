"""Turns a report into a CR-BIO document, or checks the one the laboratory made."""
