"""The command that prints a unit for systemd, with the paths of this newsbell."""

import os
import pwd
import re
import sys
from pathlib import Path

import click

from bot.cli.config_option import config_option
from bot.cli.database_path import beside_of

HOMES = (Path("/home"), Path("/root"), Path("/run/user"))
ENVIRONMENT_FILE = "/etc/newsbell.env"
USER = "newsbell"  #: whom a unit names that root printed
_USER_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*\$?")  # as systemd takes it, or a number
_UNIT = """\
# /etc/systemd/system/newsbell.service, as `newsbell systemd` prints it
[Unit]
Description=newsbell, alerts for news feeds
After=network-online.target
Wants=network-online.target

[Service]
Type=notify
NotifyAccess=main
User={user}
WorkingDirectory={folder}
EnvironmentFile=-{environment}
ExecStart={program} run --config {config}
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=10
# Mistakes in feeds.yaml at the first start: a restart would not help.
RestartPreventExitStatus=2
# A large database of an earlier version takes minutes to be brought up to date.
TimeoutStartSec=15min
TimeoutStopSec=90
# newsbell ends by itself after three minutes where it can; this is for where it cannot.
WatchdogSec=5min
LimitNOFILE=65536

UMask=0077
ReadWritePaths={writable}
ProtectSystem=strict
ProtectHome={home}
ProtectProc=invisible
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
CapabilityBoundingSet=
NoNewPrivileges=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RemoveIPC=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
"""


@click.command()
@config_option
@click.option("--user", help="Who runs newsbell; you by default, or newsbell if you are root.")
def systemd(path: Path, user: str | None) -> None:
    """Print a unit for systemd, with the paths of this newsbell."""
    if user is not None and not _USER_NAME.fullmatch(user):
        raise click.BadParameter("expected the name of a user of this machine", param_hint="--user")
    data = beside_of(path).absolute().parent
    name = user or (pwd.getpwuid(os.getuid()).pw_name if os.getuid() else USER)
    click.echo(unit_text(_program(), path.absolute(), data, name), nl=False)


def unit_text(program: tuple[Path | str, ...], config: Path, data: Path, user: str) -> str:
    """Return the unit of a program with its arguments; `data` is the folder of the database."""
    paths = [path for path in (*program, config, data) if isinstance(path, Path)]
    in_home = any(path.is_relative_to(home) for path in paths for home in HOMES)
    return _UNIT.format(
        user=user,
        folder=_escaped(config.parent),
        environment=ENVIRONMENT_FILE,
        program=" ".join(map(_quoted, program)),
        config=_quoted(config),
        writable=_quoted(data),
        home="read-only" if in_home else "yes",
    )


def _program() -> tuple[Path | str, ...]:
    """The command as it is installed; otherwise the interpreter with the package."""
    interpreter = Path(sys.executable)
    command = interpreter.with_name("newsbell")
    return (command,) if command.exists() else (interpreter, "-m", "bot")


def _escaped(value: Path | str) -> str:
    return str(value).replace("%", "%%")


def _quoted(value: Path | str) -> str:
    """Return a word of a unit (systemd.syntax(7), systemd.service(5))."""
    text = _escaped(value).replace("\\", "\\\\").replace('"', '\\"').replace("$", "$$")
    return text if not set(text) & set(" \t'\"\\;") else f'"{text}"'
