"""Weights from addresses, models of folders, and the bar of a download."""

from __future__ import annotations

import hashlib
import pathlib
import sys

import pytest

import taeda
import taeda.hub
import taeda.utils.model_zoo


def test_weights_are_loaded_once_and_their_hash_is_checked(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "source.pt"
    taeda.save({"w": taeda.arange(3.0)}, source)
    digits = hashlib.sha256(source.read_bytes()).hexdigest()[:8]
    good = source.rename(tmp_path / f"net-{digits}.pth")
    bad = tmp_path / "net-00000000.pth"
    bad.write_bytes(good.read_bytes())
    monkeypatch.setattr(taeda.hub, "_chosen", None)
    monkeypatch.setenv("TAEDA_HOME", str(tmp_path / "home"))
    assert taeda.hub.get_dir() == str(tmp_path / "home" / "hub")
    load = taeda.utils.model_zoo.load_url
    assert load(good.as_uri(), check_hash=True, progress=False)["w"].tolist() == [0, 1, 2]
    kept = tmp_path / "home" / "hub" / "checkpoints" / good.name
    assert kept.exists() and kept.stat().st_mode == bad.stat().st_mode                     # those of any new file
    good.unlink()
    assert load(good.as_uri(), progress=False, map_location="meta")["w"].is_meta           # from the folder
    with pytest.raises(RuntimeError, match=f'expected "00000000", got "{digits}"'):
        load(bad.as_uri(), check_hash=True, progress=False)
    assert [p.name for p in kept.parent.iterdir()] == [kept.name]                          # nothing half done stays
    taeda.hub.set_dir(tmp_path / "other")
    assert taeda.hub.get_dir() == str(tmp_path / "other")
    with pytest.raises(NotImplementedError, match="load_state_dict_from_url"):
        taeda.hub.load("pytorch/vision", "resnet18")


def test_the_bar_of_downloads_counts_where_tqdm_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from taeda.utils import model_zoo

    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    with model_zoo.tqdm(total=3, unit="B") as bar:
        bar.update(2)
        assert (bar.n, bar.total) == (2, 3)
    assert list(model_zoo.tqdm([1, 2])) == [1, 2]


def test_models_of_a_folder_of_ones_own(tmp_path: pathlib.Path) -> None:
    (tmp_path / "helper_of_hubconf.py").write_text("SIZE = 4")
    (tmp_path / "hubconf.py").write_text(
        "import taeda\ndependencies = ['taeda']\nVALUE = 3\n"
        "def tiny(n, scale=1.0):\n    from helper_of_hubconf import SIZE\n    return taeda.full((n, SIZE), scale)\n")
    folder, paths = str(tmp_path), list(sys.path)
    made = taeda.hub.load(folder, "tiny", 2, scale=3.0, source="local", trust_repo=True, verbose=False)
    assert made.shape == (2, 4) and made[0, 0] == 3.0 and sys.path == paths and "hubconf.py" not in sys.modules
    for error, text, call in [
        (RuntimeError, "cannot find callable none", lambda: taeda.hub.load(folder, "none", source="local")),
        (RuntimeError, "cannot find callable VALUE", lambda: taeda.hub.load(folder, "VALUE", source="local")),
        (ValueError, "unknown source", lambda: taeda.hub.load(folder, "tiny", source="other")),
        (ValueError, "name of a function", lambda: taeda.hub.load(folder, 3, source="local")),
        (NotImplementedError, "source='local'", lambda: taeda.hub.load("owner/name", "tiny")),
        (FileNotFoundError, "hubconf", lambda: taeda.hub.load(folder + "/none", "tiny", source="local")),
    ]:
        with pytest.raises(error, match=text):
            call()
    assert sys.path == paths
    (tmp_path / "hubconf.py").write_text("dependencies = ['no_package_of_this_name']\ndef tiny(): pass\n")
    with pytest.raises(RuntimeError, match="missing dependencies: no_package_of_this_name"):
        taeda.hub.load(folder, "tiny", source="local")
