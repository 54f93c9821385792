"""`python -m bot` is `newsbell`."""

from bot.cli.main import main

if __name__ == "__main__":
    main()
