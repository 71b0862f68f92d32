"""The help of a command: ``--help`` shows the options that most calls need, ``--help-all`` all of them in groups."""

from typing import Any

import click

_ALL = "crashcover.help_all"


class GroupedOption(click.Option):
    """An option that the short help leaves out if it belongs to a group.

    Parameters
    ----------
    group : str
        Heading in the long help; empty for an option of the short help.
    """

    def __init__(self, *names: Any, group: str = "", **attributes: Any) -> None:
        super().__init__(*names, **attributes)
        self.group = group


class Command(click.Command):
    """A command with a short and a long help."""

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Return all parameters, and the option for the long help if the short one leaves something out."""
        params = super().get_params(ctx)
        return [*params, _HELP_ALL] if self._groups(params) else params

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the usual options; then the groups of the others, or how to see them."""
        params = self.get_params(ctx)
        groups = self._groups(params)
        with formatter.section("Options"):
            formatter.write_dl(_records(params, "", ctx))
        if ctx.meta.get(_ALL):
            for group in groups:
                with formatter.section(group):
                    formatter.write_dl(_records(params, group, ctx))
        elif groups:
            formatter.write_paragraph()
            formatter.write_text(f"Further options: {ctx.command_path} --help-all ({', '.join(groups).lower()}).")

    @staticmethod
    def _groups(params: list[click.Parameter]) -> list[str]:
        return list(dict.fromkeys(group for each in params if (group := getattr(each, "group", ""))))


def _records(params: list[click.Parameter], group: str, ctx: click.Context) -> list[tuple[str, str]]:
    """Return names and help of the options of a group."""
    options = [each for each in params if isinstance(each, click.Option) and getattr(each, "group", "") == group]
    return [record for each in options if (record := each.get_help_record(ctx))]


def _print_all(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        ctx.meta[_ALL] = True
        click.echo(ctx.get_help())
        ctx.exit()


_HELP_ALL = click.Option(
    ["--help-all"],
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_all,
    help="Show all options and exit.",
)
