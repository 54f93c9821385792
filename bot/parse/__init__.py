"""Bytes of a document to entries. Pure functions; run in worker processes because feedparser can be made to work for minutes."""
