"""Benchmarks: what newsbell costs beside its peers. Not tests: no timing here is ever an assertion."""
