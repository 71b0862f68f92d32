"""The command ``calibrate``: fit one token and show the result."""

import click

from crashcover.commands.exits import Exit
from crashcover.commands.inputs import Options, calibrate_as_stated, read_token_prices, story_of
from crashcover.display.console import stdout
from crashcover.display.table import assumption_list, calibration_panel


def run_calibrate(options: Options) -> Exit:
    """Calibrate one token and show the result."""
    history = read_token_prices(options)
    calibration = calibrate_as_stated(history, options)
    if options["as_json"]:
        click.echo(calibration.to_json())
    else:
        console = stdout()
        console.print(calibration_panel(calibration, history.asset, story_of(history.asset)))
        console.print(assumption_list(calibration))
    return Exit.DONE
