"""An invented newswire on loopback, played through the real pipeline on a fast clock. Nothing of it is used by `newsbell run`."""
