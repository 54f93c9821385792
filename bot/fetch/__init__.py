"""HTTP: a guard for all addresses and a client for all fetches. Decides nothing about feeds."""
