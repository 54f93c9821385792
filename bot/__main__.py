"""Start the command line: `newsbell`, and `python -m bot`.

Imports nothing of it before it is called: each worker process reads this module as well.
"""

from importlib import import_module


def main() -> None:
    """Run the command line. Ctrl-C while its modules load ends it without a traceback."""
    try:
        interruptible = import_module("bot.cli.interrupts").interruptible
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    with interruptible():
        import_module("bot.cli.streams").accept_any_text()
        program = import_module("bot.cli.main")
    program.main()


if __name__ == "__main__":
    main()
