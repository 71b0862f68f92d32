"""Stores that somebody has written to: files swapped, cut, replaced by links and pipes, manifests of other releases."""

import hashlib
import json
import os
import shutil
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pytest

from pricing import RateQuoter, verify
from pricing.errors import (
    CorruptSurfaceError,
    NewerFormatError,
    PricingError,
    RateStoreError,
    UnknownAssetError,
)
from pricing.rates.publishing import prune, publish
from pricing.rates.store import RateStore, current_version, open_version, read_current, versions
from tests.pricing.rates.store_worlds import KEY, NOON, constant_surface, make_cover, make_entry

SURFACES = {level: constant_surface(level) for level in (1, 2)}
UNIX = pytest.mark.skipif(sys.platform == "win32", reason="links and pipes are of Unix")
NIGHTS = [f"2026-11-{day:02d}T00:00:00+00:00" for day in range(1, 31)]


def publish_night(folder, name="night-1", *, level=1, assets=("OM", "LUNA"), **changes):
    return publish(folder, ((make_entry(asset, **changes), SURFACES[level]) for asset in assets), name=name)


def seal(manifest):
    return hashlib.sha256(json.dumps(manifest, sort_keys=True).encode()).hexdigest()


def rewrite(folder, change, name="night-1"):
    """Change a manifest and seal it again, as anybody can who may write to the store."""
    path = folder / name / "manifest.json"
    manifest = json.loads(path.read_text())["manifest"]
    change(manifest)
    path.write_text(json.dumps({"sha256": seal(manifest), "manifest": manifest}))


def write_format_1(folder, *, files=None):
    """Write a store as releases 0.2.0 and 0.3.0 did, by a second hand."""
    version = folder / "night-1"
    version.mkdir(parents=True)
    entries, listed = [], []
    for number, (asset, level) in enumerate((("OM", 1), ("LUNA", 2))):
        name = f"{number:05d}.surface"
        SURFACES[level].save(version / name)
        entries.append(asdict(make_entry(asset)))
        listed.append([name, hashlib.sha256((version / name).read_bytes()).hexdigest()])
    for place, name in (files or {}).items():
        listed[place][0] = name
    manifest = {"format": "crashcover rates 1", "version": "night-1", "entries": entries, "files": listed}
    (version / "manifest.json").write_text(json.dumps({"sha256": seal(manifest), "manifest": manifest}))
    (folder / "CURRENT").write_text("night-1\n")


def probability(folder, asset):
    return RateQuoter(folder).quote(make_cover(asset=asset), at=NOON).premium.trigger_probability


# --- formats ---------------------------------------------------------------------------------------------


def test_a_store_of_format_1_opens_and_is_followed_by_one_of_format_2(tmp_path):
    write_format_1(tmp_path)
    assert probability(tmp_path, "OM") == pytest.approx(0.01)
    assert probability(tmp_path, "LUNA") == pytest.approx(0.02)
    quoter = RateQuoter(tmp_path, key=KEY)
    verify(quoter.quote(make_cover(), at=NOON), KEY, at=NOON)
    publish_night(tmp_path, "night-2", level=2)
    assert quoter.refresh()
    assert quoter.version == "night-2"
    assert versions(tmp_path) == ["night-1", "night-2"]


@pytest.mark.parametrize(
    "name", ["../../outside.surface", "/dev/zero", "", "surfaces", "0.surface", "00000.surface/.."]
)
def test_names_of_files_are_those_that_were_given(tmp_path, name):
    write_format_1(tmp_path, files={0: name})
    with pytest.raises(RateStoreError, match=r"a file must be named like 00001\.surface"):
        RateStore.open(tmp_path)


def test_a_manifest_of_a_newer_release_says_so(tmp_path):
    publish_night(tmp_path)
    rewrite(tmp_path, lambda manifest: manifest.update(format="crashcover rates 3", colour="red"))
    for read in (RateStore.open, RateQuoter):
        with pytest.raises(NewerFormatError, match="format is 'crashcover rates 3', this release reads rates up to 2"):
            read(tmp_path)
    assert versions(tmp_path) == []  # and so it is never pruned


