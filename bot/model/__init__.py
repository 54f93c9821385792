"""The values that travel between stages: frozen, one type for each stage. No I/O, no clock.

Times are aware and in UTC.
"""
