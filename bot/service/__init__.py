"""The running program: building, running, stopping, and what it needs of the operating system."""
