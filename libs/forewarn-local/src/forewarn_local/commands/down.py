"""``forewarn down``: stop a platform that runs in another terminal."""

from forewarn_local.commands.common import fail, here
from forewarn_local.display import Display
from forewarn_local.launch import UP
from forewarn_local.leftovers import end_leftovers, find_leftovers, recorded, wait_gone

_STOP_TIMEOUT_S = 120.0


def down() -> None:
    """Stop the platform, wherever it was started, and end leftovers of an interrupted run."""
    home, _ = here()
    display = Display()
    running = recorded(home.pids, UP)
    leftovers = find_leftovers(home.pids, besides=frozenset({UP}))
    if running is None and not leftovers:
        display.say("Nothing is running.")
        return
    with display.step("Stopping services, then broker and database") as step:
        if running is not None:
            running.terminate()
            if wait_gone([running], _STOP_TIMEOUT_S):
                raise fail(
                    display,
                    f"Process {running.pid} did not stop within {_STOP_TIMEOUT_S:.0f} s. End it with "
                    f"`kill -9 {running.pid}`, then run `make stop` again to end the rest.",
                )
        end_leftovers(find_leftovers(home.pids, besides=frozenset({UP})))
        step.result = "Stopped"
