import subprocess
import sys

import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text

from pricing.errors import MissingLibraryError
from pricing.show import drawing
from tests.checkout import CHECKOUT


@pytest.mark.parametrize(
    ("background", "wanted"),
    [("white", drawing.INK), ("none", drawing.INK), ("#fafafa", drawing.INK), ("black", drawing.PAPER)],
)
def test_text_is_readable_on_light_and_on_dark_pictures(background, wanted):
    axes = Figure(facecolor=background).subplots()
    drawing.plain(axes)
    drawing.label(axes, across="x", up="y")
    drawing.title(axes, "title")
    texts = [axes.xaxis.label, axes.yaxis.label, *(each for each in axes.findobj(Text) if each.get_text() == "title")]
    colours = [*(text.get_color() for text in texts), drawing.ink(axes)]
    assert len(colours) == 4
    assert {to_hex(colour) for colour in colours} == {to_hex(wanted)}


def test_a_name_with_dollar_signs_is_no_formula():
    axes = Figure().subplots()
    drawing.title(axes, "$OM$ and $\\frac$")
    axes.figure.draw_without_rendering()  # a formula that cannot be parsed would raise
    assert axes.get_title(loc="left") == "$OM$ and $\\frac$"


def test_a_band_holds_its_curve():
    axes = Figure().subplots()
    x = np.array([1.0, 2.0])
    drawing.banded(axes, x, x, (x - 0.5, x + 0.5), style=7, name="curve")
    (line,), (band,) = axes.lines, axes.collections
    np.testing.assert_array_equal(line.get_ydata(), x)
    assert band.get_datalim(axes.transData).y0 == 0.5
    assert band.get_datalim(axes.transData).y1 == 2.5
    assert line.get_color() == drawing.STYLES[7 % len(drawing.STYLES)][0]


def test_given_axes_are_used():
    axes = Figure().subplots()
    assert drawing.new_axes(axes, 3.0) is axes


class NoMatplotlib:
    """Finds no matplotlib, as if it were not installed."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if name == "matplotlib":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def test_a_picture_without_matplotlib_is_one_line_that_names_the_extra(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [NoMatplotlib, *sys.meta_path])
    with pytest.raises(MissingLibraryError) as caught:
        drawing.new_axes(None, 3.0)
    assert str(caught.value) == "matplotlib is not installed: pip install 'crashcover[plot]'"


PROGRAM = """
import sys
from pricing import *
model = PriceModel(volatility=ConstantVolatility(annual=1.5), innovations=Normal())
surface = simulate(model, settings=SimulationSettings(n_paths=1000, seed=1))
cover = Cover(cover_id="C", asset="A", trigger=DropTrigger(drop=0.2), payout=FullPayout(), limit=1e5, currency="USD")
quote = Quoter({"A": surface}, PricingBasis()).quote(cover)
assert all(each._repr_html_() for each in (surface, quote, quote.premium))
print(sorted({"matplotlib", "pandas", "scipy.stats"} & set(sys.modules)))
"""


def test_showing_a_result_as_html_imports_neither_matplotlib_nor_pandas():
    program = [sys.executable, "-c", PROGRAM]
    assert subprocess.run(program, check=True, capture_output=True, text=True, cwd=CHECKOUT).stdout == "[]\n"
