"""``StopIteration`` ends a ``map`` in silence, so no function may let it escape, and no ``map`` may meet it."""

import ast

import pytest

from tests.checkout import CHECKOUT

MODULES = sorted(
    path for package in ("pricing", "calibration", "backtest", "pool", "crashcover")
    for path in (CHECKOUT / package).rglob("*.py")
)  # fmt: skip


def calls_of(path, name):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
            yield node


def from_map(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.YieldFrom) and isinstance(node.value, ast.Call):
            yield from (name for name in ast.walk(node.value.func) if isinstance(name, ast.Name) and name.id == "map")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_next_has_a_default_and_no_generator_hands_on_a_map(path):
    assert [call.lineno for call in calls_of(path, "next") if len(call.args) < 2] == []
    assert [name.lineno for name in from_map(path)] == []
