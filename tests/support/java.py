"""Java options with which the many brokers of a test run start in a third of the time."""

import fcntl
import hashlib
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from forewarn_local.artefacts import cache_dir, ensure_kafka
from forewarn_local.java import find_java
from forewarn_local.kafka import KafkaBroker
from forewarn_local.spawn import start, stop

#: Brokers of tests end before the optimising compiler's work pays off.
_QUICK = "-XX:TieredStopAtLevel=1"
#: Java ignores an archive made by another Java or of other jars.
_IGNORE_UNFIT = "-Xshare:auto -Xlog:cds=off -Xlog:cds+dynamic=off"


def quick_start_options() -> str:
    """Return a value for ``JDK_JAVA_OPTIONS`` that names an archive of the classes a broker loads.

    The archive is made once for each Java and set of jars, by a broker that starts and stops, and kept in the
    cache. Safe to call from several processes at once: one makes it, the others wait.
    """
    java, jars = find_java().executable, ensure_kafka(cache_dir())
    version = subprocess.run([str(java), "-version"], capture_output=True, check=True).stderr
    key = hashlib.sha256(b"\0".join((bytes(java), version, bytes(jars)))).hexdigest()[:12]
    archive = cache_dir() / f"test-classes-{key}.jsa"
    with (cache_dir() / "test-classes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not archive.exists():
            _make(archive)
    return f"{_QUICK} -XX:SharedArchiveFile={archive} {_IGNORE_UNFIT}"


def _make(archive: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="test-classes-", dir=archive.parent) as scratch:
        made = Path(scratch) / "made.jsa"
        broker = KafkaBroker(Path(scratch) / "kafka")
        java, *arguments = broker.prepare()
        process = start([java, _QUICK, f"-XX:ArchiveClassesAtExit={made}", *arguments], log=broker.log)
        try:
            broker.wait_ready()
        finally:
            stop(process, number=signal.SIGTERM, timeout_s=60)
        shutil.move(made, archive)