def test_a_surface_of_a_newer_release_says_so(tmp_path):
    publish_night(tmp_path)
    path = tmp_path / "night-1" / "surfaces"
    text = path.read_bytes().replace(b"crashcover compact surface 1", b"crashcover compact surface 2")
    places = [(place.start, place.length) for place in RateStore.open(tmp_path).places.values()]
    content, sums = bytearray(text), []
    for asset, (start, length) in zip(("OM", "LUNA"), places, strict=True):
        digest = hashlib.sha256(content[start : start + length - 32]).digest()
        content[start + length - 32 : start + length] = digest
        sums.append(hashlib.sha256(asset.encode() + b"\0" + digest).hexdigest())
    path.write_bytes(content)
    rewrite(
        tmp_path,
        lambda manifest: manifest.update(surfaces=[[*place, total] for place, total in zip(places, sums, strict=True)]),
    )
    with pytest.raises(NewerFormatError, match="this release reads compact surface up to 1"):
        RateQuoter(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        lambda manifest: manifest["entries"][0].update(colour="red"),
        lambda manifest: manifest["entries"][0].pop("status"),
        lambda manifest: manifest.update(entries=[], surfaces=[]),
        lambda manifest: manifest["entries"][1].update(asset="OM"),
        lambda manifest: manifest["surfaces"].pop(),
        lambda manifest: manifest["surfaces"][0].__setitem__(0, 32),
        lambda manifest: manifest["surfaces"][0].__setitem__(0, -64),
        lambda manifest: manifest["surfaces"][0].__setitem__(1, 10**12),
        lambda manifest: manifest["surfaces"][0].append(1),
        lambda manifest: manifest["surfaces"][0].__setitem__(0, 0.0),
        lambda manifest: manifest["surfaces"][0].__setitem__(1, 64.0),
        lambda manifest: manifest["surfaces"][0].__setitem__(1, True),
        lambda manifest: manifest.update(length=str(manifest["length"])),
        lambda manifest: manifest.update(number=1.5),
        lambda manifest: manifest.update(surfaces={"OM": 1}),
        lambda manifest: manifest.update(length="x"),
        lambda manifest: manifest.update(number=None),
        lambda manifest: manifest.update(version="night-2"),
        lambda manifest: manifest.update(format=2),
        lambda manifest: manifest.update(entries=[3]),
        lambda manifest: manifest["entries"][0].update(as_of="0001-01-01T00:00:00+00:00"),
        lambda manifest: manifest["entries"][0].update(asset="x" * 1_001),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused_with_an_error_of_ours(tmp_path, change):
    publish_night(tmp_path)
    rewrite(tmp_path, change)
    with pytest.raises(RateStoreError, match=r"manifest\.json is missing or damaged"):
        RateStore.open(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "3", "{", "[" * 10_000, '{"manifest": 3}', '{"manifest": {}}', "\udcff"])
def test_a_text_that_is_no_manifest_is_refused_with_an_error_of_ours(tmp_path, text):
    publish_night(tmp_path)
    (tmp_path / "night-1" / "manifest.json").write_text(text, errors="surrogateescape")
    with pytest.raises(RateStoreError, match=r"manifest\.json is missing or damaged"):
        RateStore.open(tmp_path)


# --- files -----------------------------------------------------------------------------------------------


def test_a_surface_is_bound_to_its_asset(tmp_path):
    publish(tmp_path, [(make_entry("OM"), SURFACES[1]), (make_entry("LUNA"), SURFACES[2])], name="night-1")
    rewrite(tmp_path, lambda manifest: manifest["surfaces"].reverse())
    with pytest.raises(RateStoreError, match="'OM' must have the checksum"):
        RateQuoter(tmp_path)


@UNIX
@pytest.mark.parametrize("kind", ["link", "pipe", "folder", "device"])
@pytest.mark.parametrize("name", ["night-1/surfaces", "night-1/manifest.json", "CURRENT"])
def test_what_is_no_regular_file_is_not_followed(tmp_path, name, kind):
    publish_night(tmp_path / "rates")
    path = tmp_path / "rates" / name
    path.rename(tmp_path / "elsewhere")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "elsewhere" if kind == "link" else "/dev/zero")
    with pytest.raises(RateStoreError):
        RateQuoter(tmp_path / "rates")


@UNIX
def test_a_version_that_is_a_link_is_not_followed(tmp_path):
    publish_night(tmp_path / "rates")
    (tmp_path / "rates" / "night-1").rename(tmp_path / "night-1")
    (tmp_path / "rates" / "night-1").symlink_to(tmp_path / "night-1")
    with pytest.raises(RateStoreError, match="must be a folder and not a link"):
        RateQuoter(tmp_path / "rates")


