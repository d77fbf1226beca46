"""PostgreSQL with or without TimescaleDB: schema, the sink's exactly-once writes, the API's queries."""
