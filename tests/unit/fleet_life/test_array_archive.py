"""Foreign archives: refused with the reason, in little memory."""

import io
import json
import resource
import struct
import zipfile

import numpy as np
import pytest

from forewarn.adapters.fleet_life.array_archive import read_archive
from forewarn.adapters.fleet_life.model_file import FleetModelFileError, read_model
from forewarn.contracts.limits import MAX_MODEL_FILE_BYTES, MIB


def peak_mib():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def npy(dtype="<f8", shape=(0,), body=b""):
    header = f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + body


def archive(path, method=zipfile.ZIP_DEFLATED, **members):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members.items():
            file.writestr(f"{name}.npy", data)
    return path


def test_what_numpy_writes_is_read(tmp_path):
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.array([True, False]), "c": np.asfortranarray(np.eye(3))}
    for save in (np.savez, np.savez_compressed):
        with (tmp_path / "in.npz").open("wb") as file:
            save(file, **arrays)
        found = read_archive(tmp_path / "in.npz")
        assert found.keys() == arrays.keys()
        assert all(np.array_equal(found[name], values) for name, values in arrays.items())


def test_a_few_megabytes_that_unpack_to_gigabytes_are_refused_unread(tmp_path):
    path = tmp_path / "bomb.fw"
    zeros = bytes(MIB)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("header.npy", "w") as member:
        for _ in range(300):
            member.write(zeros)
    assert path.stat().st_size < MIB
    before = peak_mib()
    with pytest.raises(FleetModelFileError, match=r"unpacks to 300 MiB in 1 parts, a model has at most 256"):
        read_model(path)
    assert peak_mib() - before < 32


def test_an_entry_that_says_less_than_it_holds_gives_no_more_than_it_says(tmp_path):
    path = archive(tmp_path / "lying.npz", a=npy(body=bytes(200 * MIB)))
    data = bytearray(path.read_bytes())
    true = struct.pack("<I", len(npy()) + 200 * MIB)
    while (place := data.find(true)) >= 0:
        data[place : place + 4] = struct.pack("<I", 4096)
    path.write_bytes(data)
    before = peak_mib()
    with pytest.raises((ValueError, zipfile.BadZipFile)):
        read_archive(path)
    assert peak_mib() - before < 32


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (npy(shape=(10**12,)), "claims to be float64"),
        (npy(shape=(-1,), body=b"12345678"), "claims to be"),
        (npy(dtype="|O", shape=(1,), body=b"12345678"), "claims to be object"),
        (npy(dtype="(" * 5000, shape=(1,)), "not a model"),
        (b"no array", "not a model"),
    ],
)
def test_a_part_that_is_no_array_of_numbers_is_refused(tmp_path, data, complaint):
    path = archive(tmp_path / "x.fw", header=data)
    with pytest.raises(FleetModelFileError, match=complaint):
        read_model(path)


def test_other_ways_of_packing_are_refused(tmp_path):
    with pytest.raises(ValueError, match="method 12"):
        read_archive(archive(tmp_path / "x.npz", zipfile.ZIP_BZIP2, a=npy()))


def test_a_file_larger_than_any_model_is_refused(tmp_path):
    path = tmp_path / "large.fw"
    with path.open("wb") as file:
        file.truncate(MAX_MODEL_FILE_BYTES + 1)
    with pytest.raises(FleetModelFileError, match="a model has at most 64"):
        read_model(path)


@pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 100_000, json.dumps({"version": 1}), "7", "\xff"])
def test_a_header_that_is_none_is_refused(tmp_path, text):
    header = np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
    buffer = io.BytesIO()
    np.savez_compressed(buffer, header=header)
    (tmp_path / "x.fw").write_bytes(buffer.getvalue())
    with pytest.raises(FleetModelFileError, match="not a model written by"):
        read_model(tmp_path / "x.fw")
