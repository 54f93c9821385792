"""One program a file, all with the same command line, each polling every given URL exactly once.

Not imported by the product; `bench.cycle` starts them as processes, with the repository root in PYTHONPATH.
"""
