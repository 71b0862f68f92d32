"""The group of all commands, which tells errors and warnings in one line."""

import warnings
from typing import Any

import click

from crashcover.display.messages import tell
from crashcover.short_help import Command


class Commands(click.Group):
    """A group that reports errors as one line on stderr and an exit code."""

    command_class = Command

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        from crashcover.commands.exits import Exit, exit_code
        from pricing.errors import PricingError

        warnings.showwarning = _show_warning  # type: ignore[assignment]
        try:
            return super().invoke(ctx)
        except PricingError as error:
            from crashcover.commands.option_names import name_option

            message = " ".join(str(error).split())
            called = self.get_command(ctx, ctx.invoked_subcommand or "")
            tell(f"error: {name_option(message, called) if called else message}")
            ctx.exit(exit_code(error))
        except BrokenPipeError:  # the reader has closed the pipe: click ends quietly
            raise
        except OSError as error:
            from crashcover.runs.faults import describe_refusal

            tell(f"error: {describe_refusal(error)}")
            ctx.exit(Exit.SYSTEM_FAILED)
        except ImportError as error:
            from pricing.tools.libraries import missing_library

            missing = missing_library(error)
            if missing is None:
                raise
            tell(f"error: {missing}")
            ctx.exit(exit_code(missing))
        except KeyboardInterrupt:
            tell("interrupted")
            ctx.exit(Exit.INTERRUPTED)


def _show_warning(message: Warning | str, *_place: Any) -> None:
    """Show a warning to users of a command: the line of code that issued it tells them nothing."""
    tell(f"notice: {message}")
