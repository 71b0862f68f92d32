"""The rules of docs/architecture.md, checked against the code."""

import ast
import json
import os
import re
import subprocess
import sys
from graphlib import TopologicalSorter
from importlib import import_module

import pytest

import pricing
from tests.checkout import CHECKOUT

PAGE = (CHECKOUT / "docs" / "architecture.md").read_text(encoding="utf-8")


def read_packages():
    """Read from the page what each package may import."""
    heads = re.findall(r"^### (\w+): [^(\n]*(?:\(imports ([\w, ]+)\))?$", PAGE, re.MULTILINE)
    return {package: set(imports.split(", ")) - {""} for package, imports in heads}


def read_entries(package):
    """Read from the page the files and folders of a package, lowest first."""
    return re.findall(rf"^\| `({package}/[\w./]+)` \|", PAGE, re.MULTILINE)


MAY_IMPORT = read_packages()


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


def entry_of(module, entries):
    """Return the place of the entry that holds a dotted module, or None for the package itself."""
    path = module.replace(".", "/")
    return next(
        (at for at, entry in enumerate(entries) if f"{path}/".startswith(entry.split(".")[0].rstrip("/") + "/")), None
    )


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_the_page_lists_all_entries_of_a_package_and_no_other(package):
    found = {
        path.relative_to(CHECKOUT).as_posix() + "/" * path.is_dir()
        for path in (CHECKOUT / package).iterdir()
        if (path.is_dir() and any(path.glob("*.py"))) or path.suffix in (".py", ".pyx")
    }
    assert set(read_entries(package)) == found - {f"{package}/__init__.py"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_entries_import_from_entries_above_only(package):
    entries = read_entries(package)
    for path in modules_of(package):
        if path == CHECKOUT / package / "__init__.py":
            continue
        own = entry_of(".".join(path.relative_to(CHECKOUT).with_suffix("").parts), entries)
        for name in imports_of(path):
            imported = entry_of(name, entries) if name.split(".")[0] == package else None
            assert imported is None or imported <= own, f"{path} imports {name}, which the page lists below it"


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_modules_of_a_package_import_each_other_in_no_circle(package):
    files = {".".join(path.relative_to(CHECKOUT).with_suffix("").parts): path for path in modules_of(package)}
    imports = {module: set(imports_of(path)) & set(files) - {module} for module, path in files.items()}
    TopologicalSorter(imports).prepare()  # raises a CycleError that names the circle


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_no_module_is_called_like_a_function_that_it_defines(package):
    for path in modules_of(package):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assert path.stem not in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, path


#: Folders that users import from; all others hold a docstring only.
PUBLIC = {"pricing/closed_form", "pricing/principles"}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_inner_folders_export_nothing(package):
    for path in (CHECKOUT / package).rglob("*/__init__.py"):
        if path.parent.relative_to(CHECKOUT).as_posix() not in PUBLIC:
            assert len(ast.parse(path.read_text(encoding="utf-8")).body) == 1, path


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


def test_the_architecture_page_names_no_file_that_is_gone():
    named = {part for part in PAGE.split("`") if part.startswith((*(f"{name}/" for name in MAY_IMPORT), "tests/"))}
    for name in named:
        assert (CHECKOUT / name).exists(), f"docs/architecture.md names {name}, which does not exist"
