"""Forecasts: when a column is expected to reach a limit."""

from typing import Annotated

from pydantic import Field

from forewarn.contracts.base import Contract, Days, Identifier, Probability, TagName, UtcDatetime


class LimitForecast(Contract):
    """Forecast of a column against the limit of a threshold alarm.

    Times count from ``made_at``. One that is None is not reached within the horizon.
    """

    rule: Identifier = Field(
        description="Rule it was made for: a forecast rule in events, the threshold rule itself in the API."
    )
    column: TagName
    unit: str
    limit: float = Field(description="Limit of the threshold alarm that is anticipated.")
    probability: Probability = Field(description="Of reaching the limit within the horizon.")
    horizon_days: Annotated[float, Field(gt=0, json_schema_extra={"x-unit": "d"})] = Field(
        description="How far the forecast looks ahead: at most as the rule asks, less for a short history."
    )
    earliest_days: Days | None = Field(description="Reached by then with a probability of 10 %.")
    likely_days: Days | None = Field(description="Reached by then with a probability of 50 %.")
    latest_days: Days | None = Field(description="Reached by then with a probability of 90 %.")
    method: str = Field(description="Forecasting method that did best in the back-test on the column's own past.")
    made_at: UtcDatetime = Field(description="End of the history it rests on.")
