"""The values that travel between the stages: frozen, one type a stage. No behaviour, no I/O. Times are aware UTC."""
