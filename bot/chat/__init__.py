"""What people write and press in a chat, and what is answered. Knows neither Telegram nor SQL."""
