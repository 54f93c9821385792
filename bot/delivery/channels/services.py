"""The channels to services other than Telegram, each under the kinds of chat that it serves."""

from collections.abc import Callable, Mapping

from bot.delivery.channels.apprise import AppriseChannel
from bot.delivery.channels.discord import DiscordChannel
from bot.delivery.channels.email import EmailChannel
from bot.delivery.channels.http import Client
from bot.delivery.channels.matrix import MatrixChannel
from bot.delivery.channels.mattermost import MattermostChannel
from bot.delivery.channels.ntfy import NtfyChannel
from bot.delivery.channels.slack import SlackChannel, SlackWebhookChannel
from bot.delivery.channels.webhook import WebhookChannel
from bot.model.chats import ChatKind
from bot.model.destinations import Destination
from bot.ports import Channel, Clock


def service_channels(
    client: Client, destination: Callable[[str], Destination | None], clock: Clock
) -> Mapping[ChatKind, Channel]:
    """Return the channels; `destination` says where the chat of a name is."""
    return {
        ChatKind.WEBHOOK: WebhookChannel(client, destination, clock),
        ChatKind.DISCORD: DiscordChannel(client, destination),
        ChatKind.SLACK: SlackChannel(client, destination),
        ChatKind.SLACK_WEBHOOK: SlackWebhookChannel(client, destination),
        ChatKind.MATRIX: MatrixChannel(client, destination),
        ChatKind.MATTERMOST: MattermostChannel(client, destination),
        ChatKind.NTFY: NtfyChannel(client, destination),
        ChatKind.APPRISE: AppriseChannel(destination),
        ChatKind.EMAIL: EmailChannel(destination, clock),
    }
