"""The PDF renderer, the official rules and the tables."""
