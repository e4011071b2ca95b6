"""Checkpoints: what goes in comes out, a file is replaced whole, pickles and copies keep what is shared."""

from __future__ import annotations

import collections
import copy
import errno
import io
import os
import pathlib
import pickle
import re
import stat
import struct
import sys
import types
import zipfile
from typing import Any

import pytest

import taeda
from checkpoints import Mine, archive, around, saved, text
from taeda import serialization
from taeda.serialization import zip_archive
from taeda.serialization.rebuild import set_attributes

# -- what goes in comes out --------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("shape", [(), (3,), (0, 2), (2, 3, 4)])
def test_tensors(dtype: str, shape: tuple[int, ...]) -> None:
    x = (taeda.rand(shape) * 2).to(getattr(taeda, dtype))
    y = around(x)
    assert (y.dtype, y.shape, y.stride()) == (x.dtype, x.shape, x.stride()) and taeda.equal(x, y)


def test_plain_data() -> None:
    obj = {
        "n": None, "b": True, "i": -3, "big": 2**90, "f": 0.5, "c": 1 + 2j, "s": "\u00e9\U0001f332", "y": b"\0\xff",
        "t": ((), (1,), (1, 2, 3, 4)), "l": [[]], "set": {1, 2}, "fs": frozenset({3}), "ba": bytearray(b"xy"),
        1: {2.5: {}}, (1, 2): "tuple", "dtype": taeda.float64, "device": taeda.device("cpu"), "inf": float("inf"),
    }  # fmt: skip
    assert around(obj) == obj
    size = around(taeda.zeros(2, 3).shape)
    assert type(size) is taeda.Size and size == (2, 3)
    assert around(collections.Counter("aab")) == {"a": 2, "b": 1}


def test_views_share_their_storage_again() -> None:
    x = taeda.arange(12.0).reshape(3, 4)
    y, rows, t = around((x, x[1:], x.t()))
    assert y.untyped_storage() is rows.untyped_storage() is t.untyped_storage()
    assert rows.storage_offset() == 4 and t.stride() == (1, 4) and taeda.equal(t, x.t())
    y[1, 0] = 77
    assert rows[0, 0] == 77 and t[0, 1] == 77


def test_one_object_stays_one() -> None:
    x = taeda.ones(2)
    a, b = around([x, x])
    assert a is b


def test_gradients_wanted_and_attributes() -> None:
    x = taeda.ones(2, requires_grad=True)
    x.note = "kept"
    y = around(x)
    assert y.requires_grad and y.is_leaf and y.note == "kept"
    assert not around(taeda.ones(2)).requires_grad
    x.diag = taeda.zeros(1)                                              # also one that hides a method
    assert around(x).diag.tolist() == [0.0]


@pytest.mark.parametrize("name", ["data", "grad", "requires_grad", "__class__", "__init__", "_backward_hooks"])
def test_an_attribute_that_would_do_something_is_not_set(name: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match=f"a tensor cannot be given the attribute '{name}'"):
        set_attributes(taeda.ones(2), {name: taeda.zeros(2)})


def test_ordered_dict_with_metadata() -> None:
    state = collections.OrderedDict(w=taeda.ones(2))
    state._metadata = collections.OrderedDict({"": {"version": 1}})
    found = around(state)
    assert type(found) is collections.OrderedDict and found._metadata == {"": {"version": 1}}


def test_meta_tensors_have_no_record() -> None:
    file = saved(taeda.empty(2, 3, device="meta").t())
    assert not [n for n in zipfile.ZipFile(file).namelist() if "/data/" in n]
    file.seek(0)
    x = taeda.load(file)
    assert x.device.type == "meta" and x.stride() == (1, 3)


def test_storages() -> None:
    storage = around(taeda.arange(3).untyped_storage())
    assert storage.nbytes() == 24 and bytes(memoryview(storage))[8] == 1


def test_one_storage_in_two_dtypes_is_refused() -> None:
    x = taeda.zeros(4)
    y = taeda.empty(0, dtype=taeda.int32).set_(x.untyped_storage(), 0, (4,), (1,))
    with pytest.raises(RuntimeError, match="view the same data as different types: float32 and int32"):
        saved([x, y])


def test_a_file_that_cannot_seek_says_what_to_do() -> None:
    pipe = types.SimpleNamespace(read=lambda n=-1: b"", readline=lambda: b"")
    with pytest.raises(AttributeError, match="from a file that is seekable. Please pre-load the data into a buffer like io.BytesIO"):
        taeda.load(pipe)


