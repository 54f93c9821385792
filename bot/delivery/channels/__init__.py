"""The ways to a chat. Each meets its outside in one file and answers with an outcome, never an exception."""
