"""Loading: what PyTorch wrote is read, damage is told of, nothing is run."""

from __future__ import annotations

import gc
import io
import mmap
import os
import pickle
import struct
import sys
import zipfile
from typing import Any

import pytest

import taeda
from checkpoints import ONES, Mine, archive, name, saved, tensor_pickle, text
from taeda.serialization import unpickler, zip_archive

# -- what is read ----------------------------------------------------------------------------------------


def test_reads_what_pytorch_wrote() -> None:
    found = taeda.load(archive(tensor_pickle(1, (3,), (1,)), {"data/0": ONES}))
    assert found.tolist() == [2, 3, 4] and found.storage_offset() == 1


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_reads_every_protocol(protocol: int) -> None:
    obj = {"x": (1, [2.5], {"s": {1}}, "text" * 100, b"bytes" * 60, frozenset({2}), bytearray(b"b"), 2**70)}
    assert taeda.load(archive(pickle.dumps(obj, protocol))) == obj


def test_other_byte_order_is_swapped() -> None:
    other, form = (b"big", ">4f") if sys.byteorder == "little" else (b"little", "<4f")
    file = archive(tensor_pickle(0, (4,), (1,)), {"data/0": struct.pack(form, 1, 2, 3, 4)}, order=other)
    assert taeda.load(file).tolist() == [1, 2, 3, 4]


def test_map_location() -> None:
    data = tensor_pickle(0, (4,), (1,)).replace(text("cpu"), text("cuda:1"))

    def load(**kwargs: Any) -> Any:
        return taeda.load(archive(data, {"data/0": ONES}), **kwargs)

    with pytest.raises(RuntimeError, match=r"cuda:1.*map_location='cpu'"):
        load()
    with pytest.raises(RuntimeError, match="that was on cuda:1 would go to cuda, and there is no such device"):
        load(map_location="cuda")
    seen = []
    for where in ("cpu", taeda.device("cpu"), {"cuda:1": "cpu"}, lambda s, at: seen.append(at) or s):
        assert load(map_location=where).tolist() == [1, 2, 3, 4]
    assert seen == ["cuda:1"]
    assert load(map_location="meta").device.type == "meta"


def test_mmap_reads_the_file_and_never_writes_it(tmp_path: Any) -> None:
    path = tmp_path / "m.pt"
    taeda.save([taeda.arange(6.0), taeda.empty(0)], path)
    before = path.read_bytes()
    x, empty = taeda.load(path, mmap=True)
    x.add_(1)
    assert x.tolist() == [1, 2, 3, 4, 5, 6] and empty.numel() == 0 and path.read_bytes() == before
    with pytest.raises(ValueError, match="path"):
        taeda.load(io.BytesIO(before), mmap=True)


def test_a_file_without_checksums_is_read() -> None:
    data = bytearray(archive(tensor_pickle(0, (4,), (1,)), {"data/0": ONES}).getvalue())
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        crc = struct.pack("<I", z.getinfo("a/data/0").CRC)
    assert taeda.load(io.BytesIO(data.replace(crc, b"\0\0\0\0"))).tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize(
    ("offset", "size", "stride"),
    [
        (1, (4,), (1,)),
        (-1, (2,), (1,)),
        (0, (-4,), (1,)),
        (0, (4,), (-1,)),
        (0, (2,), (2**61,)),
        (0, (2, 2), (1,)),
        (2**63, (1,), (1,)),
        (0, (2**31,) * 3, (0,) * 3),
        (0, (1,) * 70, (1,) * 70),
        (0, (5,), (1,)),
    ],  # fmt: skip
)
def test_layouts_outside_the_storage(offset: int, size: Any, stride: Any) -> None:
    with pytest.raises(RuntimeError, match=r"^\[(load|set_)\]"):
        taeda.load(archive(tensor_pickle(offset, size, stride), {"data/0": ONES}))


