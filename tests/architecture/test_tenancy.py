"""No statement reaches a tenant's rows without naming the tenant."""

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from sqlalchemy.dialects import sqlite

import commands
import core
import gateway
from core.database import METADATA, Prepared

ROOT = Path(__file__).parents[2]
SQLITE = sqlite.dialect(paramstyle="named")

ACROSS_TENANTS = {
    "core.identity.keys.store._BY_HASH": "a key says which tenant its bearer is of",
    "core.identity.tenants.store._FIND": "a tenant is looked up by its name; the service"
    " decides who may look",
    "core.identity.tenants.store._LIST": "the default tenant lists all of them",
}
"""Prepared statements that leave the tenant's own rows on purpose, each with its reason."""

_OWN = re.compile(r"\btenant_id = :tenant\b")
_TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)\b(?!\()")


def modules() -> Iterator[str]:
    """Yield the name of every module of core, commands and gateway."""
    for package in (core, commands, gateway):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if "__main__" not in found.name and ".migrations" not in found.name:
                yield found.name


def prepared_statements() -> Mapping[str, str]:
    """Collect the SQL of every statement that a module prepares, alone or in a table."""
    statements: dict[str, str] = {}
    for name in modules():
        for label, value in vars(importlib.import_module(name)).items():
            many = value.values() if isinstance(value, dict) else [value]
            for each in many:
                if isinstance(each, Prepared):
                    statements[f"{name}.{label}"] = each.sql(SQLITE)
    return statements


def is_own(sql: str) -> bool:
    """Tell whether a statement binds the tenant for every table that it names."""
    tables = set(_TABLE.findall(sql))
    if sql.startswith("INSERT"):
        return ":tenant_id" in sql
    each_is_named = len(tables) < 2 or all(
        f"{table}.tenant_id" in sql for table in tables
    )
    return bool(_OWN.search(sql)) and each_is_named


def test_prepared_statements_stay_within_the_tenant() -> None:
    """`R-59`: what a statement reads or changes belongs to the caller's tenant."""
    statements = prepared_statements()

    strays = {name: sql for name, sql in statements.items() if not is_own(sql)}

    assert strays.keys() == ACROSS_TENANTS.keys(), strays


@pytest.mark.parametrize(
    ("sql", "is_fine"),
    [
        ("SELECT id FROM tasks WHERE tasks.tenant_id = :tenant AND id = :id", True),
        ("SELECT id FROM tasks WHERE id = :id", False),
        ("UPDATE tasks SET title=:title WHERE tasks.tenant_id = :somebody", False),
        ("DELETE FROM leases WHERE leases.tenant_id = :tenant", True),
        ("INSERT INTO tasks (tenant_id, id) VALUES (:tenant_id, :id)", True),
        (
            """SELECT 1 FROM tasks JOIN leases ON leases.resource = tasks.id
            WHERE tasks.tenant_id = :tenant""",
            False,
        ),
    ],
)
def test_rule_tells_own_from_foreign(sql: str, is_fine: bool) -> None:
    assert is_own(sql) is is_fine


def test_every_table_carries_the_tenant() -> None:
    for name in modules():
        importlib.import_module(name)

    bare = [
        name for name, table in METADATA.tables.items() if "tenant_id" not in table.c
    ]

    assert bare == []


def test_query_built_per_call_names_the_tenant() -> None:
    """`R-59`: a function that builds a query compares the tenant in it."""
    for path in sorted((ROOT / "core").rglob("*.py")):
        if path.parent != ROOT / "core" / "database":
            assert list(unfiltered(path.read_text(encoding="utf-8"))) == [], path


def unfiltered(source: str) -> Iterator[str]:
    """Name the functions that build a query and do not compare `tenant_id` in it."""
    tree = ast.parse(source)
    sources = ("sqlalchemy", ".tables")
    names = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").endswith(sources)
        for alias in node.names
    }
    filters = [
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign) and "tenant_id ==" in ast.unparse(node)
        for target in node.targets
        if isinstance(target, ast.Name)
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and builds_query(node, names):
            body = ast.unparse(node)
            is_filtered = any(text in body for text in ("tenant_id ==", *filters))
            yield from () if is_filtered else (node.name,)


def builds_query(function: ast.FunctionDef, names: set[str]) -> bool:
    """Tell whether a function calls `select(...)`, `tasks.update()` or the like."""
    starts = {"select", "update", "delete"}
    calls = [node.func for node in ast.walk(function) if isinstance(node, ast.Call)]
    return any(
        (isinstance(call, ast.Name) and call.id in starts & names)
        or (
            isinstance(call, ast.Attribute)
            and call.attr in starts
            and isinstance(call.value, ast.Name)
            and call.value.id in names
        )
        for call in calls
    )


def test_rule_sees_a_query_without_tenant() -> None:
    head = "from sqlalchemy import select\nfrom core.a.tables import tasks\n"

    assert list(unfiltered(f"{head}def f(tx): return select(tasks)")) == ["f"]
    assert list(unfiltered(f"{head}def f(tx): return tasks.delete()")) == ["f"]
    own = "select(tasks).where(tasks.c.tenant_id == tx.tenant)"
    assert list(unfiltered(f"{head}def f(tx): return {own}")) == []


def test_only_core_talks_to_the_database() -> None:
    """Commands and the gateway call services; they hold no query of their own."""
    for folder in ("commands", "channels"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            assert ".execute(" not in path.read_text(encoding="utf-8"), path
