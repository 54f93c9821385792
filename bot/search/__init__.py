"""Search over stored entries: backtests, exclusions, timelines, explanations of alerts."""
