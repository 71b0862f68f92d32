"""The help of a command is short, and the long one has every option."""

import click
import pytest

from crashcover.cli import main
from tests.crashcover.calling import call

LARGEST = 22


def commands(group, *path):
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(commands(main))
of_every_command = pytest.mark.parametrize("path", COMMANDS, ids=" ".join)


def options_of(command):
    return {max(each.opts, key=len): each for each in command.params if isinstance(each, click.Option)}


def shown(text):
    """Return the options that begin a line of a help."""
    words = [line.split() for line in text.splitlines() if line.startswith(("  --", "  -h, --"))]
    return {next(word for word in line if word.startswith("--")) for line in words}


@of_every_command
def test_the_short_help_shows_the_usual_options_and_names_the_other_groups(path):
    text, options = call(*path, "--help").stdout, options_of(COMMANDS[path])
    groups = {each.group for each in options.values()} - {""}
    usual = {name for name, each in options.items() if not each.group}
    assert shown(text) == usual | {"--help"} | ({"--help-all"} if groups else set())
    assert len(usual) <= LARGEST
    assert text == call("help", *path).stdout or len(path) > 1
    hint = f" {' '.join(path)} --help-all"
    assert (hint in " ".join(text.split())) == bool(groups)
    assert all(group.lower() in " ".join(text.split()) for group in groups)


@of_every_command
def test_the_long_help_shows_all_options_in_their_groups(path):
    options = options_of(COMMANDS[path])
    if not any(each.group for each in options.values()):
        return
    text = call(*path, "--help-all").stdout
    assert shown(text) == {*options, "--help", "--help-all"}
    for group in {each.group for each in options.values()} - {""}:
        body = text.partition(f"\n{group}:\n")[2].partition("\n\n")[0]
        assert shown(body) == {name for name, each in options.items() if each.group == group}


def test_what_a_quote_needs_is_on_one_screen():
    assert {"--prices", "--holders", "--drop", "--window", "--term", "--limit", "--json"} <= shown(
        call("quote", "--help").stdout
    )
    assert len(call("quote", "--help").stdout.splitlines()) <= 50
