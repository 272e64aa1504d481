"""The reference of a scan: the very bytes of the portal's answers, served as files that need no thought.

By nginx where it is installed, else by a bare uvloop responder that keeps them in memory.
"""

from __future__ import annotations

import resource
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.processes import listening

NGINX: Final = "nginx"
BARE: Final = "bare uvloop responder"
REDIRECT: Final = "/redirect/"
"""Everything under this path is answered with 307."""
OTHER_FILES: Final = 500
"""Descriptors left to nginx for connections and logs."""
_TYPES: Final = {"html": "text/html; charset=utf-8", "json": "application/json"}

_NGINX: Final = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; tcp_nodelay on; keepalive_timeout 75; keepalive_requests 1000000000;
  open_file_cache max={files} inactive=300s; open_file_cache_valid 300s; etag on;
  types {{ text/html html; application/json json; }}
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/files; location {redirect} {{ return 307 /recalls; }}
    location /br/ {{ add_header Content-Encoding br; }} }}
}}
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """A body as the portal sent it."""

    body: bytes
    encoding: str
    """``br`` or nothing."""
    status: int = 200


def server_name() -> str:
    """Which server of files this machine has."""
    return NGINX if shutil.which("nginx") else BARE


def write(folder: Path, kind: str, answers: Sequence[Answer]) -> list[str]:
    """Write answers of one kind (html, json) as files; returns their paths, in the same order; packed ones: /br/."""
    place = folder / "files" / (answers[0].encoding or kind)
    place.mkdir(parents=True, exist_ok=True)
    for number, answer in enumerate(answers):
        (place / f"{number}.{kind}").write_bytes(answer.body)
    return [f"/{place.name}/{number}.{kind}" for number in range(len(answers))]


@contextmanager
def serving(folder: Path, port: int, *, server: str, core: int | None = None) -> Iterator[int]:
    """The process id of a server (``NGINX`` or ``BARE``) of the files in ``folder``."""
    folder.chmod(0o755)  # nginx started as root reads them as another user
    if server == NGINX:
        config = folder / "nginx.conf"
        told = _NGINX.format(folder=folder, port=port, redirect=REDIRECT, files=_files_open())
        config.write_text(told, encoding="utf-8")
        command = ["nginx", "-p", str(folder), "-c", str(config)]
    else:
        command = [sys.executable, "-m", "benchmarks.responder", str(port), str(folder / "files")]
    with listening(command, port, core=core) as pid:
        yield pid


def _files_open() -> int:
    """How many files nginx may keep open: one more than the system lets it open, and it answers with errors."""
    allowed, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return min(100_000, max(allowed - OTHER_FILES, OTHER_FILES)) if allowed > 0 else 100_000


def responses(files: Path) -> dict[bytes, bytes]:
    """Whole answers by request path, for a responder that keeps them in memory."""
    found = {}
    for path in sorted(files.rglob("*")):
        if path.is_file():
            body, name = path.read_bytes(), f"/{path.relative_to(files)}"
            encoding = "content-encoding: br\r\n" if name.startswith("/br/") else ""
            fields = f"content-type: {_TYPES[name.rpartition('.')[2]]}\r\n{encoding}content-length: {len(body)}"
            head = f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"
            found[name.encode("ascii")] = head.encode("ascii") + body
    return found
