"""Handles commands to twins on the topic ``commands`` and answers on ``commands.answers``."""

import asyncio
import contextlib
from functools import partial
from types import TracebackType
from typing import Final, Self

import structlog

from forewarn.contracts.assets import AskWhatIf, Command, CommandAnswer, RetrainTwin
from forewarn.contracts.topics import TopicName
from forewarn.ports.commands import CommandSource, UnreadableCommand
from forewarn.ports.delivery import DeliveryOverloaded
from forewarn.ports.history import HistoryUnavailable
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import UnavailableError, UseCaseError
from forewarn.usecases.retraining import order_baseline
from forewarn.usecases.whatif import answer_what_if

_POLL_S: Final = 0.5
_RETRY_S: Final = 2.0
#: Errors after which a command is retried.
_AWAY: Final = (UnavailableError, HistoryUnavailable, DeliveryOverloaded)
_log = structlog.get_logger(__name__)


class TwinCommandHandler:
    """Handles commands one after the other, from ``__aenter__`` to ``__aexit__``.

    Commands are answered at least once: after a crash an answer may be repeated, under the same event id. Orders are
    carried out once, as they carry the ids of their commands. A command waits while a dependency is down. Unreadable
    commands are answered with what is wrong with them, whatever service they were for.
    """

    def __init__(self, backend: Backend, source: CommandSource) -> None:
        self._backend = backend
        self._source = source
        self._stop = asyncio.Event()
        self._work: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._work = asyncio.create_task(self._serve())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._work is not None:
            await asyncio.gather(self._work, return_exceptions=True)
        await asyncio.to_thread(self._source.close)

    def failure(self) -> str | None:
        """Return why no further commands are handled, or None."""
        if self._work is None or not self._work.done() or self._work.cancelled():
            return None
        reason = self._work.exception()
        return None if reason is None else f"commands cannot be read: {reason}"

    async def _serve(self) -> None:
        while not self._stop.is_set():
            commands = await asyncio.to_thread(self._source.take, _POLL_S)
            for command in commands:
                while not await self._settled(command):
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(_RETRY_S):
                            await self._stop.wait()
                    if self._stop.is_set():
                        return  # it is read again after a restart
            await asyncio.to_thread(self._source.done)

    async def _settled(self, command: Command | UnreadableCommand) -> bool:
        """Carry out and answer a command; False if that has to be retried."""
        try:
            answer = await self._answer(command)
            if answer is None:
                return True
            await self._backend.publish(
                TopicName.COMMANDS_ANSWERS, command.asset_id, answer, what="The answer", event_id=command.command_id
            )
        except _AWAY as exc:
            _log.warning("command_waits", command_id=command.command_id, reason=str(exc))
            return False
        _log.info("command_answered", command_id=command.command_id, problem=answer.problem)
        return True

    async def _answer(self, command: Command | UnreadableCommand) -> CommandAnswer | None:
        """Return the answer to a command; None if it is for another service."""
        answer = partial(
            CommandAnswer,
            command_id=command.command_id,
            asset_id=command.asset_id,
            answered_at=self._backend.clock.now(),
        )
        if isinstance(command, UnreadableCommand):
            return answer(problem=f"The command cannot be read: {command.problem}")
        try:
            match command.body:
                case RetrainTwin() as source:
                    accepted = await order_baseline(
                        self._backend, command.asset_id, source, by=command.issued_by, order_id=command.command_id
                    )
                    return answer(learning=accepted)
                case AskWhatIf() as question:
                    return answer(what_if=await answer_what_if(self._backend, command.asset_id, question))
                case _:
                    return None
        except _AWAY:
            raise
        except UseCaseError as exc:
            return answer(problem=" ".join([exc.detail, *(f.detail for f in exc.faults if f.detail not in exc.detail)]))
        except Exception:  # noqa: BLE001  # the commands behind it must be handled
            _log.exception("command_failed", command_id=command.command_id)
            return answer(problem="The command failed because of a fault of the platform: see the log of the API.")
