"""Errors of reading bytes from a topic."""

from forewarn.contracts.limits import MAX_PROBLEM_CHARACTERS


class Unreadable(Exception):  # noqa: N818  # describes the bytes
    """Bytes that a reader cannot use: dead-letter them, do not retry.

    The problem is one short printable line, whatever of the message it quotes: it goes into logs, ``readings.rejected``
    and the database.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(one_line(problem))


class InvalidFrame(Unreadable):
    """The bytes are not a usable frame."""


class InvalidEvent(Unreadable):
    """The bytes are not an event of the expected contract."""


def one_line(text: str, limit: int = MAX_PROBLEM_CHARACTERS) -> str:
    """Return the text cut to ``limit`` characters, with everything unprintable written as an escape."""
    if text.isprintable() and len(text) <= limit:
        return text
    shown = text[:limit]
    plain = "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in shown)
    return f"{plain[: limit - 1]}…" if len(text) > limit or len(plain) > limit else plain
