"""The configuration file: its schema, how it is read, its mistakes. Knows no store."""
