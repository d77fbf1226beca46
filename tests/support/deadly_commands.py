"""``python -m support.deadly_commands PACKAGE``: a service whose process ends as soon as it takes a ``deadly`` command.

It stands for what no test can provoke at will: a crash inside a C library, a lack of memory.
"""

import os
import runpy
import sys

from forewarn.adapters.kafka.command_group import CommandGroup

_take = CommandGroup.take


def _deadly(self: CommandGroup, timeout_s: float):
    found = _take(self, timeout_s)
    if any(getattr(command, "body", None) and command.command_id == "deadly" for command in found):
        os._exit(9)
    return found


if __name__ == "__main__":
    CommandGroup.take = _deadly
    package = sys.argv.pop(1)
    runpy.run_module(package, run_name="__main__", alter_sys=True)
