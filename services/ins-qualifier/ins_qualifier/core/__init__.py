"""Decisions: plain values and functions."""