def test_records_of_the_wrong_size() -> None:
    for numel in (3, 5, 2**40):
        with pytest.raises(RuntimeError, match="'data/0' has 16 bytes, but"):
            taeda.load(archive(tensor_pickle(0, (1,), (1,), numel), {"data/0": ONES}))
    with pytest.raises(RuntimeError, match="'data/1' is missing"):
        taeda.load(archive(tensor_pickle(0, (1,), (1,), key="1"), {"data/0": ONES}))
    with pytest.raises(RuntimeError, match=r"'data/\.\./x' is missing"):
        taeda.load(archive(tensor_pickle(0, (1,), (1,), key="../x"), {"data/0": ONES}))


def test_truncated_anywhere() -> None:
    whole = archive(tensor_pickle(0, (4,), (1,)), {"data/0": ONES}).getvalue()
    with pytest.raises(EOFError, match="is empty"):
        taeda.load(io.BytesIO())
    for n in range(1, len(whole), 7):
        with pytest.raises(RuntimeError, match=r"^\[load\]"):
            taeda.load(io.BytesIO(whole[:n]))


def test_a_damaged_record_is_noticed() -> None:
    whole = archive(tensor_pickle(0, (4,), (1,)), {"data/0": ONES}).getvalue()
    at = whole.index(ONES)
    with pytest.raises(RuntimeError, match="'data/0' is damaged"):
        taeda.load(io.BytesIO(whole[:at] + b"\1" + whole[at + 1 :]))


@pytest.mark.parametrize("at", [3, 1 << 18, (1 << 18) + 1, 1_000_000, 1_199_999])
def test_damage_is_noticed_in_every_piece_of_a_long_record(at: int) -> None:
    elements = bytes(range(250)) * 4800
    whole = archive(tensor_pickle(0, (300_000,), (1,), 300_000), {"data/0": elements}).getvalue()
    assert taeda.load(io.BytesIO(whole)).numpy().tobytes() == elements
    at += whole.index(elements)
    with pytest.raises(RuntimeError, match="'data/0' is damaged"):
        taeda.load(io.BytesIO(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :]))


@pytest.mark.parametrize("record", ["/abs", "../x", "b\\..\\x", "data/0/../../y"])
def test_odd_record_names(record: str) -> None:
    with pytest.raises(RuntimeError, match="not a plain path"):
        taeda.load(archive(b"N.", {record: b""}, root="a"))


