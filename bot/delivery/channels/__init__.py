"""The ways to a chat. Each uses its library in one module and returns an outcome, never raises."""
