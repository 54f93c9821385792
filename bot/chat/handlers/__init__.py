"""What commands, buttons and screens do: a context in, a reply with its changes out.

None knows Telegram or SQL.
"""
