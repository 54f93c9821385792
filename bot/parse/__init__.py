"""Bytes of a document to entries. Pure functions.

They run in worker processes, because a document can make feedparser work for minutes.
"""
