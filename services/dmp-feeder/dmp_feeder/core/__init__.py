"""Decisions of dmp-feeder: plain values and functions, no await."""