def deflated(data: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A file of the same records, which a zip tool has packed again."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(file, "w", method) as new:
        for info in old.infolist():
            new.writestr(info.filename, old.read(info))
    return file.getvalue()


def test_deflated_records_are_read_and_other_compressed_ones_are_not(tmp_path) -> None:
    plain = io.BytesIO()
    taeda.save({"a": taeda.arange(300_000.0), "b": [taeda.zeros(500, 500)]}, plain)
    data = deflated(plain.getvalue())
    for weights_only in (True, False):
        found = taeda.load(io.BytesIO(data), weights_only=weights_only)
        assert found["a"].equal(taeda.arange(300_000.0)) and found["b"][0].equal(taeda.zeros(500, 500))
    (tmp_path / "x.pt").write_bytes(data)
    with pytest.raises(RuntimeError, match="mmap=True needs records as they are"):
        taeda.load(tmp_path / "x.pt", mmap=True)
    with pytest.raises(RuntimeError, match="by a method other than deflate"):
        taeda.load(io.BytesIO(deflated(plain.getvalue(), zipfile.ZIP_BZIP2)))
    at = data.index(b"data/0") + 2000
    with pytest.raises(RuntimeError, match="'data/0' (is damaged|ends after|has more bytes)"):
        taeda.load(io.BytesIO(data[:at] + bytes([data[at] ^ 255]) + data[at + 1 :]))


@pytest.mark.parametrize("more", [0, 1, 3, 50, 100, 258, 5000])
def test_deflated_records_whose_last_bytes_are_of_several_pieces(more: int) -> None:
    size = 2 * zip_archive.CHUNK + more
    for x in (taeda.zeros(size, dtype=taeda.uint8), (taeda.arange(size) % 7).to(taeda.uint8)):
        plain = io.BytesIO()
        taeda.save(x, plain)
        assert taeda.load(io.BytesIO(deflated(plain.getvalue()))).equal(x)


def test_deflated_records_that_are_out_of_proportion_or_another_size_than_said() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as z:
        z.writestr("a/data.pkl", b"N." + b"\0" * 10**5)
    whole, size = file.getvalue(), struct.pack("<I", 10**5 + 2)
    assert whole.count(size) == 2                            # in the record's header and in the directory
    for said, words in ((2**31, "say that they have 2147483648 bytes"), (10**5, "has more bytes"), (10**5 + 9, "ends after 100002")):
        with pytest.raises(RuntimeError, match=words):
            taeda.load(io.BytesIO(whole.replace(size, struct.pack("<I", said))))


def test_records_that_are_there_twice() -> None:
    file = io.BytesIO()
    out = zip_archive.Writer(file, "a")
    out.record("data.pkl", b"N.")
    out.record("data.pkl", b"N.")
    out.close()
    with pytest.raises(RuntimeError, match="twice"):
        taeda.load(io.BytesIO(file.getvalue()))


def test_records_that_overlap() -> None:
    """Many names for one block would make of a small file a large allocation."""
    file = io.BytesIO()
    out = zip_archive.Writer(file, "a")
    out.record("data.pkl", b"N.")
    out.record("data/0", b"x" * 100)
    path, crc, size, offset = out.entries[-1]
    out.entries.append((b"a/data/1", crc, size, offset))
    out.close()
    with pytest.raises(RuntimeError, match="overlap|File name in directory"):
        taeda.load(io.BytesIO(file.getvalue()))


def stream(numel: int, data: bytes, version: int = 1001, stored: int | None = None) -> io.BytesIO:
    """A file as PyTorch wrote it before 1.6: pickles, then the storages."""
    parts = [pickle.dumps(p, 2) for p in (0x1950A86A20F9469CFC6C, version, {"little_endian": True})]
    parts += [tensor_pickle(0, (4,), (1,), numel), pickle.dumps(["0"], 2)]
    return io.BytesIO(b"".join(parts) + struct.pack("<q", numel if stored is None else stored) + data)


def test_a_stream_whose_keys_are_no_texts() -> None:
    file = stream(4, ONES).getvalue()
    keys = pickle.dumps(["0"], 2)
    for other in ([0], "0", ["0", "0"], [["0"]]):
        with pytest.raises(RuntimeError, match="storages behind the pickle are not those"):
            taeda.load(io.BytesIO(file.replace(keys, pickle.dumps(other, 2))))


def test_a_directory_that_says_that_records_lie_before_the_file() -> None:
    whole = archive(b"N.").getvalue()
    at = whole.rindex(b"PK\5\6") + 16                                         # where the directory starts, of a file that is 99 bytes longer
    with pytest.raises(RuntimeError, match="has no header at -99"):
        taeda.load(io.BytesIO(whole[:at] + struct.pack("<I", struct.unpack_from("<I", whole, at)[0] + 99) + whole[at + 4 :]))


def test_files_from_before_pytorch_1_6() -> None:
    assert taeda.load(stream(4, ONES)).tolist() == [1, 2, 3, 4]
    for file, match in [
        (stream(4, ONES[:-1]), "truncated"),
        (stream(4, ONES, stored=5), "another size"),
        (stream(2**40, ONES), "larger than the rest of the file"),
        (stream(4, ONES, version=7), "version 7"),
    ]:
        with pytest.raises(RuntimeError, match=match):
            taeda.load(file)
    assert taeda.load(stream(4, ONES), weights_only=False).tolist() == [1, 2, 3, 4]


def sparse_kinds() -> list[taeda.Tensor]:
    x = taeda.tensor([[0.0, 2.0], [3.0, 0.0]])
    return [x.to_sparse(), x.to_sparse_csr(), x.to_sparse_csc(), x.to_sparse_bsr((1, 1))]


@pytest.mark.parametrize("weights_only", [True, False])
def test_sparse_tensors_are_in_a_stream_too(weights_only: bool) -> None:
    file = io.BytesIO()
    taeda.save(sparse_kinds(), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    back = taeda.load(file, weights_only=weights_only)
    assert [t.layout for t in back] == [t.layout for t in sparse_kinds()] and all(t.to_dense().tolist() == [[0, 2], [3, 0]] for t in back)
    data = bytearray(file.getvalue())
    at = data.rindex((1).to_bytes(8, "little") + (0).to_bytes(8, "little"), 0, data.index(struct.pack("<f", 2.0)))      # columns of the first
    data[at] = 7
    with pytest.raises(pickle.UnpicklingError, match="cannot be made of this file's indices"):
        taeda.load(io.BytesIO(data), weights_only=weights_only)


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("archive", [True, False])
def test_memory_goes_with_what_was_loaded(weights_only: bool, archive: bool) -> None:
    file = io.BytesIO()
    taeda.save([taeda.ones(1000), taeda.zeros(3)], file, _use_new_zipfile_serialization=archive)

    def held() -> int:
        return taeda.cpu.memory_stats()["allocated_bytes.current"]

    gc.collect()
    gc.disable()
    try:
        before = held()
        for _ in range(2):
            file.seek(0)
            assert taeda.load(file, weights_only=weights_only)[0].sum().item() == 1000
            assert held() == before
    finally:
        gc.enable()


def test_a_pickle_module_reads_in_full_and_not_with_weights_only(tmp_path: Any) -> None:
    path = tmp_path / "f.pt"
    taeda.save([Mine(1), taeda.ones(1)], path)
    assert type(taeda.load(path, pickle_module=pickle)[0]) is Mine
    with pytest.raises(RuntimeError, match="explicit pickle_module"):
        taeda.load(path, pickle_module=pickle, weights_only=True)
    with pytest.raises(pickle.UnpicklingError, match="Mine"):
        taeda.load(path)
    with pytest.raises(TypeError, match="map_location must be"):
        taeda.load(path, map_location=3)


@pytest.mark.parametrize("weights_only", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_objects_follow_each_other_in_a_stream(weights_only: bool, protocol: int) -> None:
    x = taeda.arange(6.0).view(2, 3)
    file = io.BytesIO(b"before")
    file.seek(6)
    for obj in ([x, x[1]], {"n": taeda.ones(2, dtype=taeda.int64)}):
        taeda.save(obj, file, pickle_protocol=protocol, _use_new_zipfile_serialization=False)
    file.seek(6)
    first, second = (taeda.load(file, weights_only=weights_only) for _ in range(2))
    first[0][1, 0] = 9
    assert first[1].tolist() == [9, 4, 5] and second["n"].tolist() == [1, 1]
    with pytest.raises(EOFError):
        taeda.load(file, weights_only=weights_only)


def test_classes_in_a_stream_are_made_with_weights_only_false_alone() -> None:
    file = io.BytesIO()
    taeda.save(Mine(taeda.ones(2)), file, _use_new_zipfile_serialization=False)
    file.seek(0)
    with pytest.raises(pickle.UnpicklingError, match="Mine"):
        taeda.load(file)
    file.seek(0)
    assert type(taeda.load(file, weights_only=False)) is Mine


def test_typed_storages_come_back_on_the_memory_that_tensors_share() -> None:
    x = taeda.ones(3)
    for zipped in (True, False):
        file = io.BytesIO()
        taeda.save([x.storage(), x], file, _use_new_zipfile_serialization=zipped)
        for weights_only in (True, False):
            file.seek(0)
            storage, y = taeda.load(file, weights_only=weights_only)
            storage[1] = 5
            assert isinstance(storage, taeda.FloatStorage) and y.tolist() == [1, 5, 1]


def test_the_default_device_does_not_move_what_is_loaded() -> None:
    file = saved(taeda.ones(2))
    with taeda.device("meta"):
        assert taeda.load(file).tolist() == [1, 1]


def test_options_of_saving_and_loading(tmp_path: Any) -> None:
    options = taeda.serialization
    data = archive(tensor_pickle(0, (4,), (1,)), {"data/0": ONES}, order=None)
    try:
        options.set_default_load_endianness(options.LoadEndianness.BIG)
        assert taeda.load(data).tolist() == list(struct.unpack(">4f", ONES))
        options.set_crc32_options(False)
        assert {i.CRC for i in zipfile.ZipFile(saved(taeda.ones(2))).infolist()} == {0}
    finally:
        options.set_default_load_endianness(None)
        options.set_crc32_options(True)
    path = tmp_path / "x.pt"
    with options.skip_data():
        taeda.save(taeda.ones(2), path)
    assert taeda.load(path).tolist() == [0, 0]
    with options.set_default_mmap_options(mmap.MAP_SHARED):
        taeda.load(path, mmap=True).fill_(3)
    taeda.load(path, mmap=True).fill_(4)
    assert taeda.load(path).tolist() == [3, 3] and options.get_default_mmap_options() == mmap.MAP_PRIVATE
    with options.skip_data():
        assert taeda.load(path).shape == (2,)
    for refused in (lambda: options.set_default_load_endianness("big"), lambda: options.set_default_mmap_options(7)):
        with pytest.raises((TypeError, ValueError), match=r"^\[set_default"):
            refused()


def test_what_a_file_would_be_refused_for_is_told_beforehand() -> None:
    unsafe = taeda.serialization.get_unsafe_globals_in_checkpoint
    for protocol in (2, 4):
        file = io.BytesIO()
        taeda.save([taeda.ones(2), Mine(1), Mine], file, pickle_protocol=protocol)
        file.seek(0)
        assert unsafe(file) == [f"{Mine.__module__}.Mine"]
    with pytest.raises(ValueError, match="no zip file"):
        unsafe(stream(4, ONES))


@pytest.mark.parametrize("pickled", [b"\x93.", b"\xff.", b"X\xff\xff\xff\x7fa.", b"", text("a") + b"\x93."])
def test_what_is_no_pickle_asks_for_nothing(pickled: bytes) -> None:
    with pytest.raises(pickle.UnpicklingError, match="malformed pickle"):
        taeda.serialization.get_unsafe_globals_in_checkpoint(archive(pickled))


def test_hooks_are_not_saved_which_is_warned_of() -> None:
    x = taeda.ones(2, requires_grad=True)
    x.register_hook(lambda g: g)
    with pytest.warns(UserWarning, match="backward hook .* on tensor will not be serialized"):
        saved(x)


def test_files_of_another_kind(tmp_path: Any) -> None:
    (tmp_path / "x").write_bytes(b"hello")
    with pytest.raises(RuntimeError, match="is no checkpoint: it starts with b'hell'"):
        taeda.load(tmp_path / "x")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as z:
        z.writestr("m/constants.pkl", b"N.")
    with pytest.raises(RuntimeError, match="TorchScript"):
        taeda.load(io.BytesIO(file.getvalue()))
    with pytest.raises(FileNotFoundError):
        taeda.load(tmp_path / "no.pt")
    with pytest.raises(AttributeError, match="BytesIO"):
        taeda.load(3)


# -- hostile pickles ---------------------------------------------------------------------------------


class Evil:
    def __reduce__(self) -> Any:
        return os.system, ("echo broken into > /tmp/taeda_was_here",)


def test_a_call_of_a_system_function_is_refused_by_name() -> None:
    with pytest.raises(pickle.UnpicklingError, match=r"(posix|nt)\.system"):
        taeda.load(saved({"model": Evil()}))
    assert not os.path.exists("/tmp/taeda_was_here")


NESTED = b")" + b"\x85" * 200_000                        # a tuple in a tuple in ...
LONG = b"\x8b" + struct.pack("<i", 100_000) + b"\1" * 100_000      # a number of a million bits
SPARSE = name("torch._utils", "_rebuild_sparse_tensor") + name("torch.serialization", "_get_layout") + text("torch.sparse_coo") + b"\x85R"
SIZE = name("torch", "Size") + b"K\5\x85\x85R"


@pytest.mark.parametrize(
    ("pickled", "match"),
    [
        (name("builtins", "eval") + b".", r"builtins\.eval"),
        (name("builtins", "getattr") + b".", r"builtins\.getattr"),
        (name("torch", "Size.__init__") + b".", r"torch\.Size\.__init__"),
        (b"\x8c\x02os\x8c\x06system\x93.", r"os\.system"),
        (b"(" + name("os", "system") + b"o.", r"os\.system"),
        (b"(ios\nsystem\n.", "opcode b'i'"),
        (b"\x82\x01.", "opcode"),
        (b"]}b.", "BUILD on a list"),
        (name("torch._utils", "_rebuild_tensor_v2") + b"}b.", "BUILD on a function"),
        (name("collections", "OrderedDict") + b")R}" + text("items") + b"K\1sb.", "attribute 'items'"),
        (text("a") + b")R.", "a str is called"),
        (name("torch", "float32") + b")R.", "not callable"),
        (name("builtins", "bytearray") + b"J\xff\xff\xff\x7f\x85R.", "bytearray of a int"),
        (name("builtins", "bytearray") + text("a") + text("rot13") + b"\x86R.", "LookupError: 'rot13'"),
        (name("builtins", "complex") + b"\x8a\xff" + b"\x7f" * 255 + b"\x85R.", "OverflowError: int too large"),
        (b"(" + b"N" * 9000 + b"lq\0" + (name("builtins", "set") + b"h\0\x85R0") * 3000 + b"N.", "copies more"),
        (b"X\xff\xff\xff\x7fabc.", "2147483647 bytes wanted"),
        (b"\x8e" + b"\xff" * 8 + b".", "bytes wanted"),
        (b"}" + b")" + b"\x85" * 100000 + b"Ns.", "nested too deeply"),
        (b"}" + b")q\0" + b"0h\0h\0\x86q\0" * 60 + b"Ns.", "nested too deeply"),
        (b"}]Ns.", "unhashable"),
        (b"(.", "stack is empty"),
        (b"NQ.", "persistent id"),
        (b"h\x07.", "memo 7"),
        (b"N", "0 left"),
        (b"", "0 left"),
        (name("torch._utils", "_rebuild_tensor_v2") + b"(K\1K\0)))tR.", "tensor on a int"),
        (name("torch._utils", "_rebuild_parameter") + b"NN\x86R.", "Parameter of a NoneType"),
        (name("builtins", "dict") + b"]](" + NESTED + b"K\1ea\x85R.", "nested too deeply"),
        (name("torch.serialization", "_get_layout") + NESTED + b"\x85R.", "RecursionError"),
        (b"}(" + LONG + b"q\0N" + b"h\0N" * 200 + b"u.", "keys are far longer"),
        (b"((" + b"K\1" * 1000 + b"tq\0" + b"}h\0Ns" * 5000 + b"t.", "keys are far longer"),
        (SPARSE + b"(]]K\0aa]K\1a" + SIZE + b"t\x86R.", "not made of indices"),
        (SPARSE + b"(NN" + SIZE + b"t\x86R.", "not made of indices"),
    ],
)  # fmt: skip
def test_hostile_pickles(pickled: bytes, match: str) -> None:
    with pytest.raises(pickle.UnpicklingError, match=match):
        taeda.load(archive(pickled))


def test_the_key_of_a_view_of_a_storage_is_a_text() -> None:
    pid = b"(" + text("storage") + name("torch", "FloatStorage") + text("0") + text("cpu") + b"K\1("
    with pytest.raises(pickle.UnpicklingError, match="RecursionError"):
        taeda.load(archive(pid + NESTED + b"K\0K\1ttQ.", {"data/0": bytes(4)}))
    with pytest.raises(pickle.UnpicklingError, match="a view of a storage must be"):
        taeda.load(archive(pid + b"K\1K\0K\1ttQ.", {"data/0": bytes(4)}))


def test_a_tensor_of_more_dimensions_than_there_can_be() -> None:
    ones = b"(" + b"K\1" * 65 + b"t"
    for pickled in (
        name("torch._utils", "_rebuild_meta_tensor_no_storage") + b"(" + name("torch", "float32") + ones + ones + b"\x89tR.",
        name("torch._utils", "_rebuild_meta_tensor_no_storage") + b"(" + name("torch", "float32") + ones + b")\x89tR.",
    ):
        with pytest.raises(RuntimeError, match="cannot have 65 dimensions"):
            taeda.load(archive(pickled))


def test_a_sparse_matrix_whose_places_are_in_no_order_is_read_and_one_of_empty_blocks_is_not() -> None:
    s = taeda.sparse_csr_tensor([0, 2], [1, 0], [1.0, 2.0], (1, 2))
    assert taeda.load(saved(s)).to_dense().tolist() == [[2.0, 1.0]]
    s = taeda.sparse_bsr_tensor([0, 1], [0], taeda.ones(1, 0, 0), (0, 0))
    with pytest.raises(pickle.UnpicklingError, match="must be divisible with blocksize"):
        taeda.load(saved(s))


def test_a_huge_memo_index_allocates_nothing() -> None:
    assert taeda.load(archive(b"Nr\xff\xff\xff\xff.")) is None


def test_random_damage_gives_clean_errors() -> None:
    import random

    r = random.Random(3)
    whole = saved({"a": taeda.arange(5.0)[1:], "b": [1, "x", (2.5,)]}).getvalue()
    refused = 0
    for _ in range(1500):
        damaged = bytearray(whole)
        for _ in range(r.randrange(1, 6)):
            damaged[r.randrange(len(damaged))] = r.choice([0, 255, r.randrange(256)])
        try:
            taeda.load(io.BytesIO(damaged))
        except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
            refused += 1
            assert str(error), "an error without a word"
    assert refused > 500, f"only {refused} of 1500 damaged files were refused"


def test_the_interpreter_alone() -> None:
    assert unpickler.Unpickler(pickle.dumps([1, {"a": (2.0,)}], 2), {}).load() == [1, {"a": (2.0,)}]


def test_the_environment_decides_whether_what_a_file_says_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    file = saved(Mine(1))

    def load(**kwargs: Any) -> Any:
        file.seek(0)
        return taeda.load(file, **kwargs)

    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    with pytest.warns(UserWarning, match="TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD detected.*forcing weights_only=False") as told:
        assert type(load()) is Mine
    assert told[0].filename == __file__
    with pytest.raises(pickle.UnpicklingError, match="was not an allowed global"):
        load(weights_only=True)
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "yes")
    with pytest.raises(RuntimeError, match="Only one of"):
        load()
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    for given in (None, False):
        with pytest.raises(pickle.UnpicklingError, match="was not an allowed global"):
            load(weights_only=given)


@pytest.mark.parametrize("layout", ["to_sparse", "to_sparse_csr"])
def test_a_sparse_tensor_loads_to_the_meta_device(layout: str) -> None:
    file = io.BytesIO()
    taeda.save(getattr(taeda.eye(3), layout)(), file)
    for weights_only in (True, False):
        file.seek(0)
        s = taeda.load(file, map_location="meta", weights_only=weights_only)
        assert (s.device.type, s.shape, s.layout) == ("meta", (3, 3), getattr(taeda.eye(3), layout)().layout)


class Sharing:
    """Written as a call with a list that many objects share."""

    def __init__(self, numbers: list[int]) -> None:
        self.numbers = numbers

    def __reduce__(self) -> Any:
        return Sharing, (self.numbers,)


def test_what_many_objects_share_is_read_however_few_bytes_it_takes() -> None:
    key, numbers = tuple(range(30)), list(range(2000))
    assert taeda.load(saved([{key: i} for i in range(2000)]))[-1] == {key: 1999}
    with taeda.serialization.safe_globals([Sharing]):
        found = taeda.load(saved([Sharing(numbers) for _ in range(50)]))
    assert found[0].numbers == numbers and found[49].numbers is found[0].numbers


def test_no_bytes_at_all_are_read() -> None:
    assert taeda.load(saved({"a": b"", "b": b"x"})) == {"a": b"", "b": b"x"}
