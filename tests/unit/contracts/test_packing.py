"""Packed arrays that somebody else made, or that were damaged: a ValueError, and memory only for what is there."""

import json

import pytest

from forewarn.adapters.catalogue import load_catalogue
from forewarn.domain.state.packing import pack, unpack
from forewarn.domain.twin.parameters import load_model

MAGIC = b"FWTEST01"


def packed(head, body=b""):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return MAGIC + len(text).to_bytes(4, "little") + text + body


@pytest.mark.parametrize(
    "data",
    [
        packed(b"[" * 200_000),
        packed(b'{"header":' * 50_000),
        packed({"header": 1, "arrays": [["a", "<f8", [-1]]]}, bytes(8)),
        packed({"header": 1, "arrays": [["a", "<f8", [2**40]]]}),
        packed({"header": 1, "arrays": [["a", "<f8", [2**32, 2**32]]]}),
        packed({"header": 1, "arrays": [["a", "<f8", [1] * 100]]}, bytes(8)),
        packed({"header": 1, "arrays": [["a", "|O", [1]]]}, bytes(8)),
        packed({"header": 1, "arrays": [["a", "(" * 5000, [1]]]}, bytes(8)),
        packed({"header": 1, "arrays": [["a" * 10**6, "<c16", [1]]]}, bytes(16)),
        packed({"header": 1, "arrays": [["a", "<f8", [1e400]]]}),
        packed({"header": 1, "arrays": 7}),
        packed([]),
        MAGIC,
        MAGIC + b"\xff\xff\xff\xff",
        packed({"header": 1, "arrays": []})[:-3],
    ],
    ids=range(15),
)
def test_what_was_not_packed_here_is_a_value_error_in_a_few_words(data):
    with pytest.raises(ValueError, match=r".") as caught:
        unpack(MAGIC, data)
    assert len(str(caught.value)) < 1_000


def test_a_model_whose_parts_do_not_fit_is_refused_when_it_is_read():
    import zlib

    pump = load_catalogue()["centrifugal_pump"]
    for header in ([], {}, {"kind": "ridge"}, {"kind": []}):
        with pytest.raises(ValueError, match=r"."):
            load_model(zlib.compress(pack(b"FWMODEL1", header, {})), pump)
