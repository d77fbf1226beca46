"""Pinned jars: complete and right, or absent."""

import hashlib
import threading
from pathlib import PurePosixPath

import pytest

from forewarn_local.artefacts import Artefact, ensure_kafka, read_lock
from forewarn_local.errors import ArtefactError
from forewarn_local.repository import coordinates

CONTENT = b"a jar"
JAR = Artefact(path=PurePosixPath("org/example/thing/1.0/thing-1.0.jar"), sha256=hashlib.sha256(CONTENT).hexdigest())


def _fetcher(content, calls):
    def fetch(path, repository):
        calls.append(path)
        target = repository / path
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
        return target

    return fetch


def test_the_committed_lock_pins_one_kafka_and_the_logging_binding_of_its_version():
    lock = read_lock()
    names = {coordinates(jar.path)[1]: coordinates(jar.path)[2] for jar in lock}
    assert len(names) == len(lock) == 46
    assert {version for name, version in names.items() if name.startswith("kafka")} == {"4.3.0"}
    assert names["log4j-slf4j-impl"] == names["log4j-core"]
    assert all(len(jar.sha256) == 64 for jar in lock)


def test_jars_are_fetched_once(tmp_path):
    calls, seen = [], []
    for _ in range(2):
        directory = ensure_kafka(
            tmp_path,
            lock=(JAR,),
            fetch=_fetcher(CONTENT, calls),
            progress=lambda done, total: seen.append((done, total)),
        )
    assert [path.name for path in directory.iterdir()] == ["thing-1.0.jar"]
    assert (len(calls), seen) == (1, [(0, 1), (1, 1)])


def test_a_jar_that_is_not_the_pinned_one_is_refused_and_nothing_is_installed(tmp_path):
    with pytest.raises(ArtefactError, match=r"thing-1\.0\.jar is not the file that was pinned"):
        ensure_kafka(tmp_path, lock=(JAR,), fetch=_fetcher(b"another jar", []))
    assert [path.name for path in tmp_path.iterdir()] == ["kafka.lock"]


def test_a_network_failure_says_what_to_do(tmp_path):
    def fetch(path, repository):
        raise ConnectionError("Name or service not known")

    with pytest.raises(ArtefactError, match=r"could not be downloaded: Name or service not known.*network"):
        ensure_kafka(tmp_path, lock=(JAR,), fetch=fetch)


def test_a_directory_that_lost_a_jar_is_made_again(tmp_path):
    directory = ensure_kafka(tmp_path, lock=(JAR,), fetch=_fetcher(CONTENT, []))
    (directory / "thing-1.0.jar").unlink()
    ensure_kafka(tmp_path, lock=(JAR,), fetch=_fetcher(CONTENT, []))
    assert (directory / "thing-1.0.jar").read_bytes() == CONTENT


def test_one_of_several_at_once_fetches_and_the_others_wait(tmp_path):
    calls = []
    workers = [
        threading.Thread(
            target=ensure_kafka, args=(tmp_path,), kwargs={"lock": (JAR,), "fetch": _fetcher(CONTENT, calls)}
        )
        for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(calls) == 1


def test_what_a_killed_download_left_is_removed(tmp_path):
    (tmp_path / ".fetching-x").mkdir(parents=True)
    ensure_kafka(tmp_path, lock=(JAR,), fetch=_fetcher(CONTENT, []))
    assert not (tmp_path / ".fetching-x").exists()
