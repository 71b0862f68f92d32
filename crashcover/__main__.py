"""``python -m crashcover``: the same as the command ``crashcover``."""

from crashcover.cli import main

if __name__ == "__main__":
    main(prog_name="crashcover")
