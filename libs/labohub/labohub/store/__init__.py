"""State: unit of work, inbox, outbox, leased work, encrypted documents. SQLite or PostgreSQL, same code."""
