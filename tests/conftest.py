"""Fixtures of the whole suite; the real servers start on first use and live for the session."""

import os

import pytest
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("support.history_checks", "support.delivery_checks", "support.plant_api_checks")

from support.stack import (  # noqa: E402  # after the registration
    attach_logs,
    database_url,
    dedicated_broker,
    dedicated_postgres,
    kafka_broker,
    postgres_server,
    quick_java,
    session_broker,
    spawn_service,
    stack_dir,
    topic_prefix,
)

__all__ = [
    "database_url",
    "dedicated_broker",
    "dedicated_postgres",
    "kafka_broker",
    "postgres_server",
    "quick_java",
    "session_broker",
    "spawn_service",
    "stack_dir",
    "topic_prefix",
]

settings.register_profile("dev", max_examples=50, deadline=None)
settings.register_profile(
    "ci",
    max_examples=200,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if os.environ.get("CI") else "dev"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Show the end of every log a failed test has written."""
    report = yield
    if report.failed:
        attach_logs(item, report)
    return report