def test_what_was_cut_or_written_to_in_place_is_found_at_a_refresh(tmp_path):
    for number, harm in enumerate(("cut", "overwritten")):
        folder = tmp_path / str(number)
        publish_night(folder)
        quoter = RateQuoter(folder)
        assert not quoter.refresh()
        path = folder / "night-1" / "surfaces"
        times = (path.stat().st_atime_ns, path.stat().st_mtime_ns)
        with path.open("r+b") as file:
            if harm == "cut":
                file.truncate(path.stat().st_size // 2)
            else:
                file.seek(path.stat().st_size // 4)
                file.write(b"\x3f" * 64)
        os.utime(path, ns=times)
        with pytest.raises(RateStoreError, match="must have the checksum|must have .* bytes|checksum does not match"):
            _refresh_or_corrupt(quoter)
        with pytest.raises(UnknownAssetError, match="must be one of the 0 with a rate"):
            quoter.quote(make_cover(), at=NOON)


def _refresh_or_corrupt(quoter):
    try:
        quoter.refresh()
    except CorruptSurfaceError as error:
        raise RateStoreError(str(error)) from error


def test_a_file_whose_times_alone_have_changed_stays_in_use(tmp_path):
    publish_night(tmp_path)
    quoter = RateQuoter(tmp_path)
    os.utime(tmp_path / "night-1" / "surfaces", (1, 1))
    assert not quoter.refresh()
    assert quoter.quote(make_cover(), at=NOON).version == "night-1"


def test_a_version_that_was_deleted_stays_in_use(tmp_path):
    publish_night(tmp_path)
    quoter = RateQuoter(tmp_path)
    shutil.rmtree(tmp_path / "night-1")
    assert not quoter.refresh()
    assert quoter.quote(make_cover(), at=NOON).version == "night-1"


@UNIX
def test_a_mapped_version_holds_one_descriptor_however_many_tokens_there_are(tmp_path):
    publish_night(tmp_path, assets=[f"T{number}" for number in range(100)])
    held = len(list(Path("/proc/self/fd").iterdir())) if sys.platform == "linux" else 200
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + 20, hard))
    try:
        quoter = RateQuoter(tmp_path)
        for number in range(2, 12):
            publish_night(tmp_path, f"night-{number}", assets=[f"T{number}" for number in range(100)])
            assert quoter.refresh()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(quoter.entries) == 100


# --- order -----------------------------------------------------------------------------------------------


def test_a_slow_publisher_of_an_older_night_does_not_end_in_force(tmp_path):
    publish_night(tmp_path, "new", as_of=NIGHTS[20])
    with pytest.raises(RateStoreError, match="the night of 'old' must not be before 2026-11-21"):
        publish_night(tmp_path, "old", as_of=NIGHTS[19])
    assert current_version(tmp_path) == "new"
    publish_night(tmp_path, "again", as_of=NIGHTS[20])
    assert current_version(tmp_path) == "again"
    assert versions(tmp_path) == ["old", "new", "again"]


def test_versions_are_pruned_by_their_nights_and_not_by_a_clock(tmp_path):
    for day in (3, 4, 5, 6):
        publish_night(tmp_path, f"night-{day}", as_of=NIGHTS[day])
    for day in (3, 4, 5, 6):  # a clock that was set back, and copies that were restored the other way round
        os.utime(tmp_path / f"night-{day}" / "manifest.json", (10_000 - day, 10_000 - day))
    assert prune(tmp_path, keep=1) == ["night-3", "night-4"]
    assert versions(tmp_path) == ["night-5", "night-6"]


def test_readers_open_a_whole_version_while_others_are_published_and_pruned(tmp_path):
    publish_night(tmp_path, "night-0")
    stop, failures, opened = threading.Event(), [], set()

    def read():
        try:
            while not stop.is_set():
                opened.add(RateQuoter(tmp_path).version)
        except PricingError as error:
            failures.append(error)

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(1, 21):
        publish_night(tmp_path, f"night-{number}")
        prune(tmp_path, keep=1)
    stop.set()
    for reader in readers:
        reader.join()
    assert not failures
    assert len(opened) > 1
    assert versions(tmp_path) == ["night-19", "night-20"]


def test_a_version_that_goes_between_two_looks_is_looked_for_once_more(tmp_path):
    publish_night(tmp_path, "night-1")
    (tmp_path / "CURRENT").write_text("night-1\n")
    seen = []

    def read(store):
        seen.append(store.version)
        if len(seen) == 1:
            publish_night(tmp_path, "night-2")
            shutil.rmtree(tmp_path / "night-1")
            raise RateStoreError("gone")
        return store.version

    assert read_current(tmp_path, read) == "night-2"
    assert seen == ["night-1", "night-2"]


def test_the_next_publisher_sweeps_what_a_dead_one_left_and_nothing_of_one_that_lives(tmp_path):
    publish_night(tmp_path, "night-1")
    for name in ("night-2.abc.part", "night-0.part"):
        shutil.copytree(tmp_path / "night-1", tmp_path / name)
    (tmp_path / "CURRENT.17-4.part").write_text("night-2\n")

    def rates():
        yield make_entry("OM"), SURFACES[1]
        publish_night(tmp_path, "night-2")  # another publisher, while this one is at work
        yield make_entry("LUNA"), SURFACES[2]

    publish(tmp_path, rates(), name="night-3")
    assert sorted(path.name for path in tmp_path.iterdir() if path.name[0] != ".") == [
        "CURRENT",
        "night-1",
        "night-2",
        "night-3",
    ]
    assert open_version(tmp_path, "night-3").number == 3


@pytest.mark.parametrize("name", ["x" * 201, "\ud800", "ö" * 101])
def test_a_name_fits_a_file_system(tmp_path, name):
    with pytest.raises(RateStoreError, match="name must be a text of at most 200 bytes"):
        publish_night(tmp_path, name)
