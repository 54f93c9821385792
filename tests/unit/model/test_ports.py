"""The ports: protocols only, and complete, so that nobody needs the type of the store."""

import inspect
from pathlib import Path
from typing import Any

import pytest

from bot import ports
from bot.store.read_only import ReadOnlyDatabase
from bot.store.stores import SqliteStore

PARTS = {
    "files": ports.StoreFiles,
    "polls": ports.PollStore,
    "pages": ports.PageStore,
    "deliveries": ports.DeliveryStore,
    "chats": ports.ChatStore,
    "config": ports.ConfigStore,
    "admin": ports.AdminStore,
    "search": ports.SearchStore,
    "web": ports.WebStore,
    "hubs": ports.HubStore,
    "nodes": ports.NodeStore,
    "requests": ports.RequestStore,
    "archive": ports.FullArchive,
}


def methods(kind: type[Any]) -> dict[str, list[str]]:
    """Public methods of a class and its bases, with the names of their parameters."""
    return {
        name: list(inspect.signature(function).parameters)
        for name, function in inspect.getmembers(kind, inspect.isfunction)
        if not name.startswith("_")
    }


def test_ports_hold_protocols_only() -> None:
    classes = [
        kind
        for _, kind in inspect.getmembers(ports, inspect.isclass)
        if kind.__module__ == ports.__name__
    ]
    assert classes
    assert [kind for kind in classes if not getattr(kind, "_is_protocol", False)] == []
    assert [
        name for name, _ in inspect.getmembers(ports, inspect.isfunction) if name[0] != "_"
    ] == []


def test_the_store_has_the_parts_that_its_port_names(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "newsbell.db")
    named = {name for name in vars(ports.Store) if not name.startswith("_")}
    assert named == set(PARTS)
    assert {name for name in vars(store) if not name.startswith("_")} == {*PARTS, "path"}


@pytest.mark.parametrize("part", PARTS)
def test_all_public_methods_of_the_store_are_in_its_ports(part: str, tmp_path: Path) -> None:
    implementation = type(getattr(SqliteStore(tmp_path / "newsbell.db"), part))
    assert methods(implementation) == methods(PARTS[part])


def test_all_public_methods_of_the_read_only_database_are_in_its_port() -> None:
    assert methods(ReadOnlyDatabase) == methods(ports.StatusReader)
