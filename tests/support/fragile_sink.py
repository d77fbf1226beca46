"""``python -m support.fragile_sink``: the sink, killed by messages that hold ``KILLER``, as by a library's fault."""

import os
import signal

from forewarn.runtime.service import run_service
from forewarn_sink.__main__ import main
from forewarn_sink.decoding import ItemDecoder
from forewarn_sink.settings import SinkSettings

KILLER = b"ends whoever looks at it"

_decode = ItemDecoder.decode


def _fragile(self, record):
    if KILLER in (record.value or b""):
        os.kill(os.getpid(), signal.SIGKILL)
    return _decode(self, record)


if __name__ == "__main__":
    ItemDecoder.decode = _fragile
    run_service("sink", SinkSettings, main)
