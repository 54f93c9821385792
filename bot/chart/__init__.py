"""The chart of a trend, drawn in a process of its own.

Only `picture` imports what draws, and only the child process imports `picture`.
"""
