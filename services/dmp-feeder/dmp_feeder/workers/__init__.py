"""Filing: leased documents, the DMP, their outcomes."""
