"""Retraining orders on the wire: frames without rows among the readings of ``readings.valid``."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from forewarn.adapters.decode_boundary import decoder
from forewarn.adapters.event_codec import decode_event, encode_event
from forewarn.adapters.frames.codec import MAX_ROWS, decode_frame, encode_frame
from forewarn.adapters.frames.orders import batch_metadata, encode_order_frame
from forewarn.contracts.asset_class import AssetClass
from forewarn.contracts.baseline import BaselineOrder
from forewarn.contracts.frames import FrameKind
from forewarn.domain.frames.frame import Frame
from forewarn.ports.codec import InvalidFrame

#: Message key of orders; frames of readings have none, so orders are found without opening a message.
ORDER_KEY: Final = b"forewarn.baseline"

#: Stored readings that fit into one message.
MAX_HISTORY: Final = MAX_ROWS

_ORDER: Final = b"forewarn.order"
_HISTORY: Final = b"forewarn.history"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ReceivedOrder:
    """An order with the class of its asset, and stored readings to learn from where there are any."""

    order: BaselineOrder
    asset_class: AssetClass
    history: Frame | None


def encode_order(order: BaselineOrder, asset_class: AssetClass, history: Frame | None = None) -> bytes:
    """Serialise an order.

    Raises
    ------
    ValueError
        If there are more stored readings than a message holds.
    """
    if history is not None and history.rows > MAX_HISTORY:
        raise ValueError(f"an order carries at most {MAX_HISTORY} readings, not {history.rows}")
    metadata = {_ORDER: encode_event(order)}
    if history is not None:
        metadata[_HISTORY] = encode_frame(history)
    return encode_order_frame(FrameKind.VALID, asset_class, metadata)


@decoder(InvalidFrame)
def decode_order(data: bytes, catalogue: Mapping[str, AssetClass]) -> ReceivedOrder:
    """Read an order.

    Raises
    ------
    InvalidFrame
        If it is not an order, or concerns another asset.
    """
    asset_class = decode_frame(data, catalogue, FrameKind.VALID).asset_class
    metadata = batch_metadata(data)
    if _ORDER not in metadata:
        raise InvalidFrame("the message has the key of a baseline order but holds none")
    order = decode_event(BaselineOrder, metadata[_ORDER])
    history = decode_frame(metadata[_HISTORY], catalogue, FrameKind.VALID) if _HISTORY in metadata else None
    if history is not None and (history.asset_class != asset_class or set(history.assets.to_list()) - {order.asset_id}):
        raise InvalidFrame(f"the baseline order of {order.asset_id} carries readings of other assets")
    return ReceivedOrder(order=order, asset_class=asset_class, history=history)
