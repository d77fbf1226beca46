"""Fresh databases on each kind of server the platform supports."""

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import psycopg
from psycopg import conninfo, sql

IMAGE = "timescale/timescaledb:2.19.3-pg17"


class Server(Protocol):
    """What tests need of a server."""

    def create_database(self, name: str) -> str:
        """Create a database and return its URL."""
        ...

    def drop_database(self, name: str) -> None:
        """Drop it."""
        ...


@dataclass(frozen=True)
class ContainerServer:
    """TimescaleDB in a container."""

    host: str
    port: int
    password: str

    def url_of(self, database: str) -> str:
        return f"postgresql://forewarn:{self.password}@{self.host}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        with psycopg.connect(self.url_of("postgres"), autocommit=True, client_encoding="UTF8") as connection:
            connection.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE template0 ENCODING 'UTF8'").format(sql.Identifier(name))
            )
        return self.url_of(name)

    def drop_database(self, name: str) -> None:
        with psycopg.connect(self.url_of("postgres"), autocommit=True, client_encoding="UTF8") as connection:
            connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def timescale_container() -> Iterator[ContainerServer]:
    """Start the image and wait until it answers by TCP, which it does only after its set-up is finished."""
    from testcontainers.core.container import DockerContainer

    from support.stack import wait_until

    password = secrets.token_urlsafe(12)
    container = (
        DockerContainer(IMAGE)
        .with_env("POSTGRES_USER", "forewarn")
        .with_env("POSTGRES_PASSWORD", password)
        .with_exposed_ports(5432)
    )
    with container:
        server = ContainerServer(container.get_container_host_ip(), int(container.get_exposed_port(5432)), password)

        def answers() -> bool:
            try:
                psycopg.connect(server.url_of("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                return False
            return True

        wait_until(answers, 60, "the container's database answers", interval_s=0.3)
        yield server


@contextmanager
def fresh_database(server: Server) -> Iterator[str]:
    """An empty database, dropped afterwards."""
    name = f"t_{uuid.uuid4().hex[:12]}"
    yield server.create_database(name)
    server.drop_database(name)


@contextmanager
def login_role(url: str, *groups: str) -> Iterator[str]:
    """A role that may log in and belongs to groups; gives the URL to connect with."""
    name, password = f"u_{uuid.uuid4().hex[:8]}", secrets.token_hex(8)
    role = sql.Identifier(name)
    with psycopg.connect(url, autocommit=True, client_encoding="UTF8") as connection:
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(password)))
        for group in groups:
            connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(group), role))
    yield conninfo.make_conninfo(url, user=name, password=password)
    with psycopg.connect(url, autocommit=True, client_encoding="UTF8") as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(role))
        connection.execute(sql.SQL("DROP ROLE {}").format(role))
