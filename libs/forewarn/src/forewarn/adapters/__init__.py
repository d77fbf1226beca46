"""The outside world behind the ports: Kafka, PostgreSQL and TimescaleDB, Arrow, detectors."""
