"""Commands to twins: done, answered, and kept while something is away."""

import asyncio

import pytest

from forewarn.contracts.assets import AskWhatIf, Command, InjectFault, RetrainTwin
from forewarn.contracts.questions import ChangeRequest, HistoryRange
from forewarn.contracts.topics import TopicName
from forewarn.ports.commands import UnreadableCommand
from forewarn.testing.api_examples import NOW
from forewarn_api import twin_commands
from forewarn_api.twin_commands import TwinCommandHandler
from unit.api.test_twin import learn, measure

FLOW_UP = AskWhatIf(changes=(ChangeRequest(column="flow_m3_h", factor=1.1),))


class Basket:
    """Hands out what was put in; counts how often all was done."""

    def __init__(self, *bodies, asset_id="P-101"):
        self.commands = [
            Command(command_id=f"c-{n}", asset_id=asset_id, issued_at=NOW, issued_by="planner", body=body)
            for n, body in enumerate(bodies)
        ]
        self.waiting = list(self.commands)
        self.finished = 0
        self.closed = False

    def take(self, timeout_s):
        taken, self.waiting = self.waiting, []
        return taken

    def done(self):
        self.finished += 1

    def close(self):
        self.closed = True


def serve(platform, basket, until=lambda basket: basket.finished):
    """Run a handler until a condition holds; returns the answers."""

    async def run():
        async with TwinCommandHandler(platform.backend, basket) as handler:
            async with asyncio.timeout(10):
                while not until(basket):
                    assert handler.failure() is None
                    await asyncio.sleep(0.001)

    asyncio.run(run())
    assert basket.closed
    return [event for topic, _, event in platform.delivery.events if topic is TopicName.COMMANDS_ANSWERS]


def test_an_order_to_learn_bears_the_id_of_its_command(platform):
    (answer,) = serve(platform, Basket(RetrainTwin(reason="new impeller")))
    assert answer.command_id == "c-0"
    assert answer.problem is None
    assert (answer.learning.order_id, answer.learning.learns_from) == ("c-0", "next_readings")
    assert len(platform.delivery.sent) == 12


def test_a_question_is_answered_like_over_http(client, platform):
    learn(platform, "P-101")
    measure(platform, "P-101")
    (answer,) = serve(platform, Basket(FLOW_UP))
    body = {"changes": [{"column": "flow_m3_h", "factor": 1.1}]}
    assert answer.what_if.model_dump(mode="json") == client.post("/api/v1/assets/P-101/what-if", json=body).json()


@pytest.mark.parametrize(
    ("body", "asset_id", "problem"),
    [
        (FLOW_UP, "P-101", "the twin of P-101 is still learning"),
        (FLOW_UP, "nobody", "There is no asset 'nobody'"),
        (AskWhatIf(preset="warp_speed"), "P-101", "There is no preset 'warp_speed'. centrifugal_pump has "),
        (RetrainTwin(history=HistoryRange.model_validate({"from": NOW, "to": NOW})), "P-101", "ends"),
    ],
)
def test_what_cannot_be_done_is_answered_with_the_reason(platform, body, asset_id, problem):
    (answer,) = serve(platform, Basket(body, asset_id=asset_id))
    assert problem in answer.problem
    assert (answer.learning, answer.what_if) == (None, None)
    assert platform.delivery.sent == []


def test_what_cannot_be_read_is_answered_with_what_is_wrong(platform):
    basket = Basket()
    basket.waiting = [UnreadableCommand(command_id="c-9", asset_id="P-101", problem="body.preset: Input should be …")]
    (answer,) = serve(platform, basket)
    assert (answer.command_id, answer.asset_id) == ("c-9", "P-101")
    assert answer.problem == "The command cannot be read: body.preset: Input should be …"


def test_commands_for_others_are_passed_over(platform):
    assert serve(platform, Basket(InjectFault(fault="bearing_wear", duration_s=60.0))) == []


@pytest.mark.parametrize("what", ["broker", "registry", "database"])
def test_a_command_waits_while_something_is_away_and_is_done_once(platform, monkeypatch, what):
    monkeypatch.setattr(twin_commands, "_RETRY_S", 0.001)
    platform.delivery.away = what == "broker"
    platform.registry.reason = "it is being read" if what == "registry" else None
    platform.history.away = what == "database"
    span = HistoryRange.model_validate({"from": NOW.replace(hour=1), "to": NOW})
    basket = Basket(RetrainTwin(history=span) if what == "database" else RetrainTwin())
    looks = iter(range(1_000))

    def comes_back_after_a_while(basket):
        if next(looks) == 20:
            assert not basket.finished
            platform.delivery.away = platform.history.away = False
            platform.registry.reason = None
        return basket.finished

    (answer,) = serve(platform, basket, comes_back_after_a_while)
    assert (answer.problem is None) == (what != "database"), "nothing is stored there, which is an answer"


def test_what_was_not_answered_before_the_end_is_not_done_with(platform):
    platform.delivery.away = True
    basket = Basket(RetrainTwin())
    assert serve(platform, basket, lambda basket: not basket.waiting) == []
    assert not basket.finished


def test_a_source_that_ends_is_told(platform):
    class Broken(Basket):
        def take(self, timeout_s):
            raise OSError("topic authorization failed")

    async def run():
        async with TwinCommandHandler(platform.backend, Broken()) as handler:
            for _ in range(1_000):
                if handler.failure() is not None:
                    break
                await asyncio.sleep(0.001)
            return handler.failure()

    assert asyncio.run(run()) == "commands cannot be read: topic authorization failed"
