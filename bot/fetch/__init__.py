"""The way to the web: one gate for every address, one client for every fetch. Decides nothing about feeds."""
