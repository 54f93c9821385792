"""From the outbox to the chat: when a message may go out, what it says, what became of it."""
