"""The query language: text to tree, tree against an article, many trees at once.

Knows words and texts, nothing of polling or chats.
"""
