"""Text as it is: folding, cleaning, links. Pure functions over strings; nothing here knows feeds, queries or chats."""
