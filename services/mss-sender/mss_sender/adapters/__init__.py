"""The outside: SMTP, IMAP, HTTP, tables, metrics."""
