"""A validated request for a scenario."""

from dataclasses import dataclass

from forewarn.adapters.catalogue import Catalogue
from forewarn.contracts.assets import Asset
from forewarn.domain.simulation.profile import Profile
from forewarn.domain.simulation.recording import SimulatedRecording, record
from forewarn.domain.simulation.scenarios import SCENARIOS, UnknownScenarioError, find_scenario, require_tag
from forewarn.domain.simulation.story import Plot, play
from forewarn.domain.simulation.weather import Climate
from forewarn.domain.time import S_PER_DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioRequest:
    """What to play.

    Attributes
    ----------
    days
        Length; None: as the scenario has it.
    step_s
        Distance of the readings.
    end_s, start_s
        Time of the first reading [s since 1970 UTC]; None: the last one is just before ``end_s``.
    """

    scenario: str
    asset: Asset
    days: float | None = None
    severity: float = 1.0
    seed: int = 0
    step_s: float = 300.0
    end_s: float
    start_s: float | None = None
    tag: str | None = None

    @property
    def length_days(self) -> float:
        """Length in days."""
        if self.days is not None:
            return self.days
        scenario = SCENARIOS.get(self.scenario)
        return 1.0 if scenario is None else scenario.days

    @property
    def rows(self) -> int:
        """Number of readings before delivery."""
        return max(int(self.length_days * S_PER_DAY / self.step_s), 1)

    @property
    def first_s(self) -> float:
        """Time of the first reading [s since 1970 UTC]; readings stand at whole multiples of the step."""
        last_s = self.end_s // self.step_s * self.step_s
        return last_s - (self.rows - 1) * self.step_s if self.start_s is None else self.start_s


def recorded(request: ScenarioRequest, catalogue: Catalogue) -> SimulatedRecording:
    """Play a scenario with one machine and record it.

    Raises
    ------
    UnknownScenarioError
        If class, scenario or tag do not exist; lists those that do.
    ValueError
        If numbers make no sense.
    """
    require_sound(request, catalogue)
    asset_class = catalogue[request.asset.asset_class]
    scenario = find_scenario(request.scenario, asset_class.name)
    plot = Plot(
        asset_class=asset_class,
        start_s=request.first_s,
        days=request.length_days,
        severity=request.severity,
        seed=request.seed,
        tag=request.tag,
        nameplate=request.asset.nameplate,
        profile=Profile(climate=Climate(seed=request.seed)),
    )
    return record(play(scenario, plot), start_s=request.first_s, step_s=request.step_s, rows=request.rows)


def require_sound(request: ScenarioRequest, catalogue: Catalogue) -> None:
    """Check class, scenario, tag and step without playing anything.

    Raises
    ------
    UnknownScenarioError
        If one of them does not exist; lists those that do.
    ValueError
        If the step makes no sense.
    """
    asset_class = catalogue.get(request.asset.asset_class)
    if asset_class is None:
        known = ", ".join(sorted(catalogue))
        raise UnknownScenarioError(f"there is no asset class {request.asset.asset_class!r}: there are {known}")
    find_scenario(request.scenario, asset_class.name)
    if request.tag is not None:
        require_tag(asset_class, request.tag)
    if request.step_s <= 0.0:
        raise ValueError(f"the step must be above 0 s, not {request.step_s:g}")