def test_classes_of_the_user() -> None:
    file = saved(Mine(taeda.ones(2)))
    with pytest.raises(pickle.UnpicklingError, match=r"checkpoints\.Mine"):
        taeda.load(file)
    file.seek(0)
    assert taeda.equal(taeda.load(file, weights_only=False).x, taeda.ones(2))
    file.seek(0)
    with serialization.safe_globals(safe_globals=[Mine]):
        assert taeda.equal(taeda.load(file).x, taeda.ones(2))
    assert Mine not in serialization.get_safe_globals()
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError):
        taeda.load(file)


class Reduced:
    """What reduces itself to a call of a rebuilding function, as PyTorch's programs do."""

    def __init__(self, x: Any) -> None:
        self.x = x

    def __reduce_ex__(self, protocol: Any) -> Any:
        if self.x.is_sparse:
            return taeda._utils._rebuild_sparse_tensor, (self.x.layout, (self.x._indices(), self.x._values(), self.x.size()))
        typed = taeda.storage.TypedStorage(wrap_storage=self.x.untyped_storage(), dtype=self.x.dtype)
        return taeda._utils._rebuild_tensor_v2, (typed, 0, tuple(self.x.shape), self.x.stride(), False, {})


def test_rebuilding_functions_go_by_pytorchs_names() -> None:
    x = taeda.eye(2)
    file = saved([Reduced(x), Reduced(x + 1), Reduced(x.to_sparse())])
    with zipfile.ZipFile(file) as archive:
        text = archive.read(next(name for name in archive.namelist() if name.endswith("data.pkl")))
    assert b"taeda" not in text and b"ctorch._utils\n_rebuild_tensor_v2" in text and b"ctorch._utils\n_rebuild_sparse_tensor" in text
    file.seek(0)
    a, b, c = taeda.load(file)
    assert a.tolist() == x.tolist() and b.tolist() == (x + 1).tolist() and c.is_sparse and c.to_dense().tolist() == x.tolist()


class Special(taeda.Tensor):
    """A tensor class of the user's."""


def test_tensor_classes_of_the_user() -> None:
    x = taeda.ones(2).as_subclass(Special)
    x.note = [1]
    file = saved({"x": x, "same": x})
    with pytest.raises(pickle.UnpicklingError, match=r"test_serialization\.Special"):
        taeda.load(file)
    file.seek(0)
    with serialization.safe_globals([Special]):
        found = taeda.load(file)
    assert type(found["x"]) is Special and found["x"].note == [1] and found["x"] is found["same"]


def test_hooks_of_tensors_are_left_out_with_a_warning() -> None:
    x = taeda.ones(2, requires_grad=True)
    x.register_hook(taeda.utils.hooks.unserializable_hook(lambda g: g))
    saved(x)
    x.register_hook(lambda g: g * 2)
    with pytest.warns(UserWarning, match="^backward hook <function .* on tensor will not be serialized"):
        file = saved(x)
    assert not taeda.load(file)._backward_hooks


def test_globals_are_allowed_by_the_names_that_they_have_today() -> None:
    """Protocol 2 writes collections.UserDict as UserDict.IterableUserDict."""
    file = saved([collections.UserDict(a=1), range(3)])
    assert serialization.get_unsafe_globals_in_checkpoint(file) == ["builtins.range", "collections.UserDict"]
    with serialization.safe_globals([collections.UserDict, range]):
        assert serialization.get_unsafe_globals_in_checkpoint(file) == []
        file.seek(0)
        assert taeda.load(file) == [collections.UserDict(a=1), range(3)]


# -- the file ----------------------------------------------------------------------------------------


