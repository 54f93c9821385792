"""Programs to be measured, a file each, all with the same command line: poll every URL once.

`bench.cycle` starts them as processes, with the repository root in PYTHONPATH.
"""
