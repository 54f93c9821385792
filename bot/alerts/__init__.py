"""Which chats an entry alerts, by which options, and when a chat is quiet."""