def test_layout_of_the_file_is_pytorchs(tmp_path: Any) -> None:
    path = tmp_path / "model.best.pt"
    x = taeda.arange(5.0)
    taeda.save({"a": x, "b": x[1:], "c": taeda.ones(3)}, path)
    with zipfile.ZipFile(path) as z:
        assert z.testzip() is None
        names = ["data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "data/1", "version"]
        assert z.namelist() == ["model.best/" + n for n in names]
        assert z.read("model.best/version") == b"3\n" and z.read("model.best/byteorder") == sys.byteorder.encode()
        data = path.read_bytes()
        for info in z.infolist():
            assert info.compress_type == zipfile.ZIP_STORED
            lengths = struct.unpack_from("<HH", data, info.header_offset + 26)
            assert (info.header_offset + 30 + sum(lengths)) % 64 == 0
    assert b"torch._utils\n_rebuild_tensor_v2" in data and b"taeda" not in data


def test_the_same_objects_give_the_same_bytes() -> None:
    obj = {"w": taeda.arange(4.0), "n": [1, 2]}
    assert saved(obj).getvalue() == saved(obj).getvalue()


def test_more_than_4_gib_use_zip64(monkeypatch: Any) -> None:
    monkeypatch.setattr(zip_archive, "LARGE", 100)
    obj = [taeda.arange(n, dtype=taeda.float64) for n in (3, 50, 70)]
    file = saved(obj)
    assert zipfile.ZipFile(file).testzip() is None
    file.seek(0)
    assert all(taeda.equal(a, b) for a, b in zip(taeda.load(file), obj, strict=True))


def test_a_crash_leaves_the_old_file(tmp_path: Any, monkeypatch: Any) -> None:
    path = tmp_path / "m.pt"
    taeda.save({"epoch": 1}, path)
    before = path.read_bytes()

    def crash(self: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(zip_archive.Writer, "close", crash)
    with pytest.raises(KeyboardInterrupt):
        taeda.save({"epoch": 2}, path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.pt"]


def test_a_full_disk_leaves_the_old_file(tmp_path: Any, monkeypatch: Any) -> None:
    path = tmp_path / "m.pt"
    taeda.save({"epoch": 1}, path)
    before = path.read_bytes()

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"No space left on device while writing .*m\.pt; what was there") as caught:
        taeda.save({"epoch": 2}, path)
    assert isinstance(caught.value, RuntimeError) and caught.value.errno == errno.ENOSPC
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.pt"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_device_without_space() -> None:
    with pytest.raises(RuntimeError, match="No space left"):
        taeda.save(taeda.zeros(100), "/dev/full")


def test_an_object_that_cannot_be_pickled_leaves_the_old_file(tmp_path: Any) -> None:
    path = tmp_path / "m.pt"
    taeda.save(1, path)
    with pytest.raises(AttributeError, match=r"\[save\] Can.t pickle local object"):
        taeda.save(lambda: 0, path)
    assert taeda.load(path) == 1 and os.listdir(tmp_path) == ["m.pt"]


def test_links_and_modes_are_kept(tmp_path: Any) -> None:
    real, link = tmp_path / "real.pt", tmp_path / "link.pt"
    taeda.save(1, real)
    os.chmod(real, 0o640)
    link.symlink_to(real)
    taeda.save(2, link)
    assert link.is_symlink() and taeda.load(real) == 2 and stat.S_IMODE(real.stat().st_mode) == 0o640


def test_where_nothing_can_be_written(tmp_path: Any) -> None:
    with pytest.raises(RuntimeError, match="Parent directory .* does not exist"):
        taeda.save(1, tmp_path / "no" / "m.pt")
    with pytest.raises(OSError, match="is a folder"):
        taeda.save(1, tmp_path)
    with pytest.raises(TypeError, match="mode 'wb'"):
        taeda.save(1, io.StringIO())


# -- pickle and copy ---------------------------------------------------------------------------------


def test_pickle_and_copy_keep_layout_and_sharing() -> None:
    x = taeda.arange(6.0).reshape(2, 3)
    a, b = pickle.loads(pickle.dumps((x, x.t())))
    assert a.untyped_storage() is b.untyped_storage() and b.stride() == (1, 3) and taeda.equal(a, x)
    y = pickle.loads(pickle.dumps(taeda.ones(2, requires_grad=True)))
    assert y.requires_grad and y.is_leaf
    assert pickle.loads(pickle.dumps(taeda.empty(2, 3, device="meta"))).shape == (2, 3)
    deep = copy.deepcopy({"x": x})["x"]
    assert taeda.equal(deep, x) and deep.untyped_storage() is not x.untyped_storage()


def test_rebuild_tensor_refuses_a_layout_outside() -> None:
    storage = taeda.zeros(4).untyped_storage()
    with pytest.raises(RuntimeError, match="needs 5 elements, but its storage has 4"):
        serialization.rebuild_tensor(storage, taeda.float32, 0, (5,), (1,))


def test_a_stream_of_pickles_comes_back_and_is_checked() -> None:
    base = taeda.arange(6.0)
    file = io.BytesIO()
    taeda.save([base.view(2, 3), base[4:], taeda.tensor([1, 2]), taeda.empty(0), "x"], file, _use_new_zipfile_serialization=False)
    data = file.getvalue()
    whole, tail, *rest = taeda.load(io.BytesIO(data))
    assert whole.tolist() == [[0, 1, 2], [3, 4, 5]] and [v if v == "x" else v.tolist() for v in rest] == [[1, 2], [], "x"]
    whole[1, 1] = 7.0
    assert tail.tolist() == [7, 5]                  # one storage, as before
    for cut in (1, 8, 20):
        with pytest.raises(RuntimeError, match="truncated"):
            taeda.load(io.BytesIO(data[:-cut]))


def test_config_holds_what_save_and_load_do_without_being_told(tmp_path: pathlib.Path) -> None:
    from taeda.utils.serialization import config

    path = tmp_path / "x.pt"
    taeda.save(taeda.arange(3), path)
    with config.patch("load.mmap", True):
        assert taeda.load(path).tolist() == [0, 1, 2]
        with pytest.raises(ValueError, match="mmap=True needs f to be a path"):
            taeda.load(io.BytesIO(path.read_bytes()))
    assert taeda.load(io.BytesIO(path.read_bytes())).tolist() == [0, 1, 2] and config.load.mmap is False
    with config.patch({"save.compute_crc32": False, "load.endianness": taeda.serialization.LoadEndianness.LITTLE}):
        assert taeda.serialization.get_crc32_options() is False
        assert taeda.serialization.get_default_load_endianness() is taeda.serialization.LoadEndianness.LITTLE
    assert taeda.serialization.get_crc32_options() is True and taeda.serialization.get_default_load_endianness() is None
    with config.patch("save.storage_alignment", 4096):
        taeda.save(taeda.arange(3), path)
    with zipfile.ZipFile(path) as archive:
        record = next(info for info in archive.infolist() if info.filename.endswith("data/0"))
        name, extra = struct.unpack_from("<HH", path.read_bytes(), record.header_offset + 26)
        assert (record.header_offset + 30 + name + extra) % 4096 == 0 and taeda.load(path).tolist() == [0, 1, 2]
    for wrong in ("load.nothing", "other.mmap"):
        with pytest.raises(AttributeError, match="there is no option"), config.patch(wrong, 1):
            pass


@pytest.mark.parametrize("function", [os.getpid, os.execv, sys.getrecursionlimit])
def test_what_acts_on_the_system_is_not_made_of_a_file_even_if_it_was_allowed(function) -> None:
    file = io.BytesIO()
    taeda.save(function, file)
    with taeda.serialization.safe_globals([function]), pytest.raises(pickle.UnpicklingError, match=f"nothing of module {function.__module__} is made"):
        taeda.load(io.BytesIO(file.getvalue()))
    assert taeda.load(io.BytesIO(file.getvalue()), weights_only=False) is function


def test_a_generator_loads_under_safe_globals_and_goes_on_where_it_was() -> None:
    file, g = io.BytesIO(), taeda.Generator().manual_seed(5)
    taeda.rand(3, generator=g)
    taeda.save({"g": g}, file)
    want = taeda.rand(4, generator=g)
    with pytest.raises(pickle.UnpicklingError):
        taeda.load(io.BytesIO(file.getvalue()))
    with taeda.serialization.safe_globals([taeda.Generator]):
        found = taeda.load(io.BytesIO(file.getvalue()))["g"]
    assert found.initial_seed() == 5 and taeda.rand(4, generator=found).equal(want)


def test_a_file_that_is_still_open_can_be_read_by_its_name(tmp_path: pathlib.Path) -> None:
    for new in (True, False):
        with open(tmp_path / "x.pt", "wb") as file:
            taeda.save(taeda.ones(2), file, _use_new_zipfile_serialization=new)
            assert taeda.load(tmp_path / "x.pt").tolist() == [1, 1]


@pytest.mark.parametrize("safe", [True, False])
def test_old_text_is_read_in_the_encoding_that_is_asked_for(safe: bool) -> None:
    file = io.BytesIO()
    taeda.save(["TEXT", taeda.ones(1)], file, _use_new_zipfile_serialization=False)
    # as Python 2 wrote it: strings of bytes
    old = re.sub(rb"X(.)\0\0\0(?=TEXT|storage|cpu|0q)", rb"U\1", file.getvalue()).replace(b"TEXT", "ąó".encode())
    assert old != file.getvalue()
    for encoding, wanted in (({}, "ąó"), ({"encoding": "utf-8"}, "ąó"), ({"encoding": "bytes"}, "ąó".encode()), ({"encoding": "latin1"}, "Ä\x85Ã³")):
        text, x = taeda.load(io.BytesIO(old), weights_only=safe, **encoding)
        assert text == wanted and x.tolist() == [1]


def test_a_view_of_a_storage_in_an_old_file_shares_its_memory() -> None:
    file = io.BytesIO()
    taeda.save(taeda.arange(3.0).storage(), file, _use_new_zipfile_serialization=False)
    plain = file.getvalue()
    view = pickle.dumps(("k", 1, 2), 2)[2:-1]
    at = plain.index(b"Q.")                             # ... None, the end of the tuple, its place in the memo, the id
    start = plain.rindex(b"Nt", 0, at)
    s = taeda.load(io.BytesIO(plain[:start] + view + plain[start + 1 :]))
    assert s.tolist() == [1, 2]
    bad = pickle.dumps(("k", 2, 2), 2)[2:-1]
    with pytest.raises(pickle.UnpicklingError, match="does not lie in its storage"):
        taeda.load(io.BytesIO(plain[:start] + bad + plain[start + 1 :]))


class Slotted:
    __slots__ = ("a", "b")


class SlottedTensor(taeda.Tensor):
    __slots__ = ("inner", "missing")


class StatefulTensor(taeda.Tensor):
    def __getstate__(self) -> Any:
        return {"twice": 2 * self.factor}

    def __setstate__(self, state: Any) -> None:
        self.factor = state["twice"] / 2
        self.told = True


def test_a_tensors_class_says_what_its_state_is() -> None:
    x = taeda.ones(2).as_subclass(StatefulTensor)
    x.factor = 3
    file = io.BytesIO()
    taeda.save([x], file)
    file.seek(0)
    with taeda.serialization.safe_globals([StatefulTensor]):
        (y,) = taeda.load(file)
    for z in (y, pickle.loads(pickle.dumps(x))):
        assert type(z) is StatefulTensor and vars(z) == {"factor": 3, "told": True} and z.tolist() == [1, 1]


def test_attributes_in_slots_are_saved_and_copied() -> None:
    obj, x = Slotted(), taeda.ones(2).as_subclass(SlottedTensor)
    obj.a, x.inner, x.plain = 1, taeda.zeros(3), "y"
    file = io.BytesIO()
    taeda.save([obj, x], file)
    file.seek(0)
    with taeda.serialization.safe_globals([Slotted, SlottedTensor]):
        made, y = taeda.load(file)
    assert made.a == 1 and not hasattr(made, "b")
    for z in (y, copy.deepcopy(x), copy.copy(x), pickle.loads(pickle.dumps(x))):
        assert type(z) is SlottedTensor and z.inner.tolist() == [0, 0, 0] and z.plain == "y" and not hasattr(z, "missing")
    assert copy.deepcopy(x).inner is not x.inner is copy.copy(x).inner


def test_state_of_slots_reaches_nothing_but_slots() -> None:
    obj = Slotted()
    obj.a = 1
    data = pickle.dumps(obj, 2).replace(text("a"), text("__class__"))
    with taeda.serialization.safe_globals([Slotted]), pytest.raises(pickle.UnpicklingError, match="no slot '__class__'"):
        taeda.load(archive(data))


def test_empty_storages_may_be_seen_in_two_dtypes() -> None:
    s = taeda.UntypedStorage(0)
    pair = [taeda.empty(0, dtype=d).set_(s) for d in (taeda.float32, taeda.int64)]
    file = io.BytesIO()
    taeda.save(pair, file)
    file.seek(0)
    assert [x.dtype for x in taeda.load(file)] == [taeda.float32, taeda.int64]


def test_places_of_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from taeda import serialization

    monkeypatch.setattr(serialization.settings, "_packages", [])
    seen: list[str] = []

    def bring(storage: Any, place: str) -> Any:
        seen.append(place)
        return storage if place == "shelf" else None

    serialization.register_package(5, lambda storage: "shelf" if storage.nbytes() == 8 else None, bring)
    serialization.register_package(1, lambda storage: None, lambda storage, place: None)
    small, large = taeda.ones(2), taeda.ones(3)
    assert serialization.location_tag(small.untyped_storage()) == "shelf" and serialization.location_tag(large.untyped_storage()) == "cpu"
    file = io.BytesIO()
    taeda.save([small, large], file)
    file.seek(0)
    assert [x.tolist() for x in taeda.load(file)] == [[1.0, 1.0], [1.0, 1.0, 1.0]] and seen == ["shelf", "cpu"]
    file.seek(0)
    loaded = taeda.load(file, map_location=lambda storage, _: serialization.default_restore_location(storage, "cpu"))
    assert loaded[0].tolist() == [1.0, 1.0] and seen[2:] == ["cpu", "cpu"]
    storage = small.untyped_storage()
    assert serialization.default_restore_location(storage, "meta").device.type == "meta"
    for place in ("cuda:0", "nowhere"):
        with pytest.raises(RuntimeError, match=place):
            serialization.default_restore_location(storage, place)
    with pytest.raises(TypeError, match="must be a str"):
        serialization.default_restore_location(storage, taeda.device("cpu"))
