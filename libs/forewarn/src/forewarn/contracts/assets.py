"""The asset registry, and commands from people and programs."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from forewarn.contracts.base import (
    USABLE_SIZE,
    Comment,
    Contract,
    Identifier,
    Name,
    NotNegative,
    Probability,
    Quantity,
    Reference,
    StoredText,
    StrictContract,
    TagName,
    UtcDatetime,
    readable,
)
from forewarn.contracts.health import ComponentName
from forewarn.contracts.questions import BaselineAccepted, BaselineSource, WhatIfAnswer, WhatIfRequest

Price = Annotated[NotNegative, USABLE_SIZE]
ScenarioDays = Annotated[float, Field(gt=0, le=3660), USABLE_SIZE] | None


class HealthWeights(StrictContract):
    """An asset's health weights where they differ from its class's; others stay as in the class."""

    metrics: dict[TagName, Probability] = Field(default_factory=dict, description="By column of the class's metrics.")
    components: dict[ComponentName, Probability] = Field(default_factory=dict)


class AssetRates(StrictContract):
    """Costs of downtime and energy at this asset, where they differ from the class."""

    downtime_cost_per_min: NotNegative | None = None
    energy_price_per_kwh: NotNegative | None = None
    monitoring_cost_per_year: NotNegative | None = None


class Asset(StrictContract):
    """One machine: an entry of the compacted topic ``assets``, keyed by ``asset_id``."""

    asset_id: Identifier
    asset_class: Identifier = Field(description="Name of a class of the catalogue.")
    name: Annotated[str, Field(min_length=1, max_length=200)] = Field(
        description="Registering takes a line of text; an older entry's is made readable."
    )
    path: Annotated[tuple[Identifier, ...], Field(max_length=8)] = Field(
        default=(), description="ISA-95 place: enterprise, site, area, line, …"
    )
    nameplate: dict[TagName, float] = Field(default_factory=dict, description="Rated values, units in the names.")
    criticality: Annotated[int, Field(ge=1, le=5)] = Field(default=3, description="5 = stops the plant.")
    health_weights: HealthWeights | None = None
    economics: AssetRates | None = None

    @field_validator("name", mode="after")
    @classmethod
    def _readable_name(cls, name: str, info: ValidationInfo) -> str:
        # The topic is compacted: refusing an older version's entry would refuse all readings of its asset.
        return readable(" ".join(name.split())) or str(info.data.get("asset_id", name))


class RatesRegistration(AssetRates):
    """Rates as people and programs send them."""

    downtime_cost_per_min: Price | None = None
    energy_price_per_kwh: Price | None = None
    monitoring_cost_per_year: Price | None = None


class AssetRegistration(Asset):
    """An asset as people and programs send it: stricter than entries already on the topic."""

    name: Name
    nameplate: dict[TagName, Quantity] = Field(default_factory=dict, description="Rated values, units in the names.")
    economics: RatesRegistration | None = None

    def entry(self) -> Asset:
        """Return the entry for the topic ``assets``."""
        return Asset.model_validate(self.model_dump())


class AcknowledgeAlarm(StrictContract):
    """A person has seen an occurrence of an alarm."""

    kind: Literal["acknowledge_alarm"] = "acknowledge_alarm"
    alarm_id: Reference
    occurrence_id: Reference = Field(description="The occurrence that was seen; a newer one is not acknowledged by it.")
    comment: Comment = ""


class InjectFault(StrictContract):
    """Start a growing fault in a machine of the simulator."""

    kind: Literal["inject_fault"] = "inject_fault"
    fault: Identifier
    duration_s: Annotated[float, Field(gt=0), USABLE_SIZE] = Field(description="Time from onset to failure.")
    severity: Annotated[float, Field(gt=0, le=1), USABLE_SIZE] = 1.0


class ScenarioSettings(StrictContract):
    """How to play a scenario."""

    severity: Annotated[float, Field(gt=0, le=1), USABLE_SIZE] = 1.0
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    interval_s: Annotated[float, Field(gt=0, le=86_400), USABLE_SIZE] = Field(
        default=300.0, description="Time between readings, in scenario time."
    )
    acceleration: Annotated[float, Field(ge=1, le=1e7)] | None = Field(
        default=None,
        description="For streams: how many times faster than real time. Readings are stamped and alarmed as live. "
        "null: sent at once, as history that ends at the time of the request and never alarms.",
    )
    tag: TagName | None = Field(default=None, description="Tag whose sensor fails, for scenarios of sensors.")


class RunScenario(ScenarioSettings):
    """Play a scenario with one machine of the simulator, known or new."""

    kind: Literal["run_scenario"] = "run_scenario"
    scenario: Identifier
    asset_class: Identifier = Field(description="Class of the machine; it must be one that can be simulated.")
    days: ScenarioDays = Field(default=None, description="Length of the story; null: as the scenario has it.")


class SetUpPlant(StrictContract):
    """Register the machines of an example plant in the simulator, send their history, and start them."""

    kind: Literal["set_up_plant"] = "set_up_plant"
    plant: Identifier = Field(description="Name of a plant that ships with the platform.")


class RetrainTwin(BaselineSource):
    """Drop the twin's baseline and learn a new one, for example after maintenance."""

    kind: Literal["learn_anew"] = "learn_anew"  # the released wire value


class AskWhatIf(WhatIfRequest):
    """Ask the twin how the machine would behave if operated differently; changes nothing."""

    kind: Literal["what_if"] = "what_if"


CommandBody = Annotated[
    AcknowledgeAlarm | InjectFault | RunScenario | SetUpPlant | RetrainTwin | AskWhatIf, Field(discriminator="kind")
]


class Command(Contract):
    """A request to the services, keyed by the asset it concerns."""

    command_id: Identifier
    asset_id: Identifier
    issued_at: UtcDatetime
    issued_by: Name
    body: CommandBody


class CommandAnswer(Contract):
    """Outcome of a command to a twin (``learn_anew``, ``what_if``), keyed by the asset."""

    command_id: Identifier = Field(description="The command that is answered; the same one may be answered again.")
    asset_id: Identifier
    answered_at: UtcDatetime
    problem: StoredText | None = Field(default=None, description="Why it was not carried out; null if it was.")
    learning: BaselineAccepted | None = None
    what_if: WhatIfAnswer | None = None
