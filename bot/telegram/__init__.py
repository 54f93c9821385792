"""Updates of Telegram as values, and how they arrive. What is replied is the chat layer's."""
