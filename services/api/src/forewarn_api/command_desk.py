"""Does what the topic ``commands`` asks of twins, and answers on ``commands.answers``."""

import asyncio
import contextlib
from types import TracebackType
from typing import Final, Self

import structlog

from forewarn.contracts.assets import AskWhatIf, Command, CommandAnswer, LearnAnew
from forewarn.contracts.questions import BaselineAccepted, WhatIfAnswer
from forewarn.contracts.topics import TopicName
from forewarn.ports.commands import CommandSource, UnreadableCommand
from forewarn.ports.delivery import DeliveryOverloaded
from forewarn.ports.history import BadQuery, HistoryUnavailable
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import UnavailableError, UseCaseError
from forewarn.usecases.retraining import order_baseline
from forewarn.usecases.whatif import answer_what_if

_POLL_S: Final = 0.5
_RETRY_S: Final = 2.0
_log = structlog.get_logger(__name__)


class CommandDesk:
    """Works through commands, one after the other, from ``__aenter__`` to ``__aexit__``.

    A command is answered at least once: the same answer may come again after a crash, under the same event id, and
    a twin obeys an order once, which bears the id of its command. While the broker, the database or the registry is
    away the command waits. What cannot be read as a command is answered with what is wrong with it, whoever it was for.
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
        """Why no command will ever be done again; None while they are."""
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
                        return  # it comes again
            await asyncio.to_thread(self._source.done)

    async def _settled(self, command: Command | UnreadableCommand) -> bool:
        """Do a command and answer it; False if that must be tried again."""
        try:
            answer = await self._answer(command)
            if answer is None:
                return True
            failed = await self._backend.delivery.publish(
                TopicName.COMMANDS_ANSWERS,
                command.asset_id,
                answer,
                event_id=command.command_id,
                at=answer.answered_at,
            )
        except (UnavailableError, HistoryUnavailable, DeliveryOverloaded) as exc:
            reason = str(exc)
        else:
            if failed is None:
                _log.info("command_answered", command_id=command.command_id, problem=answer.problem)
                return True
            reason = failed.reason
        _log.warning("command_waits", command_id=command.command_id, reason=reason)
        return False

    async def _answer(self, command: Command | UnreadableCommand) -> CommandAnswer | None:
        """Answer to a command; None if it is for somebody else."""
        if isinstance(command, UnreadableCommand):
            return self._told(command, problem=f"The command cannot be read: {command.problem}")
        body = command.body
        learning: BaselineAccepted | None = None
        what_if: WhatIfAnswer | None = None
        problem: str | None = None
        try:
            if isinstance(body, LearnAnew):
                learning = await order_baseline(
                    self._backend, command.asset_id, body, by=command.issued_by, order_id=command.command_id
                )
            elif isinstance(body, AskWhatIf):
                what_if = await answer_what_if(self._backend, command.asset_id, body)
            else:
                return None
        except (UnavailableError, HistoryUnavailable, DeliveryOverloaded):
            raise
        except UseCaseError as exc:
            problem = " ".join([exc.detail, *(fault.detail for fault in exc.faults if fault.detail not in exc.detail)])
        except BadQuery as exc:
            problem = f"The query makes no sense: {exc}"
        except Exception:  # noqa: BLE001  # one command's fault: those behind it are done
            _log.exception("command_failed", command_id=command.command_id)
            problem = "The command failed for a fault of the platform: see the log of the API."
        return self._told(command, problem=problem, learning=learning, what_if=what_if)

    def _told(
        self,
        command: Command | UnreadableCommand,
        *,
        problem: str | None,
        learning: BaselineAccepted | None = None,
        what_if: WhatIfAnswer | None = None,
    ) -> CommandAnswer:
        return CommandAnswer(
            command_id=command.command_id,
            asset_id=command.asset_id,
            answered_at=self._backend.clock.now(),
            problem=problem,
            learning=learning,
            what_if=what_if,
        )
