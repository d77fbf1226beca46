"""Apache Kafka through confluent-kafka: the only place that imports it."""
