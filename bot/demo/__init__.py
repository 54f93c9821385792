"""An invented newswire on loopback, played through the real pipelines on a fast clock.

`newsbell run` uses nothing of it.
"""
