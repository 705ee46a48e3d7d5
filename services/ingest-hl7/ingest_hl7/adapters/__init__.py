"""Sockets, HTTP, tables and metrics."""
