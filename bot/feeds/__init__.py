"""From a due feed to the outbox: when to look, what is new, what one poll means."""
