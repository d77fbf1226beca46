"""What can go wrong when bytes from a topic are read."""


class InvalidFrame(Exception):  # noqa: N818  # it says what the bytes are, like InvalidEvent
    """The bytes are no frame this reader can use: dead-letter them, do not retry."""


class InvalidEvent(Exception):  # noqa: N818  # what has happened, not whose mistake it was
    """The bytes are no event of the expected contract: dead-letter them, do not retry."""
