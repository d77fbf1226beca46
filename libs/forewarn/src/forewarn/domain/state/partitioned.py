"""States of several classes, each joint for all partitions of a processor."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Generic, Protocol, Self, TypeVar

from forewarn.domain.frames.partitions import assets_in, elsewhere, keys_in


class State(Protocol):
    """State of a stage for the assets of one class."""

    @property
    def assets(self) -> Sequence[str]:
        """Return the names of all assets in it."""
        ...

    def select(self, names: Mapping[str, str]) -> Self:
        """Return only these assets, under the names they map to."""
        ...

    def joined(self, other: Self) -> Self:
        """Return the union with a state of other assets of the same class."""
        ...


StateT = TypeVar("StateT", bound=State)


class PartitionedStates(Generic[StateT]):
    """State of each class for all partitions; a partition can be added, copied out and removed."""

    def __init__(self) -> None:
        self._states: dict[str, StateT] = {}

    def get(self, class_name: str) -> StateT | None:
        """Return the state of a class."""
        return self._states.get(class_name)

    def put(self, class_name: str, state: StateT) -> None:
        """Set the state of a class after a step."""
        self._states[class_name] = state

    def add(self, partition: int, states: Mapping[str, StateT]) -> None:
        """Replace a partition by the assets of ``states``, by name of class."""
        self.remove(partition)
        for name, state in states.items():
            own = state.select(keys_in(state.assets, partition))
            here = self._states.get(name)
            self._states[name] = own if here is None else here.joined(own)

    def of(self, partition: int) -> Iterator[StateT]:
        """Yield the states of a partition's assets, one for each class that has some."""
        for state in self._states.values():
            if names := assets_in(state.assets, partition):
                yield state.select(names)

    def forget(self, name: str) -> None:
        """Forget one asset, by its key."""
        for class_name, state in self._states.items():
            if name in state.assets:
                self._states[class_name] = state.select({other: other for other in state.assets if other != name})

    def remove(self, partition: int) -> None:
        """Forget a partition."""
        for name, state in self._states.items():
            if assets_in(state.assets, partition):
                self._states[name] = state.select(elsewhere(state.assets, partition))
