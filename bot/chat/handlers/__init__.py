"""The rooms of the chat: what is said to people and asked of them. Each takes a turn and gives back what is said; none knows Telegram or SQL."""
