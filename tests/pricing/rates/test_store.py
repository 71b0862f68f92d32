import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from unittest import mock

import numpy as np
import pytest

from pricing.errors import CorruptSurfaceError, RateStoreError, UnknownAssetError
from pricing.rates import publishing
from pricing.rates.publishing import prune, publish
from pricing.rates.store import RateStore, current_version, open_version, versions
from pricing.tools.whole_files import sweep
from tests.checkout import CHECKOUT
from tests.pricing.rates.store_worlds import constant_surface, damage, make_entry, simulate_surface

SURFACES = {level: constant_surface(level) for level in range(1, 4)}


def publish_level(folder, level, *, assets=("OM", "1INCH", "a/b $")):
    rates = ((make_entry(asset, calibration_id=f"calibration-{level}"), SURFACES[level]) for asset in assets)
    return publish(folder, rates, name=f"night-{level}")


def seen(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def level_of(store, asset):
    return 100 * store.surface(asset).exceedance(0.4).value


def test_what_was_published_is_read(tmp_path):
    published = publish_level(tmp_path / "rates", 2)
    store = RateStore.open(tmp_path / "rates")
    assert store == published
    assert store.version == "night-2"
    assert list(store.entries) == ["OM", "1INCH", "a/b $"]
    assert store.entries["OM"] == make_entry("OM", calibration_id="calibration-2")
    assert store.calibration_id("1INCH") == "calibration-2"
    assert level_of(store, "a/b $") == pytest.approx(2.0, rel=1e-12)


def test_the_last_published_version_is_in_force_and_others_stay_open(tmp_path):
    first = publish_level(tmp_path, 1)
    mapped = first.surface("OM")
    publish_level(tmp_path, 2)
    assert level_of(RateStore.open(tmp_path), "OM") == pytest.approx(2.0)
    assert level_of(open_version(tmp_path, "night-1"), "OM") == pytest.approx(1.0)
    publish_level(tmp_path, 3)
    assert versions(tmp_path) == ["night-1", "night-2", "night-3"]
    assert prune(tmp_path, keep=1) == ["night-1"]
    assert versions(tmp_path) == ["night-2", "night-3"]  # readers may be opening the one before
    # Who has a pruned version mapped still reads it.
    assert 100 * mapped.exceedance(0.4).value == pytest.approx(1.0)


def test_the_version_in_force_is_never_pruned(tmp_path):
    publish_level(tmp_path, 1)
    publish_level(tmp_path, 2)
    (tmp_path / "CURRENT").write_text("night-1\n", encoding="utf-8")  # an operator goes back
    assert prune(tmp_path, keep=1) == []
    assert RateStore.open(tmp_path).version == "night-1"
    with pytest.raises(RateStoreError, match="keep must be at least 1, got 0"):
        prune(tmp_path, keep=0)


def test_what_else_lies_in_the_folder_is_no_version(tmp_path):
    for level in (1, 2, 3):
        publish_level(tmp_path, level)
    others = [tmp_path / "priced", tmp_path / "backup"]
    others[0].mkdir()
    (others[0] / "manifest.json").write_text('{"rates": "night-1", "version": "priced"}')
    shutil.copytree(tmp_path / "night-1", others[1])
    assert versions(tmp_path) == ["night-1", "night-2", "night-3"]
    assert prune(tmp_path, keep=1) == ["night-1"]
    assert all((other / "manifest.json").exists() for other in others)


def test_a_damaged_version_is_pruned_like_others(tmp_path):
    for level in (1, 2, 3):
        publish_level(tmp_path, level)
    manifest = tmp_path / "night-1" / "manifest.json"
    manifest.write_text(manifest.read_text().replace("2026", "2027"))
    assert prune(tmp_path, keep=1) == ["night-1"]


def test_a_publication_that_fails_half_way_changes_nothing(tmp_path):
    publish_level(tmp_path, 1)

    def rates():
        yield make_entry("OM"), SURFACES[2]
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        publish(tmp_path, rates(), name="night-2")
    assert RateStore.open(tmp_path).version == "night-1"
    publish_level(tmp_path, 2)  # the name was not used up
    assert level_of(RateStore.open(tmp_path), "OM") == pytest.approx(2.0)


@pytest.mark.parametrize(
    "name",
    ["", "  ", ".", "..", "a/b", "../up", "/tmp/up", "a\\b", "CURRENT", "night ", " night", "a\nb", "a\0b", "a.part"],
)
def test_a_name_must_be_that_of_a_folder(tmp_path, name):
    with pytest.raises(RateStoreError, match="name must be the name of a folder"):
        publish(tmp_path, [(make_entry(), SURFACES[1])], name=name)


def test_a_name_and_an_asset_come_once(tmp_path):
    publish_level(tmp_path, 1)
    with pytest.raises(RateStoreError, match="name must be new, got 'night-1'"):
        publish_level(tmp_path, 1)
    with pytest.raises(RateStoreError, match="asset must occur once in a version, got 'OM' twice"):
        publish_level(tmp_path, 2, assets=("OM", "OM"))
    assert RateStore.open(tmp_path).version == "night-1"


def test_an_empty_store_and_an_unknown_asset_are_refused(tmp_path):
    with pytest.raises(RateStoreError, match="nothing has been published there"):
        RateStore.open(tmp_path)
    store = publish_level(tmp_path, 1)
    for read in (store.surface, store.entry, store.calibration_id):
        with pytest.raises(UnknownAssetError, match="asset must be one of the 3 with a rate, got 'XYZ'"):
            read("XYZ")


def test_damage_to_any_file_is_found(tmp_path):
    store = publish_level(tmp_path, 1)
    content = bytearray((tmp_path / "night-1" / "surfaces").read_bytes())
    for place in store.places.values():
        content[place.start + place.length // 2] ^= 1
    (tmp_path / "night-1" / "surfaces").write_bytes(content)
    for asset in store.entries:
        with pytest.raises((RateStoreError, CorruptSurfaceError)):
            store.surface(asset)
    damage(tmp_path / "night-1" / "manifest.json")
    with pytest.raises(RateStoreError, match=r"manifest\.json is missing or damaged"):
        RateStore.open(tmp_path)


def test_a_surface_of_another_version_is_found(tmp_path):
    # A file that is whole, only not the one that the manifest means.
    store = publish_level(tmp_path, 1)
    publish_level(tmp_path, 2)
    (tmp_path / "night-2" / "surfaces").replace(tmp_path / "night-1" / "surfaces")
    with pytest.raises(RateStoreError, match="must have the checksum"):
        store.surface("OM")
    with pytest.raises(RateStoreError, match="is missing"):
        RateStore.open(tmp_path).surface("OM")


def test_a_manifest_that_was_edited_is_found(tmp_path):
    publish_level(tmp_path, 1)
    path = tmp_path / "night-1" / "manifest.json"
    sealed = json.loads(path.read_text(encoding="utf-8"))
    sealed["manifest"]["entries"][0]["valid_until"] = "2027-01-01T00:00:00+00:00"
    path.write_text(json.dumps(sealed), encoding="utf-8")
    with pytest.raises(RateStoreError, match="its checksum does not match"):
        RateStore.open(tmp_path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"status": "old"}, "status must be one of fresh, stale, suspended, got 'old'"),
        ({"as_of": "yesterday"}, "as_of must be an ISO 8601 time"),
        ({"as_of": None}, "as_of must be an ISO 8601 time"),
        ({"valid_until": "2026-11-23T06:00:00"}, "valid_until must have an offset from UTC"),
        ({"surface_id": " "}, "surface_id must be a text that is not empty"),
        ({"verdict": "one text"}, "verdict must be a sequence of texts"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(changes, message):
    with pytest.raises(RateStoreError, match=message):
        make_entry(**changes)


PUBLISHER = """
import sys
from itertools import count
from tests.pricing.rates.test_store import SURFACES, make_entry, publish

for number in count(int(sys.argv[2])):
    level = 1 + number % 3
    rates = ((make_entry(f"T{asset}", calibration_id=f"calibration-{level}"), SURFACES[level]) for asset in range(12))
    publish(sys.argv[1], rates, name=f"night-{number}")
    print(number, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is of Unix")
def test_a_publisher_that_is_killed_leaves_a_whole_version(tmp_path):
    # Four publishers are killed, each in another quarter of the time that two publications take.
    moments = random.Random(11)
    next_number = 0
    for quarter in range(4):
        command = [sys.executable, "-c", PUBLISHER, str(tmp_path), str(next_number)]
        with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE, text=True) as publisher:
            began = time.monotonic()
            finished = [int(publisher.stdout.readline())]
            time.sleep(0.15 * (quarter + moments.random()) / 4)
            os.kill(publisher.pid, signal.SIGKILL)
            finished += [int(line) for line in publisher.stdout]
            assert time.monotonic() - began < 60.0
        store = RateStore.open(tmp_path)
        number = int(store.version.removeprefix("night-"))
        assert number in {finished[-1], finished[-1] + 1}  # it may die between publishing and saying so
        assert len(store.entries) == 12
        assert {round(level_of(store, asset), 9) for asset in store.entries} == {1.0 + number % 3}
        next_number = number + 2  # the name after it may be half written, and need not be written again
        assert current_version(tmp_path) == store.version


def test_what_a_publisher_began_can_be_completed_under_the_same_name(tmp_path, monkeypatch):
    publish_level(tmp_path, 1)
    write_text = publishing.write_text

    def die_before_the_end(path, text, **options):
        if path.name == "CURRENT":
            raise KeyboardInterrupt
        write_text(path, text, **options)

    monkeypatch.setattr(publishing, "write_text", die_before_the_end)
    with pytest.raises(KeyboardInterrupt):
        publish_level(tmp_path, 2)
    monkeypatch.undo()
    assert RateStore.open(tmp_path).version == "night-1"
    assert level_of(publish_level(tmp_path, 2), "OM") == pytest.approx(2.0)
    assert seen(tmp_path) == ["CURRENT", "night-1", "night-2"]


def test_a_publisher_that_was_killed_leaves_no_version(tmp_path):
    publish_level(tmp_path, 1)
    (tmp_path / "night-1").rename(tmp_path / "night-2.abc.part")  # whole, but without its name
    publish_level(tmp_path, 2)
    assert versions(tmp_path) == ["night-2"]


def test_a_prune_that_was_stopped_leaves_nothing_that_a_sweep_does_not_find(tmp_path, monkeypatch):
    for level in (3, 1, 2):
        publish_level(tmp_path, level)
    monkeypatch.setattr(publishing.shutil, "rmtree", mock.Mock(side_effect=KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        prune(tmp_path, keep=1)
    monkeypatch.undo()
    assert versions(tmp_path) == ["night-1", "night-2"]
    sweep(tmp_path)
    assert seen(tmp_path) == ["CURRENT", "night-1", "night-2"]


def test_of_two_publishers_under_one_name_the_second_is_refused(tmp_path):
    publish_level(tmp_path, 3)

    def rates():
        yield make_entry("OM"), SURFACES[1]
        publish_level(tmp_path, 2)
        yield make_entry("1INCH"), SURFACES[1]

    with pytest.raises(RateStoreError, match="name must be new, got 'night-2'"):
        publish(tmp_path, rates(), name="night-2")
    store = RateStore.open(tmp_path)
    assert store.version == "night-2"
    assert [level_of(store, asset) for asset in store.entries] == pytest.approx([2.0, 2.0, 2.0])
    assert seen(tmp_path) == ["CURRENT", "night-2", "night-3"]


def test_a_surface_of_all_paths_is_refused(tmp_path):
    surface = simulate_surface("plain", n_paths=1_000)
    with pytest.raises(RateStoreError, match=r"surface of 'OM' must be a CompactSurface, got DropSurface \(compact it"):
        publish(tmp_path, [(make_entry(), surface)], name="night-1")
    assert not seen(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\n", b"../night-1\n", b"", b"\n", b"/night-1"])
def test_damage_to_the_name_of_the_version_in_force_is_found(tmp_path, content):
    publish_level(tmp_path, 1)
    (tmp_path / "CURRENT").write_bytes(content)
    with pytest.raises(RateStoreError, match="CURRENT (is damaged|must be the name of a folder)"):
        RateStore.open(tmp_path)


def test_surfaces_are_mapped_and_not_read(tmp_path):
    store = publish_level(tmp_path, 1)
    columns = store.surface("OM").tails[0].columns
    base = columns
    while base.base is not None and not isinstance(base, np.memmap):
        base = base.base
    assert isinstance(base, np.memmap)
