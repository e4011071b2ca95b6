"""The package beside core: versions must match, and the namespace's file is core's."""

import importlib

import pytest

import taeda
import taeda.data


@pytest.mark.parametrize("found", [None, "9.9.9"])
def test_another_core_is_refused_with_the_cure(monkeypatch, found):
    if found is None:
        monkeypatch.delattr(taeda, "__version__")
    else:
        monkeypatch.setattr(taeda, "__version__", found)
    with pytest.raises(ImportError, match=r"taeda-data 0\.1\.0 .*pip install taeda-core==0\.1\.0") as caught:
        importlib.reload(taeda.data)
    assert (f"taeda-core {found} is installed" if found else "taeda-core is not installed") in str(caught.value)


def test_every_public_name_is_there():
    assert all(hasattr(taeda.data, name) for name in taeda.data.__all__)


def test_pytorchs_name_for_the_package_is_the_same_modules():
    import taeda.utils.data
    from taeda.utils.data import DataLoader
    from taeda.utils.data.dataset import random_split
    from taeda.utils.data.distributed import DistributedSampler

    assert taeda.utils.data is taeda.data
    assert DataLoader is taeda.data.DataLoader and random_split is taeda.data.random_split
    assert DistributedSampler is taeda.data.DistributedSampler


def test_pytorchs_private_place_of_collation_holds_the_same_table():
    from taeda.data._utils.collate import default_collate_err_msg_format, default_collate_fn_map
    from taeda.utils.data._utils.collate import collate

    assert default_collate_fn_map is taeda.data.collate.default_collate_fn_map and collate is taeda.data.collate.collate
    assert default_collate_err_msg_format.format(set).endswith("numbers, dicts or lists; found <class 'set'>")
    assert taeda.utils.data._utils.worker.get_worker_info is taeda.data.get_worker_info
    table = {**taeda.data._utils.collate.default_collate_fn_map, str: lambda batch, *, collate_fn_map: "+".join(batch)}
    assert collate([("a", 1), ("b", 2)], collate_fn_map=table)[0] == "a+b"


def test_a_star_import_of_the_loaders_file_brings_what_programs_take_from_there():
    names = {}
    exec("from taeda.data.dataloader import *", names)
    assert all(names[name] is getattr(taeda.data, name) for name in ("DataLoader", "default_collate", "default_convert", "get_worker_info"))
