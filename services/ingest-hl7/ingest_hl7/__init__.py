"""Hears the laboratory in HL7 v2, stores, acknowledges; carries the answers back."""
