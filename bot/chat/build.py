"""Build the chat layer from its services. Handles nothing itself."""

from bot.chat.command_quota import CommandQuota
from bot.chat.dispatcher import Dispatcher
from bot.chat.guard import Guard
from bot.chat.handlers.admission import Admission
from bot.chat.handlers.start import Start
from bot.chat.handlers.subscriber import Subscriber
from bot.chat.router import build_router
from bot.chat.services import ChatServices


def build_dispatcher(services: ChatServices) -> Dispatcher:
    """Return the dispatcher of all chats."""
    store, config = services.store, services.config
    subscriber = Subscriber(store, services.search, config)
    start = Start(subscriber)
    guard = Guard(services.members)
    return Dispatcher(
        store,
        services.clock,
        build_router(services, subscriber, start),
        guard,
        Admission(store, guard, start, subscriber, config, services.translator),
        CommandQuota(lambda: config().commands_per_minute),
        services.translator,
    )
