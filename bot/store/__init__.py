"""The store, the only part that knows SQL. One process, thread and connection writes."""
