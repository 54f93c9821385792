"""The store on SQLite: the only place that knows SQL. One connection, one thread, one process write to it."""
