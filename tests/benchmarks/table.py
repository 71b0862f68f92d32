"""Write the tables of docs/performance.md from the figures of a run; see ``make bench``.

Usage: ``python -m tests.benchmarks.table build/benchmark.json``
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from docs.studies.blocks import write_block

BUILDS = {"baseline": "baseline", "avx2": "AVX2", "avx512": "512-bit"}


@dataclass(frozen=True, kw_only=True)
class Table:
    """A head and rows of cells."""

    title: str
    head: list[str]
    rows: list[list[str]]

    def markdown(self):
        widths = [max(map(len, column)) for column in zip(self.head, *self.rows, strict=True)]
        rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
        lines = [line(cells, widths) for cells in (self.head, rule, *self.rows)]
        return "\n".join([f"**{self.title}**", "", *lines, ""])


def line(cells, widths):
    """Write cells in columns, the first to the left and figures to the right."""
    numbers = (cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
    return f"| {' | '.join([cells[0].ljust(widths[0]), *numbers])} |"


def at_most(figure, reach):
    """Write a time against its reach; what misses is bold."""
    if reach is None:
        return f"{figure:.2f}"
    return f"{figure:.2f} ≤ {reach}" if round(figure, 2) <= reach else f"**{figure:.2f} > {reach}**"


def at_least(figure, reach):
    """Write a ratio against its reach; what misses is bold."""
    digits = 0 if figure >= 10.0 else 2
    if reach is None:
        return f"{figure:.{digits}f}"
    reached = round(figure, digits) >= reach
    return f"{figure:.{digits}f} ≥ {reach:g}" if reached else f"**{figure:.{digits}f} < {reach:g}**"


def of_table(runs, name):
    return [run for run in runs if run["extra_info"]["table"] == name]


def nanoseconds(seconds, path_steps):
    return 1e9 * seconds / path_steps


def builds_table(runs):
    figures = {}
    for run in of_table(runs, "builds"):
        info = run["extra_info"]
        figure = nanoseconds(run["stats"]["median"], info["path_steps"])
        figures.setdefault(info["work"], {})[info["build"]] = at_most(figure, info["reach"])
    builds = [name for name in reversed(BUILDS) if any(name in row for row in figures.values())]
    return Table(
        title="The engine on one thread, nanoseconds per path-step",
        head=["work", *(BUILDS[name] for name in builds)],
        rows=[[work, *(row[name] for name in builds)] for work, row in figures.items()],
    )


def opponents_table(runs):
    return Table(
        title="Others on one thread, beside the widest build",
        head=["work", "others", "others, ns", "engine, ns", "times"],
        rows=[opponent_row(run) for run in of_table(runs, "opponents")],
    )


def opponent_row(run):
    info = run["extra_info"]
    theirs = nanoseconds(run["stats"]["median"], info["path_steps"])
    ours = nanoseconds(median(info["engine"]), info["engine_path_steps"])
    return [info["work"], info["against"], f"{theirs:.1f}", f"{ours:.2f}", at_least(theirs / ours, info["reach"])]


def threads_table(runs):
    return Table(
        title="Two threads against one",
        head=["work", "times"],
        rows=[
            [info["work"], at_least(median(info["alone"]) / run["stats"]["median"], info["reach"])]
            for run in of_table(runs, "threads")
            for info in [run["extra_info"]]
        ],
    )


def imports_table(runs):
    return Table(
        title="Imports in a fresh interpreter, `import numpy` = 1",
        head=["statement", "times"],
        rows=[
            [f"`{info['statement']}`", at_most(median(info["ours"]) / median(info["numpy"]), info["reach"])]
            for run in of_table(runs, "import")
            for info in [run["extra_info"]]
        ],
    )


def circumstances(document):
    """Describe the source of the figures, without the name of the machine."""
    machine = document["machine_info"]
    cpu, versions = machine["cpu"], machine["versions"]
    others = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"{cpu['brand_raw']} (family {cpu.get('family', '?')}, model {cpu.get('model', '?')}), {cpu['count']} cores, "
        f"{machine['system']}; engine built by {machine['compiler']}; Python {machine['python_version']}, {others}."
    )


def page(document):
    runs = document["benchmarks"]
    quote = of_table(runs, "quote")[0]["stats"]["median"]
    tables = [make(runs).markdown() for make in (builds_table, opponents_table, threads_table, imports_table)]
    one_quote = f"One quote from a surface of 100,000 paths: {1e6 * quote:.0f} microseconds.\n"
    return "\n".join([circumstances(document), "", *tables, one_quote])


def main(json_path):
    text = page(json.loads(Path(json_path).read_text(encoding="utf-8")))
    write_block("performance.md", "figures", text)
    sys.stdout.write(text)


if __name__ == "__main__":
    main(*sys.argv[1:])
