"""The kernel's limits of a process that reads documents, set by itself before it reads any.

Here, and not with those who start it, because a process loads the module of what it runs: this one
loads nothing that reading does not need.
"""

import resource


def set_limits(memory: int) -> None:
    """Bound memory in bytes, cores and files, for what escapes the pool's own time limit."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
