"""Write the lock file of a Kafka version: ``python -m forewarn_local.pin VERSION``."""

import sys
import tempfile
from pathlib import Path, PurePosixPath

from forewarn_local.artefacts import sha256_of
from forewarn_local.repository import fetch_with_jgo

_ROOTS = ("kafka_2.13", "kafka-clients")
_BINDING = "log4j-slf4j-impl"  # the broker logs nothing without it; same version as log4j-core


def pinned_paths(version: str) -> list[PurePosixPath]:
    """Return the repository paths of a Kafka version's jars and of the logging binding.

    The binding is added after the resolution: resolved together with Kafka, its BOM replaces kafka-clients by an older
    version.
    """
    import jgo  # noqa: PLC0415  # needed only here

    endpoint = "+".join(f"org.apache.kafka:{root}:{version}" for root in _ROOTS)
    coordinates = [(jar.groupId, jar.artifactId, jar.version) for jar in jgo.resolve(endpoint)]
    coordinates += [(group, _BINDING, v) for group, name, v in coordinates if name == "log4j-core"]
    return sorted(
        PurePosixPath(*group.split("."), name, found, f"{name}-{found}.jar") for group, name, found in coordinates
    )


def main() -> None:
    """Print the lock file."""
    with tempfile.TemporaryDirectory() as scratch:
        for path in pinned_paths(sys.argv[1]):
            print(f"{sha256_of(fetch_with_jgo(path, Path(scratch)))}  {path}")


if __name__ == "__main__":
    main()
