"""Run the code blocks of a page in their order, as a reader would."""

import re
import shlex
from pathlib import Path

from tests.crashcover.calling import call

#: What a target of the Makefile runs once its environment is set up.
TARGETS = {"make demo": "crashcover demo --out demo"}


def blocks_of(page):
    """Return language and text of every fenced block of a page."""
    return re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE)


def walk_through(page, capsys):
    """Run the blocks `sh` and `python` of a page, and hold what they print against the blocks `text`."""
    names, printed = {}, ""
    for language, text in blocks_of(page):
        if language == "sh":
            printed = run_commands(text)
        elif language == "python":
            exec(compile(text, page.name, "exec"), names)
            printed = capsys.readouterr().out
        elif language == "text":
            assert printed == text, printed


def run_commands(text):
    """Run commands of crashcover in this process, where its libraries are imported already; return what they print."""
    lines = text.replace("\\\n", "").splitlines()
    return "".join(run_command(f"{TARGETS[line]} --paths 2000" if line in TARGETS else line) for line in lines)


def run_command(line):
    command, _, file = line.partition(" > ")
    program, *arguments = shlex.split(command)
    assert program == "crashcover", line
    result = call(*arguments)
    assert result.exit_code == 0, f"{line}\n{result.output}"
    if not file:
        return result.stdout
    Path(file).write_text(result.stdout, encoding="utf-8")
    return ""
