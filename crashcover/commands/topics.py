"""The command ``help``: exit codes, and the help of each command."""

import click

from crashcover.commands.exits import MEANINGS


def explain_topic(root: click.Context, topic: str) -> str:
    """Return a text on exit codes, on a command, or on all commands if there is no topic.

    Raises
    ------
    UsageError
        If there is no such topic.
    """
    if topic == "exits":
        return "\n".join(["Exit codes:", *(f"  {code:<5}{meaning}" for code, meaning in MEANINGS.items())])
    if not topic:
        return root.get_help()
    assert isinstance(root.command, click.Group)
    command = root.command.get_command(root, topic)
    if command is None:
        known = ", ".join(root.command.list_commands(root))
        raise click.UsageError(f"TOPIC must be exits or one of {known}, got {topic!r}")
    return command.get_help(click.Context(command, root, topic))
