"""The machines that share a database, as text: what each does and what is wrong. No I/O."""

from collections.abc import Iterator

from bot.i18n.catalog import ENGLISH, Translator
from bot.model.health import Role
from bot.model.nodes import (
    CLOCKS_DIFFER,
    NodeState,
    Sharing,
    clock_difference,
    is_file_different,
    rest_of,
)

_TELLING = 1.0  # seconds by which clocks differ that is worth a word


def role_of(state: NodeState, leader: NodeState | None) -> Role | None:
    """Return what a node does; None where it is gone."""
    if state.is_gone:
        return None
    if state.leads:
        return Role.LEADS
    return Role.WAITS if leader is None or rest_of(state, leader) else Role.POLLS


def role_text(state: NodeState, leader: NodeState | None, translator: Translator = ENGLISH) -> str:
    """Return what a node does, in a few words."""
    match role_of(state, leader):
        case Role.LEADS:
            return translator.gettext("leads")
        case Role.POLLS:
            return translator.gettext("polls for the one that leads")
        case Role.WAITS:
            return translator.gettext("waits for its turn, and polls nothing")
        case None:
            span = translator.duration(state.silent)
            return translator.gettext("gone for {span}", span=span)


def faults(
    state: NodeState, leader: NodeState | None, translator: Translator = ENGLISH
) -> Iterator[str]:
    """Yield what is wrong with a node, and what to do, a sentence each."""
    if leader is None or state.is_gone or state.leads:
        return
    if state.node.version != leader.node.version:
        yield translator.gettext(
            "Its version is {version}, that of the one that leads {other}: update the older one.",
            version=state.node.version,
            other=leader.node.version,
        )
    if is_file_different(state, leader):
        yield translator.gettext(
            "Its feeds.yaml is not that of the one that leads: make them the same."
        )
    seconds = clock_difference(state, leader)
    if abs(seconds) > _TELLING:
        yield translator.gettext(
            "Its clock differs from that of the one that leads by {seconds} s: set the clocks.",
            seconds=f"{seconds:+.0f}" if abs(seconds) > CLOCKS_DIFFER else f"{seconds:+.1f}",
        )


def queue_text(sharing: Sharing, translator: Translator = ENGLISH) -> str:
    """Return how many polls wait for the one that leads, and for how long."""
    if not sharing.waiting:
        return translator.gettext("No poll waits for the one that leads.")
    return translator.ngettext(
        "{number} poll waits for the one that leads, for {span}.",
        "{number} polls wait for the one that leads, the first for {span}.",
        sharing.waiting,
        span=translator.duration(sharing.oldest),
    )
