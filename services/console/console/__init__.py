"""Decides nothing, shows everything: what happened to every report, read from the events of all services."""
