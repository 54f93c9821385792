"""Finds names in their usual spellings and scripts. Pure: no I/O but the packaged data files."""
