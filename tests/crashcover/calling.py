"""A way to call the command line in this process."""

from click.testing import CliRunner, Result

from crashcover.cli import main


def call(*arguments: object) -> Result:
    """Run the command: ``call("quote", "--drop", 0.5, ...)``."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments])
