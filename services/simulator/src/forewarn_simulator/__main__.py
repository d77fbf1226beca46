"""``python -m forewarn_simulator``; ``python -m forewarn_simulator load`` generates benchmark load."""

import sys

from forewarn.runtime.service import run_service
from forewarn_simulator.app import simulate
from forewarn_simulator.load.command import main
from forewarn_simulator.settings import SimulatorSettings

if sys.argv[1:2] == ["load"]:
    sys.exit(main(sys.argv[2:]))
run_service("simulator", SimulatorSettings, simulate)
