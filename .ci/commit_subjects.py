"""Check the subjects of commits: at most 72 characters, a capital first, no full stop.

    .ci/commit_subjects.py          the newest commits of this clone
    .ci/commit_subjects.py FILE     the message in this file, as git's commit-msg hook calls it

Commits whose author date is before the rule are left out: a date is there in a shallow clone and
after a rebase, where a tag or a hash may not be. Without git there is nothing to check.
"""

import subprocess
import sys
from pathlib import Path

WIDTH = 72
#: author dates in seconds: the rule holds for what was written from 2026-11-29 on
SINCE = 1_795_910_400
NEWEST = 100
ROOT = Path(__file__).resolve().parent.parent


def fault(subject: str) -> str:
    """Say what is wrong with a subject; empty where nothing is."""
    if len(subject) > WIDTH:
        return f"{len(subject)} characters, {WIDTH} are allowed"
    if not subject[:1].isupper():
        return "it has to begin with a capital"
    if subject.endswith("."):
        return "no full stop at its end"
    return ""


def subjects() -> list[str]:
    """Return the subjects of the newest commits under the rule; none where git knows nothing."""
    command = ["git", "log", f"-{NEWEST}", "--no-merges", "--format=%at %s"]
    try:
        log = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return []
    pairs = (line.partition(" ") for line in log.splitlines())
    return [subject for moment, _, subject in pairs if int(moment) > SINCE]


def main() -> int:
    """Print each fault; 1 if there is one."""
    if len(sys.argv) > 1:
        message = Path(sys.argv[1]).read_text(encoding="utf-8")
        listed = message.splitlines()[:1] or [""]
        if listed[0].startswith(("Merge ", "fixup! ", "squash! ")):
            return 0
    else:
        listed = subjects()
        print(f"{len(listed)} subjects")
    faults = [(subject, reason) for subject in listed if (reason := fault(subject))]
    for subject, reason in faults:
        print(f"commit subject: {reason}: {subject}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
