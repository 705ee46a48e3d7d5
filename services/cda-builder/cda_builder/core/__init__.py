"""Decisions: from results to a document, from a document to a verdict. Plain values, no await."""
