"""Check that the distributions in a folder are complete: ``python .ci/check_distributions.py dist``.

The source distribution holds every file that git tracks. The wheel holds every such file of the packages, except for
the sources of compiled modules.
"""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path


def tracked_files():
    """List the files that git tracks, relative to the checkout."""
    return subprocess.run(["git", "ls-files"], check=True, capture_output=True, text=True).stdout.splitlines()


def missing_files(folder):
    """Name the files that the source distribution or the wheel in the folder should hold and does not."""
    (sdist,) = folder.glob("*.tar.gz")
    (wheel,) = folder.glob("*.whl")
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    packages = {path.parent.name for path in Path().glob("*/__init__.py")}
    for name in tracked_files():
        if name not in in_sdist:
            yield f"{sdist.name} lacks {name}"
        if Path(name).parts[0] in packages and not name.endswith(".pyx") and name not in in_wheel:
            yield f"{wheel.name} lacks {name}"


if __name__ == "__main__":
    sys.exit("\n".join(missing_files(Path(sys.argv[1]))) or 0)
