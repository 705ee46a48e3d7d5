"""The outside: INSi, the tables, HTTP."""
