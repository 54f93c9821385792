"""The picture of a trend, drawn in a process of its own. Nothing here imports matplotlib but `picture`, and only the child imports that."""
