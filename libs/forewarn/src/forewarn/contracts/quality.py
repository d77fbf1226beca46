"""OPC UA status codes that Forewarn puts on every value (OPC UA Part 4 §7.39, Part 8 §6.3)."""

from enum import IntEnum
from typing import Final, Literal


class StatusCode(IntEnum):
    """Quality of one value; the two top bits are the severity."""

    GOOD = 0x00000000
    UNCERTAIN_ENGINEERING_UNITS_EXCEEDED = 0x40940000
    UNCERTAIN_SENSOR_NOT_ACCURATE = 0x40930000
    UNCERTAIN_SENSOR_CALIBRATION = 0x420A0000
    UNCERTAIN = 0x40000000
    BAD = 0x80000000
    BAD_OUT_OF_RANGE = 0x803C0000
    BAD_SENSOR_FAILURE = 0x808C0000
    BAD_NO_DATA = 0x809B0000


Severity = Literal["good", "uncertain", "bad"]

SEVERITY_MASK: Final = 0xC0000000
_SEVERITIES: Final[dict[int, Severity]] = {0x00000000: "good", 0x40000000: "uncertain", 0x80000000: "bad"}


def severity(code: int) -> Severity:
    """Return the severity of a status code; the reserved bit pattern 11 counts as bad."""
    return _SEVERITIES.get(code & SEVERITY_MASK, "bad")


#: Words of a gateway about a tag's ``quality``, and their codes.
GATEWAY_QUALITY: Final[dict[str, StatusCode]] = {
    "good": StatusCode.GOOD,
    "uncertain": StatusCode.UNCERTAIN,
    "bad": StatusCode.BAD,
}
