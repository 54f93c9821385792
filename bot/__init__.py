"""newsbell: an alarm bell for the news. The package's face holds its version and nothing else."""

__version__ = "0.1.0"
