"""The query language: text to tree, tree against an entry, many trees at once. Knows words and texts; not feeds' or chats' affairs."""
