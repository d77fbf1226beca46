"""What can go wrong on the way up.

LocalStackError
├── JavaMissingError       no Java 17+ and no wheel of it
├── ArtefactError          a jar cannot be fetched, or is not the one that was pinned
├── PostgresMissingError   no usable PostgreSQL programs
├── StartFailedError       a server was started and did not become ready
├── PreflightError         the machine lacks something; the message says what to do
└── PortTakenError         no free port where one was asked for
"""


class LocalStackError(Exception):
    """Base of all errors of the local stack; the text is shown to the user as it is."""


class JavaMissingError(LocalStackError):
    """No Java that can run the broker."""


class ArtefactError(LocalStackError):
    """A pinned file could not be obtained or does not match its checksum."""


class PostgresMissingError(LocalStackError):
    """No PostgreSQL server programs, or no system user to run them."""


class StartFailedError(LocalStackError):
    """A server or service did not become ready."""


class PreflightError(LocalStackError):
    """The machine is not fit to run the platform."""


class PortTakenError(LocalStackError):
    """No port could be had."""
