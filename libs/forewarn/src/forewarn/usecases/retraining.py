"""Retraining of an asset's twin, from coming or from stored readings."""

from datetime import timedelta
from typing import Final, Never

from forewarn.adapters.baseline_orders import MAX_HISTORY, ORDER_KEY, encode_order
from forewarn.adapters.frames.history import valid_frame
from forewarn.contracts.answers.problems import Fault
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.baseline import BaselineOrder
from forewarn.contracts.questions import BaselineAccepted, BaselineSource, HistoryRange
from forewarn.contracts.topics import TopicName
from forewarn.domain.frames.frame import Frame
from forewarn.domain.twin.orders import usable_readings
from forewarn.domain.twin.settings import MIN_BASELINE
from forewarn.ports.delivery import OutgoingMessage
from forewarn.ports.history import BadQuery, HistoryQuery, RollUp
from forewarn.usecases.backend import Backend
from forewarn.usecases.errors import InvalidRequestError
from forewarn.usecases.faults import pointer

_LATEST_START: Final = timedelta(days=31)


async def order_baseline(
    backend: Backend, asset_id: str, request: BaselineSource, *, by: str, order_id: str
) -> BaselineAccepted:
    """Send the order to retrain; the twin carries out an ``order_id`` once.

    Raises ``NotFoundError`` or ``InvalidRequestError`` if there is no such asset, or the twin cannot learn from these
    readings. Raises ``UnavailableError`` if the broker does not confirm the order.
    """
    asset = backend.known_asset(asset_id)
    asset_class = backend.known_class(asset.asset_class)
    now = backend.clock.now()
    if request.since is not None and request.since > now + _LATEST_START:
        _refuse("since", f"the twin would not learn before {request.since.isoformat()}, more than a month from now")
    history = None if request.history is None else await _stored(backend, asset, asset_class, request.history)
    usable = None if history is None else usable_readings(asset_class, history)
    if usable is not None and usable < MIN_BASELINE:
        _refuse(
            "history",
            f"the range has {usable} usable readings (machine running, on time, at least half of the tags known), "
            f"at least {MIN_BASELINE} are needed",
        )
    order = BaselineOrder(
        order_id=order_id,
        asset_id=asset.asset_id,
        requested_at=now,
        requested_by=by,
        reason=request.reason,
        since=request.since,
    )
    value = encode_order(order, asset_class, history)
    await backend.broadcast(
        OutgoingMessage(topic=TopicName.READINGS_VALID, key=ORDER_KEY, value=value), what="The order"
    )
    return BaselineAccepted(
        order_id=order_id,
        asset_id=asset_id,
        learns_from="next_readings" if request.history is None else "history",
        readings=usable,
    )


async def _stored(backend: Backend, asset: Asset, asset_class: AssetClass, span: HistoryRange) -> Frame:
    try:
        query = HistoryQuery(
            asset_id=asset.asset_id, start=span.start, end=span.end, roll_up=RollUp.RAW, max_points=MAX_HISTORY
        )
        history = await backend.history.history(query)
    except BadQuery as exc:
        _refuse("history", str(exc))
    if history is None or not history.ts:
        _refuse("history", "no reading of this asset is stored in the range")
    if history.next_start is not None:
        _refuse(
            "history",
            f"the range has more than {MAX_HISTORY} readings, the most that can be learned at once: end it at "
            f"{history.next_start.isoformat()} or earlier, or begin later",
        )
    return valid_frame(history, asset_class)


def _refuse(field: str, detail: str) -> Never:
    fault = Fault(detail=detail, pointer=pointer(field))
    raise InvalidRequestError("baseline-not-possible", f"The twin cannot learn from this: {detail}.", [fault])
