"""Commands to twins over a real broker."""

from datetime import UTC, datetime

import pytest

from forewarn.contracts.assets import AskWhatIf, Command, CommandAnswer, RetrainTwin
from forewarn.contracts.topics import TopicName
from support.stack import wait_until

pytestmark = pytest.mark.integration


def command(command_id, body, asset_id="P-101"):
    now = datetime.now(UTC)
    sent = Command(command_id=command_id, asset_id=asset_id, issued_at=now, issued_by="planner", body=body)
    return asset_id.encode(), sent.model_dump_json().encode()


def test_commands_to_a_twin_are_done_once_and_answered_also_after_a_restart(
    api, kafka_broker, topic_prefix, migrated_url, start_api
):
    def answers():
        return [CommandAnswer.model_validate_json(record.value) for record in api.topic(TopicName.COMMANDS_ANSWERS)]

    def await_answers(*command_ids):
        wait_until(lambda: len(answers()) >= len(command_ids), 30, lambda: f"{answers()}")
        assert sorted(answer.command_id for answer in answers()) == sorted(command_ids)

    api.produce(
        TopicName.COMMANDS,
        (b"P-101", b"{no json"),
        (b"P-101", b'{"command_id": "odd", "asset_id": "P-101", "body": {"kind": "learn_anew", "speed": 1}}'),
        command("learn", RetrainTwin(reason="new impeller")),
        command("ask", AskWhatIf(preset="high_load")),
    )
    await_answers("learn", "ask", "odd")
    found = {answer.command_id: answer for answer in answers()}
    assert found["learn"].learning.order_id == "learn"
    assert "is still learning" in found["ask"].problem
    assert found["odd"].problem.startswith("The command cannot be read: issued_at: Field required")
    orders = [record for record in api.topic(TopicName.READINGS_VALID) if record.key == b"forewarn.baseline"]
    assert len(orders) == 12

    assert api.process.terminate() < 10
    again = start_api(kafka_broker.bootstrap_servers, topic_prefix, migrated_url)
    again.wait_ready()
    again.produce(TopicName.COMMANDS, command("unknown", AskWhatIf(preset="high_load"), "P-999"))
    await_answers("learn", "ask", "odd", "unknown")
