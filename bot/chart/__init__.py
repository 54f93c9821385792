"""The chart of a trend, drawn in a process of its own.

Only `picture` imports matplotlib, and only the child process imports `picture`.
"""
