"""The rules of docs/architecture.md, held against the code."""

import ast
import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import pricing

CHECKOUT = Path(__file__).resolve().parent.parent

#: Modules of ``pricing``, lowest first: a module may import only from rows above its own.
PRICING_LAYERS = [
    {"errors", "version", "_kernels"},
    {"kernel", "units", "whole_files", "processes"},
    {"array_file", "plain", "settings", "triggers", "payouts", "anchors", "estimates", "rate_limits", "closed_form"},
    {"cover", "signals", "models", "principles", "grouped_sample", "selling_rules"},
    {"quantile_tables", "anchoring", "loadings", "settlement", "tail_sums"},
    {"kernel_inputs", "surface", "book", "reinstatements"},
    {"segment_laws", "mixture_shares", "path_losses", "compaction"},
    {"tilts", "rate_store"},
    {"proposals", "payment_time", "hedges"},
    {"simulation", "premiums", "replay", "replication"},
    {"statement", "three_windows", "running_rate", "event_premium", "sensitivities", "tail_losses"},
    {"quote", "loss_columns", "rate_quote"},
    {"premium_columns", "loaded_rates"},
    {"rate_quoter"},
    {"quoter"},
    {"__init__"},
]
MAY_IMPORT = {
    "pricing": set(),
    "calibration": {"pricing"},
    "backtest": {"pricing", "calibration"},
    "pool": {"pricing", "calibration"},
    "crashcover": {"pricing", "calibration", "backtest", "pool"},
}


def modules_of(package):
    return sorted((CHECKOUT / package).rglob("*.py"))


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_packages_import_downwards_only(package):
    forbidden = set(MAY_IMPORT) - MAY_IMPORT[package] - {package}
    for path in modules_of(package):
        assert not {name.split(".")[0] for name in imports_of(path)} & forbidden, path


def test_modules_of_pricing_import_downwards_only():
    level = {module: row for row, modules in enumerate(PRICING_LAYERS) for module in modules}
    for path in modules_of("pricing"):
        module = path.relative_to(CHECKOUT / "pricing").parts[0].removesuffix(".py")
        for name in imports_of(path):
            parts = name.split(".")
            imported = parts[1] if parts[0] == "pricing" and len(parts) > 1 else module
            if imported in level and imported != module:
                assert level[imported] < level[module], f"pricing.{module} imports pricing.{imported}"


def test_every_module_of_pricing_has_a_layer():
    known = set().union(*PRICING_LAYERS)
    found = {path.relative_to(CHECKOUT / "pricing").parts[0].removesuffix(".py") for path in modules_of("pricing")}
    assert found <= known


def test_all_of_pricing_imports_numpy_and_nothing_else():
    # Without site-packages hooks of other projects, which may import what they like at start.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    program = "import json, sys; from pricing import *; print(json.dumps([*sys.modules]))"
    printed = subprocess.run([sys.executable, "-S", "-c", program], check=True, capture_output=True, text=True, env=env)
    imported = {name.split(".")[0] for name in json.loads(printed.stdout)} - {"__main__"}
    assert {name for name in imported - sys.stdlib_module_names if "cython" not in name} == {"numpy", "pricing"}


def test_type_checkers_find_the_names_of_pricing_where_python_does():
    stub = ast.parse((CHECKOUT / "pricing" / "__init__.pyi").read_text(encoding="utf-8"))
    imports = [node for node in stub.body if isinstance(node, ast.ImportFrom)]
    assert sorted(alias.name for node in imports for alias in node.names) == pricing.__all__
    for node in imports:
        for alias in node.names:
            assert getattr(pricing, alias.name) is getattr(import_module(node.module), alias.name)


def test_modules_of_pricing_are_found_by_name():
    program = "import pricing; print(pricing.errors.PricingError is pricing.PricingError)"
    printed = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=CHECKOUT)
    assert printed.stdout == "True\n"


def test_pricing_says_what_it_does_not_have():
    with pytest.raises(AttributeError, match="'pricing' has no attribute 'premia'"):
        _ = pricing.premia
    assert set(pricing.__all__) < set(dir(pricing))


def test_the_tree_in_the_architecture_page_is_the_real_one():
    page = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in MAY_IMPORT:
        for path in modules_of(package):
            name = path.relative_to(CHECKOUT).as_posix()
            assert path.name == "__init__.py" or f"`{name}`" in page, f"docs/architecture.md does not name {name}"


def test_the_architecture_page_names_no_file_that_is_gone():
    page = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for package in MAY_IMPORT:
        named = {part for part in page.split("`") if part.startswith(f"{package}/") and part.endswith((".py", ".pyx"))}
        for name in named:
            assert (CHECKOUT / name).is_file(), f"docs/architecture.md names {name}, which does not exist"
