"""The monitor of stages outlives whatever the broker answers; the real broker's part is in tests/integration/api."""

from confluent_kafka import KafkaError, KafkaException

from forewarn.adapters.live import progress
from forewarn.adapters.live.progress import KafkaProgress
from forewarn.ports.progress import Progress
from forewarn.testing.fakes import StillClock
from support.stack import wait_until


def test_an_error_that_ends_other_clients_does_not_stop_the_monitor(monkeypatch):
    monkeypatch.setattr(progress, "LOOK_EVERY_S", 0.01)
    monitor = KafkaProgress("127.0.0.1:1", "", StillClock())
    answers = [
        KafkaException(KafkaError(KafkaError.GROUP_AUTHORIZATION_FAILED)),
        Progress(stages=[], newest_input=None),
    ]

    def look():
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(monitor, "look", look)
    monitor.start()
    try:
        assert wait_until(monitor.latest, 5) == Progress(stages=[], newest_input=None)
    finally:
        monitor.close()
