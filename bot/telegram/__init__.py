"""The chat interface: Telegram's updates to our `Incoming`. What is done about them is the actions' affair."""
