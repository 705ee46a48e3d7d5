"""Decisions: which mails, with which words; what an answer of the operator or a return means. No I/O."""
