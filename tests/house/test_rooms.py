"""The house keeps its own rules: floors, doors, sizes and words."""

from __future__ import annotations

import ast
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest
from importlinter import cli as importlinter_cli

ROOT = Path(__file__).parent.parent.parent
ROOMS = [
    "gs1",
    "serials",
    "runtime",
    "ledger",
    "access",
    "recall",
    "labels",
    "shoppers",
    "web",
    "portal",
    "console",
    "api",
    "cli",
    "schema",
    "benchmarks",
    "load_tests",
]
SOURCES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
FUNCTION_LINES_MAX = 60
FILE_LINES_MAX = 400
GENERATED = {ROOT / "gs1" / "application_identifiers.py"}


def test_rooms_import_lower_floors_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)

    assert importlinter_cli.lint_imports(no_cache=True) == 0


@pytest.mark.parametrize(
    "module, allowed",
    [
        ("qrcode", ["labels/symbol.py"]),
        ("starlette", ["web/", "portal/", "console/", "api/"]),
        ("fastapi", ["benchmarks/typical.py"]),
    ],
)
def test_a_library_stays_behind_its_door(module: str, allowed: list[str]) -> None:
    users = {str(path.relative_to(ROOT)) for path in SOURCES if module in imported(path)}

    assert users
    assert {user for user in users if not user.startswith(tuple(allowed))} == set()


def test_no_middleware_that_costs_more_than_the_answer() -> None:
    banned = re.compile(r"BaseHTTPMiddleware|GZipMiddleware|\.middleware\(")

    assert [path for path in SOURCES if banned.search(path.read_text(encoding="utf-8"))] == []


def test_only_the_settings_read_the_environment() -> None:
    readers = {
        str(path.relative_to(ROOT))
        for path in SOURCES
        if re.search(r"os\.environ|os\.getenv|environ\[", path.read_text(encoding="utf-8"))
    }

    # cli/serve.py and cli/demo.py hand settings to their own worker processes; backups.py and the embedded server pass
    # the environment on to PostgreSQL's programs; none of them reads a setting.
    assert {
        r
        for r in readers
        if not r.startswith(("runtime/settings.py", "cli/", "runtime/embedded_postgres/", "benchmarks/", "load_tests/"))
    } == set()


def test_sql_stands_where_it_may() -> None:
    speaks_sql = re.compile(r"\b(SELECT\s.+\sFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM)\b", re.S)
    allowed = re.compile(
        r"(^|/)\w*(store|tables|statements|books)\w*\.py$|^runtime/|^schema/|^cli/backups\.py$|^benchmarks/|^portal/"
    )
    elsewhere = []
    for path in SOURCES:
        name = str(path.relative_to(ROOT))
        strings = [n.value for n in nodes(path) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        if any(speaks_sql.search(text) for text in strings) and not allowed.search(name):
            elsewhere.append(name)

    assert elsewhere == []


def test_functions_fit_a_screen_and_files_hold_one_idea() -> None:
    long_functions = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and body_lines(node) > FUNCTION_LINES_MAX
    ]
    long_files = [
        str(p.relative_to(ROOT))
        for p in SOURCES
        if p not in GENERATED and len(p.read_text(encoding="utf-8").splitlines()) > FILE_LINES_MAX
    ]

    assert long_functions == []
    assert long_files == []


def test_the_product_speaks_of_itself_alone() -> None:
    files = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    banned = re.compile("|".join(["TO" + "DO", "FIX" + "ME", r"\.\./sha" + "red", "index-" + "url", "/wo" + "rk/"]))
    found = []
    for name in filter(None, files):
        path = ROOT / name
        if path.suffix in {".py", ".md", ".toml", ".sql", ".html", ".sh", ".yaml", ".lock"} and path.exists():
            found += [f"{name}: {m.group()}" for m in banned.finditer(path.read_text(encoding="utf-8"))]

    assert found == []


def test_the_lock_files_pin_every_package_with_a_hash() -> None:
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        packages = re.findall(r"^[a-z0-9][^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.M)

        assert len(packages) == len(re.findall(r"^[a-z0-9]", text, re.M)) > 50
        assert "://" not in text


@cache
def nodes(path: Path) -> list[ast.AST]:
    """All nodes of a file, parsed once for all rules."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def imported(path: Path) -> set[str]:
    modules: set[str] = set()
    for node in nodes(path):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules.add(node.module.split(".")[0])
    return modules


def body_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body; the docstring and the signature do not count."""
    body = node.body
    has_docstring = (
        isinstance(body[0], ast.Expr)
        and isinstance(body[0].value, ast.Constant)
        and isinstance(body[0].value.value, str)
    )
    code = body[1:] if has_docstring else body
    return 0 if not code else (code[-1].end_lineno or 0) - code[0].lineno + 1
