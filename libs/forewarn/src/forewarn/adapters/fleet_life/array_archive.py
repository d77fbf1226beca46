"""Reads NumPy archives (``.npz``) of unknown origin: executes nothing, within bounded memory.

``numpy.load`` unpacks whatever an archive holds and allocates what its headers claim; four megabytes of packed zeros
become four gigabytes.
"""

import io
import math
import zipfile
from pathlib import Path
from typing import Final

import numpy as np

from forewarn.contracts.limits import MAX_MODEL_FILE_BYTES, MAX_UNPACKED_MODEL_BYTES, MIB
from forewarn.domain.frames.frame import Array

_SUFFIX: Final = ".npy"
_MOST_ARRAYS: Final = 1_000


def read_archive(path: Path) -> dict[str, Array]:
    """Return all arrays of an archive by name.

    Raises
    ------
    ValueError
        If it is larger than any model, packed or unpacked, or is damaged.
    OSError
        If the file cannot be read.
    """
    packed = path.stat().st_size
    if packed > MAX_MODEL_FILE_BYTES:
        raise ValueError(f"it has {packed / MIB:.0f} MiB, a model has at most {MAX_MODEL_FILE_BYTES // MIB}")
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        unpacked = sum(member.file_size for member in members)
        if unpacked > MAX_UNPACKED_MODEL_BYTES or len(members) > _MOST_ARRAYS:
            raise ValueError(
                f"it unpacks to {unpacked / MIB:.0f} MiB in {len(members)} parts, a model has at most "
                f"{MAX_UNPACKED_MODEL_BYTES // MIB} in {_MOST_ARRAYS}"
            )
        return {member.filename.removesuffix(_SUFFIX): _array(_unpacked(archive, member)) for member in members}


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack a member, up to the size its entry states: only these two methods unpack piece by piece."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is packed with method {member.compress_type}, which no model is")
    with archive.open(member) as file:
        return file.read(member.file_size)


def _array(data: bytes) -> Array:
    """Return the array of a ``.npy`` file; its size is checked against the bytes, not taken from the header."""
    stream = io.BytesIO(data)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, fortran_order, dtype = read_header(stream)
    body = stream.read()
    if dtype.hasobject or len(body) != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"an array of {len(body)} bytes claims to be {dtype} of shape {shape}")
    return np.frombuffer(body, dtype=dtype).reshape(shape, order="F" if fortran_order else "C")
