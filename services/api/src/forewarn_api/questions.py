"""Questions to the twin of an asset, asked over HTTP or on the topic ``commands``."""

from typing import Final

from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.questions import WhatIfAnswer, WhatIfRequest
from forewarn.domain.twin.presets import presets_of
from forewarn.domain.twin.whatif import Change
from forewarn_api.backend import Backend
from forewarn_api.problems import ProblemError, pointer, unprocessable
from forewarn_api.whatif import Subject, ask, subject_of
from forewarn_api.workers import Work

_NO_MODEL: Final = (
    "Nobody can be asked: the twin of {asset_id} still learns, and fewer than two other assets of its class have "
    "learned. Try again when it has learned."
)


async def answer_to(backend: Backend, asset_id: str, request: WhatIfRequest) -> WhatIfAnswer:
    """Answer a question about an asset, from its newest reading.

    Raises
    ------
    ProblemError
        If it cannot be asked, or there is nobody to ask.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    changes = _changes(asset_class, request)
    subject = await find_subject(backend, asset_id)
    if subject is None:
        raise ProblemError(409, "no-model", _NO_MODEL.format(asset_id=asset_id))
    live = backend.live.asset(asset_id)
    estimates = live.health.rul if live is not None and live.health is not None else ()
    try:
        return await backend.workers.run(Work.ASKING, ask, subject, changes, estimates)
    except ValueError as exc:
        fault = Fault(detail=str(exc), pointer=pointer("changes"))
        raise unprocessable("question-not-possible", f"This cannot be asked: {exc}.", [fault]) from exc


def _changes(asset_class: AssetClass, request: WhatIfRequest) -> list[Change]:
    if request.preset is None:
        return [Change(column=c.column, value=c.value, factor=c.factor, shift=c.shift) for c in request.changes]
    known = presets_of(asset_class)
    if request.preset not in known:
        detail = f"{asset_class.name} can be asked: {', '.join(known) or 'nothing by name, give changes'}"
        fault = Fault(detail=detail, pointer=pointer("preset"))
        raise unprocessable("unknown-preset", f"There is no question {request.preset!r}.", [fault])
    return list(known[request.preset].changes(asset_class))


async def find_subject(backend: Backend, asset_id: str) -> Subject | None:
    """Model and newest reading of an asset; None while neither it nor two others of its class have a model."""
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    live = backend.complete_live()
    seen = live.asset(asset_id)
    if seen is None or seen.reading is None:  # nothing came since this API started
        live.seed(await backend.history.latest([asset_id]), await backend.history.latest_health([asset_id]))
    return await backend.workers.run(Work.ASKING, subject_of, asset, asset_class, live, backend.registry.all())
