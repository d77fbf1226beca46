"""Proves that no message was lost between the broker and the handlers."""

from typing import cast

from faust.types import TP, ConsumerMessage, Message


class ChainedMessage(ConsumerMessage):
    """A message that knows which offset was fetched before it; None if the consumer had just sought."""

    follows: int | None


class MessagesSkippedError(Exception):
    """Messages were fetched but never arrived: the process must begin anew from what is committed."""


def chain(message: ConsumerMessage, follows: int | None) -> ChainedMessage:
    """Note which offset was fetched before a message."""
    chained = cast("ChainedMessage", message)
    chained.follows = follows
    return chained


class Continuity:
    """Follows each partition's chain of messages.

    Offsets alone tell nothing: they have holes where transactions end or were aborted.
    """

    def __init__(self) -> None:
        self._newest: dict[TP, int] = {}

    def check(self, message: Message) -> None:
        """Accept a message whose predecessor has arrived, or that was fetched right after a seek.

        Raises
        ------
        MessagesSkippedError
            If what was fetched before it never arrived.
        """
        follows = cast("ChainedMessage", message).follows
        newest = self._newest.get(message.tp)
        if follows is not None and (newest is None or newest < follows):
            raise MessagesSkippedError(
                f"{message.topic}/{message.partition}: offset {message.offset} arrived but {follows} before it did not "
                f"(the last to arrive was {newest}); starting again from what is committed"
            )
        self._newest[message.tp] = message.offset if newest is None else max(newest, message.offset)

    def restart(self) -> None:
        """Forget everything: partitions were released or taken over."""
        self._newest.clear()
