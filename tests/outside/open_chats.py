"""`newsbell` as it is, but that chats may add feeds on loopback, where those of the tests are.

A program: run it as `python -m bot`.
"""

from functools import partial

import bot.service.build
from bot.cli.main import main

if __name__ == "__main__":
    build = vars(bot.service.build)
    build["Wiring"] = partial(build["Wiring"], chat_networks=("127.0.0.0/8",))
    main()
