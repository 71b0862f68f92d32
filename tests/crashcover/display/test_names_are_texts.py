"""Names and currencies are texts on the terminal, on pages and in pictures, whatever they hold."""

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from crashcover.display.console import TextConsole
from crashcover.display.messages import tell
from crashcover.display.picture import Chart, Curve, draw_exceedance
from pricing import UnknownAssetError
from pricing.quotes.known_assets import find_asset
from pricing.show import drawing
from pricing.show.texts import readable
from tests.pricing.rates.store_worlds import make_cover, simulate_surface

NAMES = ("[/b]", "[red]OM[/red]", "[link=x]y", ":rocket:", "$\\frac$", "$x", "a\x1b[31mb", "\u202eMO", "a\x9bb")
#: What may command a terminal, other than a line end.
COMMAND = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def printed(*renderables, **options):
    console = TextConsole(file=io.StringIO(), width=200, **options)
    for each in renderables:
        console.print(each)
    return console.file.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_printed_as_it_is_written(name):
    table = Table(title=name)
    table.add_column(name)
    table.add_row(name)
    for renderable in (name, Text(name), table, Panel(Text(name), title=Text(name))):
        text = printed(renderable)
        assert readable(name) in text
        assert not COMMAND.search(text)


@given(st.text())
def test_no_text_commands_a_terminal(text):
    assert not COMMAND.search(printed(text, Text(text)))
    assert not COMMAND.search(readable(text))
    readable(text).encode()


def test_styles_of_our_own_still_reach_a_terminal():
    text = printed(Text("a\x1b[31mb", style="bold"), force_terminal=True, color_system="standard")
    assert text == "\x1b[1ma\\x1b[31mb\x1b[0m\n"


def test_messages_command_no_terminal(capsys):
    with pytest.raises(UnknownAssetError) as caught:
        find_asset(make_cover(asset="\x1b]0;title\x07\u202e"), {})
    tell(f"error: {caught.value} \x1b[2J")
    assert not COMMAND.search(capsys.readouterr().err)


@pytest.mark.parametrize("name", NAMES)
def test_a_name_in_a_picture_is_no_formula(tmp_path, name):
    axes = Figure().subplots()
    axes.plot([0, 1], [0, 1], label=name)
    drawing.label(axes, across=name, up=name)
    drawing.title(axes, name)
    drawing.name_places(axes, [0.0, 1.0], [name, name])
    drawing.legend(axes, "upper left")
    axes.figure.draw_without_rendering()  # a formula that cannot be parsed would raise
    assert axes.get_xlabel() == readable(name)
    sample = simulate_surface("plain", n_paths=500).sample(window="24h", term="30d")
    draw_exceedance([Chart(title="24h", curves=[Curve(label="30d", sample=sample)])], tmp_path / "a.png", title=name)
    assert (tmp_path / "a.png").stat().st_size
