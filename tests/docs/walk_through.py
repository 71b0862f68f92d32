"""Run the code blocks of a page in their order, as a reader would."""

import os
import re
import subprocess
import sys

from tests.checkout import CHECKOUT

#: What a target of the Makefile runs once its environment is set up.
TARGETS = {"make demo": "crashcover demo --out demo"}


def blocks_of(page):
    """Return language and text of every fenced block of a page."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def walk_through(page, folder, capsys):
    """Run the blocks `sh` and `python` of a page in a folder, and hold what they print against the blocks `text`."""
    names, printed = {}, ""
    for language, text in blocks_of(page):
        if language == "sh":
            printed = run_commands(text, folder)
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)
            printed = capsys.readouterr().out
        elif language == "text":
            assert printed == text


def run_commands(text, folder):
    """Run shell commands that find the package of this checkout under the name `crashcover`."""
    program = folder / ".bin" / "crashcover"
    if not program.exists():
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m crashcover "$@"\n', encoding="utf-8")
        program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "PYTHONPATH": str(CHECKOUT)}
    commands = "\n".join(TARGETS.get(line, line) for line in text.splitlines())
    done = subprocess.run(
        ["sh", "-e", "-c", commands], cwd=folder, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{commands}\n{done.stderr}"
    return done.stdout
