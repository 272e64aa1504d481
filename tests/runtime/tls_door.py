"""The tests' own server behind TLS, as a server that was built with it speaks, or a pooler in front of one.

The embedded server has no TLS: it is reached by a socket's file alone.
"""

from __future__ import annotations

import asyncio
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from load_tests.truth_server import socket_of
from runtime.database import DatabaseAddress, asyncpg_url

HOST = "127.0.0.1"
TLS_WANTED = struct.pack("!ii", 8, 80877103)
"""SSLRequest (PostgreSQL, Message Formats)."""


@dataclass
class Door:
    """Where it is, what shows that it is itself, and how many came in by TLS and in the clear."""

    server: DatabaseAddress
    certificate: Path
    port: int = 0
    by_tls: int = 0
    in_the_clear: int = 0

    def address(self, options: str) -> DatabaseAddress:
        """The database, reached through the door, with these options."""
        plain = asyncpg_url(self.server.url).set(host=HOST, port=self.port, query={})
        return DatabaseAddress(f"{plain.render_as_string(hide_password=False)}?{options}")


@asynccontextmanager
async def tls_door(server: DatabaseAddress, folder: Path, *, has_tls: bool = True) -> AsyncIterator[Door]:
    """The door, open until the block ends."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    door = Door(server, sign_for_itself(folder))
    context.load_cert_chain(door.certificate, folder / "server.key")

    async def come_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with AsyncExitStack() as stack:
            stack.enter_context(suppress(OSError, EOFError))  # a visitor who does not trust us, and is gone
            stack.push_async_callback(_close, writer)
            first = await reader.readexactly(8)
            if first == TLS_WANTED and has_tls:
                writer.write(b"S")
                await writer.start_tls(context)
                door.by_tls += 1
                first = b""
            elif first == TLS_WANTED:
                writer.write(b"N")
                first = await reader.readexactly(8)
            door.in_the_clear += bool(first)
            inside = await asyncio.open_unix_connection(socket_of(server))
            stack.push_async_callback(_close, inside[1])
            inside[1].write(first)
            await asyncio.wait(
                [asyncio.create_task(_carry(reader, inside[1])), asyncio.create_task(_carry(inside[0], writer))],
                return_when=asyncio.FIRST_COMPLETED,
            )

    listening = await asyncio.start_server(come_in, HOST, 0)
    door.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield door


def sign_for_itself(folder: Path) -> Path:
    """A key, and a certificate for this machine's own address that nobody else has signed."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - timedelta(hours=1), now + timedelta(days=1)
    )
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    made = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "server.crt").write_bytes(made)
    (folder / "server.key").write_bytes(secret)
    return folder / "server.crt"


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while some := await reader.read(65_536):
            writer.write(some)
            await writer.drain()


async def _close(writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        writer.close()
        await writer.wait_closed()
