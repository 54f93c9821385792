"""Engines that hold the tables: SQLite in a file, PostgreSQL on a server. Know no table's meaning.

The SQL of the store is written once, in what both understand (`engine.Database` says what that is).
What cannot be said alike stands here: opening, locks, migrations, the index of the search.
"""
