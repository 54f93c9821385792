"""Which entries tell the same story. At present only equal canonical links join; see docs/design.md, "Stories"."""
