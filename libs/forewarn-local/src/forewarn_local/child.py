"""Become a supervised process: ``python -I -S child.py SPEC``, SPEC being a JSON file.

Records the process id and command first, so that a later run can tell its leftovers from other people's
processes; asks the kernel for a signal when the supervisor dies; gives up root where told to. Then it is
replaced by the program. Standard library only: it runs without the environment's packages.
"""

import contextlib
import ctypes
import json
import os
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Read the spec and become the program."""
    spec = json.loads(Path(sys.argv[1]).read_text())
    command: list[str] = spec["command"]
    record = Path(spec["record"])
    scratch = record.with_suffix(".tmp")
    with contextlib.suppress(OSError):  # a full disk: the supervisor knows it without a record
        scratch.write_text(json.dumps({"pid": os.getpid(), "command": command}))
        scratch.replace(record)
    if spec["uid"] is not None:
        os.setgroups([])
        os.setgid(spec["gid"])
        os.setuid(spec["uid"])
    if sys.platform == "linux":  # after the change of user, which would clear it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, spec["death_signal"])
    os.chdir(spec["cwd"])
    os.execve(command[0], command, spec["environment"])  # noqa: S606  # no shell is the point


if __name__ == "__main__":
    main()
