"""Detects messages lost between the broker and the handlers."""

from typing import cast

from faust.types import TP, ConsumerMessage, Message


class ChainedMessage(ConsumerMessage):
    """A message with the offset fetched before it; None right after a seek."""

    follows: int | None


class MessagesSkippedError(Exception):
    """Messages were fetched but never arrived: the process must restart from the committed offsets."""


def chain(message: ConsumerMessage, follows: int | None) -> ChainedMessage:
    """Attach the offset fetched before a message."""
    chained = cast("ChainedMessage", message)
    chained.follows = follows
    return chained


class Continuity:
    """Follows each partition's chain of messages.

    Offsets alone show no loss: they have holes where transactions end or were aborted.
    """

    def __init__(self) -> None:
        self._newest: dict[TP, int] = {}

    def check(self, message: Message) -> None:
        """Accept a message whose predecessor has arrived or that was fetched right after a seek.

        Raises
        ------
        MessagesSkippedError
            If its predecessor never arrived.
        """
        follows = cast("ChainedMessage", message).follows
        newest = self._newest.get(message.tp)
        if follows is not None and (newest is None or newest < follows):
            raise MessagesSkippedError(
                f"{message.topic}/{message.partition}: offset {message.offset} arrived but {follows} before it did not "
                f"(the last to arrive was {newest}); restarting from the committed offsets"
            )
        self._newest[message.tp] = message.offset if newest is None else max(newest, message.offset)

    def restart(self) -> None:
        """Forget all offsets, after partitions were released or taken over."""
        self._newest.clear()
