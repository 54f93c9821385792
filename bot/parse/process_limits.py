"""A process that reads documents: what it loads, and the kernel's limits that it sets itself.

Here, and not with those who start it, because a process loads the module of what it runs: this one
loads what reading needs and nothing else.
"""

import resource

# Loaded before the first document: the pool's channel is locked while a process takes a document,
# and all of this would be loaded meanwhile. The others wait for the lock by the wall clock.
import bot.parse.article
import bot.parse.page_proposal
import bot.parse.read
import bot.parse.sources  # noqa: F401


def set_limits(memory: int) -> None:
    """Bound memory in bytes, cores and files, for what escapes the pool's own time limit."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
