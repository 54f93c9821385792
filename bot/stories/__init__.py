"""Which entries tell the same story, and who says it. Decisions only: no store, no clock."""
