"""States of several classes that hold the machines of several partitions."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, Protocol, Self, TypeVar

from forewarn.domain.frames.machines import assets_in, elsewhere, machines_in


class State(Protocol):
    """What a stage remembers of machines, or of assets, of one class."""

    @property
    def assets(self) -> Sequence[str]:
        """Names of all it holds."""
        ...

    def select(self, names: Mapping[str, str]) -> Self:
        """Only these, under the names they map to."""
        ...

    def joined(self, other: Self) -> Self:
        """With those of another state of the same class, of which this one has none."""
        ...


StateT = TypeVar("StateT", bound=State)


class MachineStates(Generic[StateT]):
    """The state of each class, joint for all partitions; partitions come, are copied out and go."""

    def __init__(self) -> None:
        self._states: dict[str, StateT] = {}

    def get(self, class_name: str) -> StateT | None:
        """State of a class."""
        return self._states.get(class_name)

    def put(self, class_name: str, state: StateT) -> None:
        """Take over the state of a class after a step."""
        self._states[class_name] = state

    def add(self, partition: int, states: Mapping[str, StateT]) -> None:
        """Take in a partition whose assets are in ``states``, by name of class, in place of what there was of it."""
        self.remove(partition)
        for name, state in states.items():
            own = state.select(machines_in(state.assets, partition))
            here = self._states.get(name)
            self._states[name] = own if here is None else here.joined(own)

    def of(self, partition: int) -> Iterator[StateT]:
        """What there is of the assets of a partition; classes without any are left out."""
        for state in self._states.values():
            if names := assets_in(state.assets, partition):
                yield state.select(names)

    def forget(self, name: str) -> None:
        """Forget one machine."""
        for class_name, state in self._states.items():
            if name in state.assets:
                self._states[class_name] = state.select({other: other for other in state.assets if other != name})

    def remove(self, partition: int) -> None:
        """Forget a partition."""
        for name, state in self._states.items():
            if assets_in(state.assets, partition):
                self._states[name] = state.select(elsewhere(state.assets, partition))
