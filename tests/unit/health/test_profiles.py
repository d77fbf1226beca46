"""How the service keeps track of how each asset is judged."""

from forewarn.adapters.catalogue import load_catalogue
from forewarn.contracts.assets import Asset, HealthWeights
from forewarn.domain.health.profile import class_profile
from forewarn_health.profiles import Profiles

PUMP, CHILLER = (load_catalogue()[name] for name in ("centrifugal_pump", "chiller"))


def entry(**more):
    return Asset(asset_id="P-1", asset_class="centrifugal_pump", name="P", **more)


def test_a_profile_is_made_once_and_anew_when_the_entry_changes():
    registry = {"P-1": entry()}
    profiles = Profiles(registry.get)
    first = profiles.of(PUMP, "P-1")
    assert profiles.of(PUMP, "P-1") is first
    registry["P-1"] = entry(health_weights=HealthWeights(components={"risk": 0.5}))
    assert profiles.of(PUMP, "P-1").components["risk"] == 0.5
    del registry["P-1"]
    assert profiles.of(PUMP, "P-1") is class_profile(PUMP)


def test_readings_of_another_class_than_the_registered_one_are_judged_by_their_class():
    profiles = Profiles({"P-1": entry()}.get)
    assert profiles.of(CHILLER, "P-1") is class_profile(CHILLER)
    assert len(profiles.of(PUMP, "P-1").metrics) == len(PUMP.health)
