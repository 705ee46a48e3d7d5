"""Mails documents by MSSanté; follows delivery notices, read receipts and answers."""
