"""Files the documents in the DMP: feeds, replaces, deletes, in indirect authentication."""
