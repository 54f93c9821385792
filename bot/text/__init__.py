"""Text: folding, stemming, tokens, languages, cleaning, links.

Pure functions over strings; nothing in this package knows feeds, queries or chats.
"""
