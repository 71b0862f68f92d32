"""Errors about a field, told with the option of the command line that sets it."""

import re

import click

#: Options whose field has another name.
_FIELDS = {
    "n_paths": "--paths",
    "n_threads": "--threads",
    "n_scenarios": "--scenarios",
    "annual_rate": "--capital-rate",
    "horizon": "--load-horizon",
    "depth_usd": "--depth",
    "of_loss": "--survivorship-load",
    "forecasters": "--forecaster",
}


def name_option(message: str, command: click.Command) -> str:
    """Put the option in front of a message that begins with its field.

    Parameters
    ----------
    message : str
        Message of an error, which begins with a field, a file or anything else.
    command : Command
        The command that was called.

    Examples
    --------
    >>> quote = click.Command("quote", params=[click.Option(["--drop", "drops"])])
    >>> name_option("drop must be between 0 and 1, got 30.0 (a fraction: 30 % is 0.30)", quote)
    '--drop: drop must be between 0 and 1, got 30.0 (a fraction: 30 % is 0.30)'
    >>> name_option("om.csv, row 3: close must be positive", quote)
    'om.csv, row 3: close must be positive'
    """
    begin = re.match(r"(\w+)[, ]", message)
    if begin is None:
        return message
    field = begin[1]
    option = _FIELDS.get(field, f"--{field.replace('_', '-')}")
    return f"{option}: {message}" if option in _options(command) else message


def _options(command: click.Command) -> set[str]:
    inner = command.commands.values() if isinstance(command, click.Group) else ()
    return {name for each in (command, *inner) for parameter in each.params for name in parameter.opts}
