"""The web page: status, stories, search, and a chat's alerts as a feed. Changes nothing of news.

Pages are functions from values to blocks (`pages`), one template shows all of them, and `server`
is the only module that knows HTTP. No SQL, no Telegram.
"""
