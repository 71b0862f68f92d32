"""The command ``crashcover``, also as ``python -m crashcover``."""

import sys

from pricing.tools.libraries import missing_library


def main() -> None:
    """Run the command line."""
    try:
        from crashcover.cli import main as commands
    except ImportError as error:  # click and rich are optional, too
        missing = missing_library(error)
        if missing is None:
            raise
        from crashcover.commands.exits import exit_code

        sys.stderr.write(f"error: {missing}\n")
        sys.exit(exit_code(missing))
    commands(prog_name="crashcover")


if __name__ == "__main__":
    main()
