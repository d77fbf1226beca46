"""Orders to learn anew: fetches the history that is to be learned from, and puts the order into the stream."""

from datetime import timedelta
from typing import Final, Never

from forewarn.adapters.baseline_orders import MAX_HISTORY, ORDER_KEY, encode_order
from forewarn.adapters.frames.history import valid_frame
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.assets import Asset
from forewarn.contracts.baseline import BaselineOrder
from forewarn.contracts.questions import BaselineAccepted, BaselineSource, HistoryRange
from forewarn.contracts.topics import TopicName
from forewarn.domain.frame import Frame
from forewarn.domain.twin.orders import usable_readings
from forewarn.domain.twin.settings import MIN_BASELINE
from forewarn.ports.delivery import BrokerSilent, Message
from forewarn.ports.history import HistoryQuery, RollUp
from forewarn_api.backend import Backend
from forewarn_api.problems import Fault, ProblemError, pointer, unprocessable
from forewarn_api.routes.common import require_delivered

_LATEST_START: Final = timedelta(days=31)


async def order_baseline(
    backend: Backend, asset_id: str, request: BaselineSource, *, by: str, order_id: str
) -> BaselineAccepted:
    """Put an order of somebody into the stream; a second one of the same id changes nothing.

    Raises
    ------
    ProblemError
        404 or 422 if it cannot be obeyed, 503 if the broker does not answer.
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
            f"the range has {usable} readings that can be learned from (machine running, on time, at least half of "
            f"the tags known), at least {MIN_BASELINE} are needed",
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
    try:
        failed = await backend.delivery.broadcast(Message(topic=TopicName.READINGS_VALID, key=ORDER_KEY, value=value))
    except BrokerSilent as exc:
        detail = f"The order was not sent: the broker does not answer ({exc})."
        raise ProblemError(503, "broker-unavailable", detail, retry_after_s=5) from exc
    require_delivered(failed[0] if failed else None, "The order")
    return BaselineAccepted(
        order_id=order_id,
        asset_id=asset_id,
        learns_from="next_readings" if request.history is None else "history",
        readings=usable,
    )


async def _stored(backend: Backend, asset: Asset, asset_class: AssetClass, span: HistoryRange) -> Frame:
    query = HistoryQuery(
        asset_id=asset.asset_id,
        start=span.start,
        end=span.end,
        roll_up=RollUp.RAW,
        max_points=MAX_HISTORY,
    )
    history = await backend.history.history(query)
    if history is None or not history.ts:
        _refuse("history", "there is no stored reading of this asset in the range")
    if history.next_start is not None:
        _refuse(
            "history",
            f"the range has more than {MAX_HISTORY} readings, which is the most that is learned at once: let it end "
            f"at {history.next_start.isoformat()} or earlier, or begin later",
        )
    return valid_frame(history, asset_class)


def _refuse(field: str, detail: str) -> Never:
    fault = Fault(detail=detail, pointer=pointer(field))
    raise unprocessable("baseline-not-possible", f"The twin cannot learn from this: {detail}.", [fault])
