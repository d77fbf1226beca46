from datetime import UTC, datetime, timedelta

from forewarn.adapters.catalogue import load_catalogue
from forewarn.adapters.plant_document import PastReadings, SimulatedSource
from forewarn.contracts.assets import Command, InjectFault, RunScenario
from forewarn.domain.simulation.delivery import GatewayDelivery
from forewarn_simulator.fleet import SimulatedFleet
from forewarn_simulator.gateway import BadGateway
from forewarn_simulator.machines import SimulatedMachine

CATALOGUE = load_catalogue()
T0 = 1_790_000_000.0
US = 1_000_000


def pump(**source) -> SimulatedMachine:
    machine = SimulatedSource(**source)
    return SimulatedMachine("P-1", "centrifugal_pump", machine, interval_s=1.0, registered_s=T0, start_s=T0)


def command(body, asset_id: str = "P-1", at_s: float = T0) -> Command:
    issued_at = datetime.fromtimestamp(at_s, tz=UTC)
    return Command(command_id="c", asset_id=asset_id, issued_at=issued_at, issued_by="test", body=body)


def scenario(**changes) -> RunScenario:
    return RunScenario(**({"scenario": "bearing_wear", "asset_class": "centrifugal_pump"} | changes))


def test_a_new_machine_s_past_comes_before_its_present_in_portions():
    fleet = SimulatedFleet(CATALOGUE, T0)
    fleet.add("P-1", pump(history=PastReadings(length_s=9000, every_s=10)), T0, is_new=True)
    assert fleet.next_due_s(T0 + 1) == T0 + 1
    portions = [[reading.ts_us for reading in fleet.due(T0 + 1 + n)] for n in range(4)]
    assert [len(portion) for portion in portions] == [400, 400, 101, 1]
    times = [ts for portion in portions for ts in portion]
    assert times == sorted(set(times))


def test_a_machine_that_is_known_gets_no_second_past():
    fleet = SimulatedFleet(CATALOGUE, T0)
    fleet.add("P-1", pump(), T0, is_new=False)
    assert [reading.ts_us for reading in fleet.due(T0 + 1)] == [round((T0 + 1) * US)]


def test_a_scenario_in_quick_motion_takes_the_stage_for_its_time():
    fleet = SimulatedFleet(CATALOGUE, T0)
    fleet.add("P-1", pump(), T0, is_new=False)
    fleet.obey(command(scenario(days=10.0, acceleration=86_400.0, interval_s=8640.0)), T0)
    vibration = {}
    for tenth in range(1, 250):
        for reading in fleet.due(T0 + tenth / 10.0):
            vibration[reading.ts_us / US - T0] = reading.metrics["vibration_mm_s"]
    assert max(value for at_s, value in vibration.items() if at_s < 4) < 3.0
    assert max(value for at_s, value in vibration.items() if at_s < 11) > 6.0, "worn out after ten days in ten seconds"
    assert max(value for at_s, value in vibration.items() if at_s > 11) < 3.0, "then the plant's own machine is back"


def test_a_scenario_as_history_ends_at_its_command_and_is_sent_once_only():
    fleet = SimulatedFleet(CATALOGUE, T0)
    wish = command(scenario(days=1.0, interval_s=3600.0), asset_id="SIM-1", at_s=T0 + 5)
    fleet.obey(wish, T0 + 5)
    assert list(fleet.due(T0 + 6)) == [], "until everybody has heard of the asset"
    readings = list(fleet.due(T0 + 7.5))
    assert len(readings) == 24
    assert all(reading.historical and reading.asset_id == "SIM-1" for reading in readings)
    assert T0 + 5 - 3600 <= readings[-1].ts_us / US <= T0 + 5

    restarted = SimulatedFleet(CATALOGUE, T0 + 1000)
    restarted.obey(wish, T0 + 1000)
    assert list(restarted.due(T0 + 1010)) == []


def test_a_scenario_that_does_not_exist_changes_nothing():
    fleet = SimulatedFleet(CATALOGUE, T0)
    fleet.add("P-1", pump(), T0, is_new=False)
    fleet.obey(command(scenario(scenario="rust")), T0)
    fleet.obey(command(scenario(asset_class="balloon")), T0)
    assert len(list(fleet.due(T0 + 3))) == 1


def test_faults_are_injected_into_machines_that_know_them():
    fleet = SimulatedFleet(CATALOGUE, T0)
    fleet.add("P-1", pump(), T0, is_new=False)
    for fault, asset_id in (("bearing_wear", "P-1"), ("rust", "P-1"), ("bearing_wear", "P-9")):
        fleet.obey(command(InjectFault(fault=fault, duration_s=10), asset_id=asset_id), T0)
    (reading,) = fleet.due(T0 + 20)
    assert reading.metrics["vibration_mm_s"] > 7


def test_a_fault_reaches_a_machine_behind_a_bad_gateway():
    fleet = SimulatedFleet(CATALOGUE, T0)
    fleet.add("P-1", BadGateway(pump(), GatewayDelivery(duplicate_share=1.0), seed=1), T0, is_new=False)
    fleet.obey(command(InjectFault(fault="bearing_wear", duration_s=10)), T0)
    readings = list(fleet.due(T0 + 20))
    assert [reading.metrics["vibration_mm_s"] > 7 for reading in readings] == [True, True]


def test_a_bad_gateway_delays_repeats_and_restamps_but_loses_nothing():
    delivery = GatewayDelivery(clock_skew_s=60.0, late_share=0.3, late_by_s=20.0, duplicate_share=0.3)
    gateway = BadGateway(pump(), delivery, seed=1)
    sent = [reading.ts_us for second in range(1, 301) for reading in gateway.due(T0 + second)]
    stamps = {round((T0 + timedelta(seconds=60 + n).total_seconds()) * US) for n in range(1, 270)}
    assert stamps <= set(sent)
    assert len(sent) > 320
    assert sent != sorted(sent)
    assert gateway.next_due_s <= T0 + 301


def test_sensors_of_a_plant_file_are_heard_of_only_as_far_as_they_are_sent():
    machine = pump(sensors={"flow_m3_h": {"sent": False}})
    (reading,) = machine.due(T0 + 1)
    assert "flow_m3_h" not in reading.metrics
    assert len(reading.metrics) == 9
