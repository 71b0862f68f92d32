"""Examples of the README work as stated."""

import re

from tests.checkout import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


def test_its_python_runs(capsys):
    (program,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    exec(compile(program, "README.md", "exec"), {})
    estimate, premium, price = capsys.readouterr().out.splitlines()
    assert estimate.startswith("Estimate(value=0.0")
    assert premium.startswith("Premium(trigger_probability=")
    assert price.endswith(" USD")


def test_its_commands_are_targets_of_the_makefile_and_ci_runs_one():
    makefile = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"^make (\w+)$", README, flags=re.MULTILINE)
    assert commands == ["demo", "test"]
    assert all(f"\n{command}: " in makefile for command in commands)
    assert (CHECKOUT / ".ci" / "run").read_text(encoding="utf-8").rstrip().endswith("make test")


def test_the_files_it_names_exist():
    for name in re.findall(r"`((?:docs|pricing|calibration|crashcover)/[\w./-]*)`|\]\(([\w/.-]+)\)", README):
        path = name[0] or name[1]
        assert (CHECKOUT / path).exists(), path
