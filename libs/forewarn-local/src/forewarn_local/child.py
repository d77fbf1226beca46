"""Become a supervised process: ``python -I -S child.py SPEC``, SPEC being a JSON file.

It records process id and command, so that a later run recognises its leftovers, asks the kernel for a signal when the
supervisor dies, and gives up root if the spec says so. Then it execs the program. Standard library only: it runs
without the environment's packages.
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
    with contextlib.suppress(OSError):  # a full disk: the supervisor knows the process anyway
        scratch.write_text(json.dumps({"pid": os.getpid(), "command": command}))
        scratch.replace(record)
    if spec["uid"] is not None:
        os.setgroups([])
        os.setgid(spec["gid"])
        os.setuid(spec["uid"])
    if sys.platform == "linux":  # after the change of user, which clears it
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, spec["death_signal"])
    os.chdir(spec["cwd"])
    os.execve(command[0], command, spec["environment"])  # noqa: S606  # without a shell on purpose


if __name__ == "__main__":
    main()
