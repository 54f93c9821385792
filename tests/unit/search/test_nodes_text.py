"""What operators read of the machines that share a database."""

from dataclasses import replace
from datetime import timedelta

from support import NOON

from bot.cli.status import nodes_text
from bot.i18n.catalog import Catalogs, Translator
from bot.model.health import Role
from bot.model.nodes import Node, NodeState, Rest, Sharing, Tables, rest_of, rest_text
from bot.search.nodes_text import faults, queue_text, role_of, role_text

SECOND = timedelta(seconds=1)
LEADER = NodeState(Node("first", "2", NOON, "same"), leads=True, silent=SECOND, ahead=0.2)
OTHER = NodeState(Node("second", "2", NOON, "same"), leads=False, silent=SECOND, ahead=0.4)
OLDER = replace(OTHER, node=replace(OTHER.node, version="1"))
UPDATE = "Its version is 1, that of the one that leads 2: update the older one."


def test_a_machine_leads_polls_waits_or_is_gone() -> None:
    assert role_of(LEADER, LEADER) is Role.LEADS
    assert role_of(OTHER, LEADER) is Role.POLLS
    assert role_of(OLDER, LEADER) is Role.WAITS
    assert role_of(OTHER, None) is Role.WAITS
    assert role_of(replace(LEADER, silent=9 * SECOND), None) is None
    assert role_text(replace(OTHER, silent=120 * SECOND), LEADER) == "gone for 2 min"


def test_nothing_is_wrong_with_machines_that_are_alike() -> None:
    assert list(faults(OTHER, LEADER)) == []
    assert list(faults(LEADER, LEADER)) == []


def test_what_is_wrong_with_a_machine_is_said_with_what_to_do() -> None:
    odd = replace(OLDER, node=replace(OLDER.node, digest="other"), ahead=-60.0)
    assert list(faults(odd, LEADER)) == [
        UPDATE,
        "Its feeds.yaml is not that of the one that leads: make them the same.",
        "Its clock differs from that of the one that leads by -60 s: set the clocks.",
    ]
    assert list(faults(replace(odd, silent=60 * SECOND), LEADER)) == []


def test_a_file_or_clock_that_is_not_known_is_not_called_different() -> None:
    unknown = replace(OTHER, node=replace(OTHER.node, digest=""), ahead=None)
    assert list(faults(unknown, LEADER)) == []


def test_status_names_the_machines_and_what_waits() -> None:
    sharing = Sharing((LEADER, OLDER), 3, 12 * SECOND)
    assert nodes_text(sharing).splitlines() == [
        "Machines: 3 polls wait for the one that leads, the first for 12 s.",
        "  first leads, heard 1 s ago.",
        f"  second waits for its turn, and polls nothing, heard 1 s ago. {UPDATE}",
    ]
    assert queue_text(Sharing()) == "No poll waits for the one that leads."


def test_it_is_translated() -> None:
    german = Translator(catalog=Catalogs().of("de"))
    assert queue_text(Sharing((), 1, 2 * SECOND), german).startswith("1 Abruf wartet")
    assert role_text(OTHER, LEADER, german) == "ruft für den führenden ab"


def test_each_reason_to_poll_nothing_is_said_with_what_to_do() -> None:
    assert rest_of(OTHER, LEADER) is None
    assert rest_of(OLDER, LEADER, Tables.NEWER) is Rest.NEWER_TABLES
    assert rest_of(OLDER, LEADER, Tables.OLDER) is Rest.OLDER_TABLES
    assert rest_of(replace(OTHER, ahead=6.0), LEADER) is Rest.CLOCK
    for rest in Rest:
        text = rest_text(rest, OLDER, LEADER)
        assert text.startswith("It polls nothing")
        assert text.endswith(".")
