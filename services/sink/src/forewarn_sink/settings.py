"""Settings of the sink."""

from pydantic import Field, PostgresDsn

from forewarn.runtime.settings import KafkaSettings


class SinkSettings(KafkaSettings):
    """Settings of the sink."""

    database_url: PostgresDsn = Field(description="postgresql://user:password@host:port/database")
    sink_max_rows: int = Field(default=50_000, ge=1, le=1_000_000, description="Most rows in one transaction.")
    sink_linger_s: float = Field(default=0.1, ge=0.01, le=5, description="How long to wait for more rows at low load.")
    sink_retry_limit_s: float = Field(default=10.0, gt=0, le=300, description="Longest wait between two attempts.")
    retention_interval_s: float = Field(default=3600.0, gt=0, description="Time between two clean-ups of old rows.")
