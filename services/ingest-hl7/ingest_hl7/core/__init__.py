"""Decisions: plain values and functions, no await."""
