"""Stored entries held against a query; why something alerted or did not."""
