"""Errors of the local stack."""


class LocalStackError(Exception):
    """Base of all errors of the local stack; the user sees the text as it is."""


class JavaMissingError(LocalStackError):
    """No Java 17 or newer, and no wheel of it."""


class ArtefactError(LocalStackError):
    """A pinned file cannot be fetched or does not match its checksum."""


class PostgresMissingError(LocalStackError):
    """No PostgreSQL server programs, or no system user to run them."""


class StartFailedError(LocalStackError):
    """A server or service did not become ready."""


class PreflightError(LocalStackError):
    """The machine lacks something; the message says what to do."""


class PortTakenError(LocalStackError):
    """No free port."""
