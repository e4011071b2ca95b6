"""Storage: one block that views share; the allocator beneath: aligned, bounded, safe in threads and forks."""

from __future__ import annotations

import copy
import os
import pathlib
import struct
import threading
import time

import pytest

import taeda
from taeda.kernels.cpu import empty_cache, memory_stats, reset_peak_memory_stats, set_cache_limit


@pytest.fixture
def cache_limit_put_back():
    before = memory_stats()["cache_limit_bytes"]
    yield
    empty_cache()
    set_cache_limit(before)


def test_views_share_their_bases_storage() -> None:
    x = taeda.zeros(2, 3)
    row = x[1]
    assert row.untyped_storage().data_ptr() == x.untyped_storage().data_ptr() == x.data_ptr()
    assert row.data_ptr() == x.data_ptr() + 12
    assert x.untyped_storage().nbytes() == 24 == len(row.untyped_storage())
    row[0] = 5
    assert x.tolist() == [[0, 0, 0], [5, 0, 0]]


def test_bytes_are_read_and_written_through_the_storage() -> None:
    x = taeda.tensor([1, 2, 3], dtype=taeda.uint8)
    s = x.untyped_storage()
    assert s.tolist() == [1, 2, 3] and s[-1] == 3 and list(s) == [1, 2, 3]
    s[0] = 9
    memoryview(s)[1] = 8
    assert x.tolist() == [9, 8, 3]
    s.fill_(7)
    assert x.tolist() == [7, 7, 7]
    with pytest.raises(IndexError):
        s[3]


def test_a_slice_is_a_storage_on_the_same_memory() -> None:
    x = taeda.arange(4.0)
    s = x.untyped_storage()
    part = s[4:8]
    assert (type(part), part.nbytes(), part.data_ptr() - s.data_ptr()) == (taeda.UntypedStorage, 4, 4)
    assert (s[-4:].tolist(), s[10:5].nbytes(), s[3:100].nbytes()) == (s.tolist()[-4:], 0, 13)
    y = taeda.asarray(s[4:12], dtype=taeda.float32)
    y += 1
    assert x.tolist() == [0, 2, 3, 3]
    s[4:8] = 0
    assert x.tolist() == [0, 0, 3, 3] and part.tolist() == [0] * 4
    s.resize_(1 << 20)
    del s, x
    assert part.tolist() == [0] * 4
    assert taeda.asarray(part[4:4], dtype=taeda.uint8).shape == (0,)
    with pytest.raises(RuntimeError, match=r"slice with a step of 2"):
        part[::2]


def test_storages_are_made_of_sizes_and_of_bytes() -> None:
    assert taeda.UntypedStorage(4).nbytes() == 4
    assert taeda.UntypedStorage([1, 2, 255]).tolist() == [1, 2, 255]
    assert taeda.UntypedStorage().nbytes() == 0
    for bad in (-1, 1 << 62, "a", [256], [1.5], None.__class__):
        with pytest.raises(RuntimeError, match=r"^\[UntypedStorage\]"):
            taeda.UntypedStorage(bad)


class Counted:
    """A sequence that gives other items each time it is walked."""

    def __init__(self) -> None:
        self.walks = 0

    def __len__(self) -> int:
        return 2

    def __getitem__(self, i: int) -> int:
        if i == 2:
            raise IndexError(i)
        self.walks += i == 0
        return 300 if self.walks > 1 else i + 1


def test_bytes_come_of_sequences_that_are_walked_once() -> None:
    assert taeda.UntypedStorage(Counted()).tolist() == [1, 2]
    assert taeda.UntypedStorage(range(3)).tolist() == [0, 1, 2]
    for given in ((x for x in (1, 2)), {1, 2}, {1: 2}, iter([1]), "ab"):
        with pytest.raises(RuntimeError, match=r"\[UntypedStorage\] expected a size or a sequence of ints, got " + type(given).__name__):
            taeda.UntypedStorage(given)


def test_copies_are_of_equal_size_and_apart() -> None:
    a = taeda.UntypedStorage([1, 2])
    b = a.clone()
    b[0] = 5
    assert a.tolist() == [1, 2] and a.copy_(b).tolist() == [5, 2]
    with pytest.raises(RuntimeError, match="sizes differ: 2 and 3"):
        a.copy_(taeda.UntypedStorage(3))
    with pytest.raises(TypeError):
        a.copy_(None)


def test_a_view_stays_valid_when_its_storage_grows_or_shrinks() -> None:
    x = taeda.ones(4)
    view = x[1:]
    x.untyped_storage().resize_(1 << 20)
    taeda.zeros(4)
    assert view.tolist() == [1, 1, 1]
    y = taeda.ones(4)
    y.untyped_storage().resize_(0)
    taeda.zeros(4)
    assert y.sum().item() == 4
    with pytest.raises(RuntimeError, match="must not be negative"):
        y.untyped_storage().resize_(-1)


def test_set_checks_the_very_numbers_that_it_takes() -> None:
    class Grows:
        """A size that is another one each time."""

        def __init__(self) -> None:
            self.number = 0

        def __index__(self) -> int:
            self.number += 1000
            return self.number // 1000

        def __lt__(self, other: int) -> bool:
            return False

        def __sub__(self, other: int) -> int:
            return 0

    x = taeda.empty(0).set_(taeda.ones(2).untyped_storage(), Grows(), (Grows(),), (Grows(),))
    assert (x.storage_offset(), x.shape, x.stride(), x.tolist()) == (1, (1,), (1,), [1.0])
    with pytest.raises(RuntimeError, match=r"^\[set_\] setStorage: sizes \[3\]"):
        taeda.empty(0).set_(taeda.ones(2).untyped_storage(), 0, (3,), (1,))


def test_resize_keeps_what_fits() -> None:
    x = taeda.tensor([1.0, 2.0])
    assert x.resize_(3)[:2].tolist() == [1, 2]
    assert x.resize_(1).tolist() == [1]
    with pytest.raises(RuntimeError, match="negative"):
        x.resize_(-1)


def test_memory_of_another_library_is_not_resized() -> None:
    with pytest.raises(RuntimeError, match="belongs to another library"):
        taeda.frombuffer(bytearray(8), dtype=taeda.float32).untyped_storage().resize_(100)


def test_typed_storage_counts_elements() -> None:
    s = taeda.arange(4)[1:].storage()
    assert (s.size(), len(s), s[2], s.tolist(), s.nbytes(), s.dtype) == (4, 4, 2, [0, 1, 2, 3], 32, taeda.int64)


def test_storages_of_a_dtype_by_its_older_name() -> None:
    s = taeda.FloatStorage([1, 2, 3])
    assert isinstance(s, taeda.FloatStorage) and isinstance(s, taeda.TypedStorage) and not isinstance(s, taeda.LongStorage)
    assert (s.type(), s.pickle_storage_type(), taeda.ones(1).storage_type()) == ("taeda.FloatStorage", "FloatStorage", taeda.FloatStorage)
    x = taeda.FloatTensor(s)
    x[0] = 7
    assert (s[0], s.long().tolist(), s.type("taeda.DoubleStorage").dtype) == (7, [7, 2, 3], taeda.float64)
    copied = s.clone().fill_(0)
    assert s.copy_(copied).tolist() == [0, 0, 0] and s.data_ptr() != copied.data_ptr()
    s.resize_(5)
    assert len(s) == 5 == len(s.tolist())
    assert taeda.TypedStorage(wrap_storage=x.untyped_storage(), dtype=taeda.int32).untyped() is x.untyped_storage()
    assert taeda.FloatStorage.from_buffer(struct.pack(">2f", 1, 2), "big").tolist() == [1, 2]
    for bad, error in [
        (lambda: s[5], IndexError), (lambda: s[:2], RuntimeError), (lambda: taeda.FloatTensor(s.long()), RuntimeError),
        (lambda: taeda.FloatStorage.from_buffer(b"abc", "native"), ValueError), (lambda: taeda.FloatStorage.from_buffer(b"abcd"), RuntimeError),
        (lambda: taeda.TypedStorage(wrap_storage=x.untyped_storage()), RuntimeError), (lambda: taeda.FloatStorage(1, 2), RuntimeError),
    ]:  # fmt: skip
        with pytest.raises(error, match=r"^\["):
            bad()


def test_tensors_on_the_memory_of_a_file(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "x.bin")
    with pytest.raises(RuntimeError, match="unable to open"):
        taeda.from_file(path, size=2)
    shared = taeda.from_file(path, shared=True, size=2, dtype=taeda.int16).copy_(taeda.tensor([1, -2]))
    assert pathlib.Path(path).read_bytes() == struct.pack("=2h", 1, -2) and shared.untyped_storage().filename == path
    private = taeda.from_file(path, size=2, dtype=taeda.int16)
    private[0] = 9
    assert shared.tolist() == [1, -2] and private.untyped_storage().filename is None
    with pytest.raises(RuntimeError, match="has 4 bytes, 12 are to be mapped"):
        taeda.FloatStorage.from_file(path, size=3)
    assert taeda.UntypedStorage.from_file(path, True, 8).nbytes() == 8 and taeda.ShortStorage.from_file(path, size=4).tolist() == [1, -2, 0, 0]


@pytest.mark.parametrize("nbytes", [1, 63, 64, 65, 1000, 5000, 1 << 20])
def test_blocks_are_aligned_to_64_bytes(nbytes: int) -> None:
    assert all(taeda.empty(nbytes, dtype=taeda.uint8).data_ptr() % 64 == 0 for _ in range(20))


@pytest.mark.skipif("TAEDA_SANITIZED" in os.environ, reason="AddressSanitizer keeps freed objects, and the tensors' blocks with them")
def test_a_freed_block_is_handed_out_again() -> None:
    x = taeda.empty(100_000)
    at, hits = x.data_ptr(), memory_stats()["cache_hits"]
    del x
    y = taeda.empty(100_000)
    assert (y.data_ptr(), memory_stats()["cache_hits"]) == (at, hits + 1)


def test_statistics_follow_what_is_alive() -> None:
    before = memory_stats()["allocated_bytes.current"]
    x = taeda.empty(250_000)
    grown = memory_stats()["allocated_bytes.current"] - before
    assert 1_000_000 <= grown <= 1_130_000, "at most an eighth more than was asked for"
    del x
    assert memory_stats()["allocated_bytes.current"] == before


@pytest.mark.skipif("TAEDA_SANITIZED" in os.environ, reason="AddressSanitizer keeps freed objects, and the tensors' blocks with them")
@pytest.mark.parametrize("bytes_each", [1, 64, 65, 1000, 1024, 1025])
def test_small_blocks_wait_on_the_shelf_and_count_as_free(bytes_each: int, cache_limit_put_back: None) -> None:
    before = memory_stats()
    blocks = [taeda.empty(bytes_each, dtype=taeda.uint8) for _ in range(100)]          # more than the shelf keeps
    reset_peak_memory_stats()
    held = memory_stats()
    places = {x.data_ptr() for x in blocks}
    assert len(places) == 100
    assert held["allocated_blocks.current"] - before["allocated_blocks.current"] == 100
    assert held["allocated_bytes.peak"] == held["allocated_bytes.current"] >= before["allocated_bytes.current"] + 100 * bytes_each
    del blocks
    freed = memory_stats()
    assert freed["allocated_bytes.current"] == before["allocated_bytes.current"]
    assert freed["allocated_blocks.current"] == before["allocated_blocks.current"]
    assert freed["allocated_bytes.peak"] == held["allocated_bytes.peak"]
    again = [taeda.empty(bytes_each, dtype=taeda.uint8) for _ in range(101)]
    assert len({x.data_ptr() for x in again} & places) == 100
    assert memory_stats()["cache_hits"] - freed["cache_hits"] >= 100
    assert memory_stats()["allocated_bytes.peak"] > held["allocated_bytes.peak"]
    del again
    empty_cache()
    assert memory_stats()["cached_bytes.current"] == 0
    set_cache_limit(0)
    last = taeda.empty(bytes_each, dtype=taeda.uint8)
    del last
    assert memory_stats()["cached_bytes.current"] == 0


def test_a_file_that_cannot_be_mapped_is_left_as_it_was(tmp_path: pathlib.Path) -> None:
    small, none = tmp_path / "small", tmp_path / "none"
    small.write_bytes(b"abc")
    for size in (2**62, 2**70, -1, 2**50):                  # the last one may be a file, but no address space
        for path in (small, none):
            with pytest.raises(RuntimeError, match=r"^\[from_file\] "):
                taeda.from_file(str(path), shared=True, size=size, dtype=taeda.uint8)
            assert small.read_bytes() == b"abc" and not none.exists()
    with pytest.raises(RuntimeError, match=r"^\[from_file\] unable to map 12 bytes of file <.*>: No such device"):
        taeda.from_file(str(tmp_path), size=3)
    with pytest.raises(TypeError, match="str"):
        taeda.from_file(str(small), size="3")


def test_the_cache_is_bounded_and_can_be_emptied(cache_limit_put_back: None) -> None:
    set_cache_limit(1 << 20)
    blocks = [taeda.empty(1 << 18) for _ in range(8)]          # 1 MiB each
    del blocks
    assert memory_stats()["cached_bytes.current"] <= 1 << 20
    empty_cache()
    assert memory_stats()["cached_bytes.current"] == 0


@pytest.mark.skipif("TAEDA_SANITIZED" in os.environ, reason="blocks are not kept there")
def test_a_full_cache_starts_anew_with_the_sizes_in_use(cache_limit_put_back: None) -> None:
    empty_cache()
    set_cache_limit(8 << 20)
    old = [taeda.empty(1 << 17) for _ in range(16)]            # 8 MiB in all, of a size that is not asked for again
    del old
    taeda.empty(5 << 15)                                       # 640 KiB: kept, and what was there given back
    assert memory_stats()["cached_bytes.current"] == 5 << 17
    hits = memory_stats()["cache_hits"]
    taeda.empty(5 << 15)
    assert memory_stats()["cache_hits"] > hits


def test_an_absurd_size_is_a_memory_error_with_its_figures() -> None:
    with pytest.raises((MemoryError, RuntimeError), match=r"4,611,686,018,427,387,|1,099,511,627,776|memory|overflow"):
        taeda.empty(1 << 60, dtype=taeda.uint8)
    with pytest.raises(RuntimeError, match="overflow"):
        taeda.empty(1 << 40, 1 << 40)
    assert taeda.ones(3).sum().item() == 3


def test_threads_allocate_and_free_at_once() -> None:
    wrong: list[int] = []

    def work(seed: int) -> None:
        held = []
        for k in range(400):
            x = taeda.full(((seed * 37 + k * 101) % 3000 + 1,), float(seed))
            held.append(x)
            if len(held) > 7:
                y = held.pop(k % 7)
                if bool((y != seed).any()):
                    wrong.append(seed)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert wrong == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_fork_while_another_thread_allocates_finds_the_lists_whole() -> None:
    stop = threading.Event()

    def churn() -> None:
        while not stop.is_set():
            taeda.empty(5000)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        for _ in range(5):
            pid = os.fork()
            if pid == 0:
                ok = taeda.ones(5000).sum().item() == 5000
                os._exit(0 if ok else 1)
            limit = time.monotonic() + 10
            status = None
            while status is None and time.monotonic() < limit:
                done, found = os.waitpid(pid, os.WNOHANG)
                status = found if done else None
                time.sleep(0.005)
            if status is None:
                os.kill(pid, 9)
            assert status == 0, "the child hung or failed"
    finally:
        stop.set()
        thread.join()


def test_a_storage_on_meta_has_sizes_and_no_elements() -> None:
    typed = taeda.TypedStorage([1, 2], dtype=taeda.int16, device="meta")
    bytes_ = typed.untyped()
    for read in (typed.cpu, bytes_.cpu, typed.tolist, bytes_.tolist, lambda: typed[0], lambda: typed[9], lambda: bytes_[0], lambda: bytes_[:1]):
        with pytest.raises(NotImplementedError, match="meta"):
            read()
    for source, target in ((typed, taeda.ShortStorage(2)), (bytes_, taeda.UntypedStorage(4))):
        with pytest.raises(NotImplementedError, match="no data"):
            target.copy_(source)
        assert source.copy_(target) is source and source.fill_(1) is source          # nothing to write: nothing happens
    bytes_[0] = 3
    typed.resize_(5)
    assert typed.size() == 5 and bytes_.nbytes() == 10 and bytes_.data_ptr() == 0


def test_views_of_one_storage_have_its_number() -> None:
    x = taeda.arange(6.0)
    number = x.untyped_storage()._cdata
    assert x[2:].untyped_storage()._cdata == number == x.view(2, 3).storage()._cdata
    assert x.clone().untyped_storage()._cdata != number


def test_a_deep_copy_of_tensors_and_their_storages_shares_as_they_did() -> None:
    x, y = taeda.ones(2), taeda.zeros(3)
    (bytes_, a, typed), [b, of_b] = copy.deepcopy(((x.untyped_storage(), x, x.storage()), [y, y.untyped_storage()]))
    a.add_(1)
    assert bytes_ is a.untyped_storage() is typed.untyped() and typed.tolist() == [2, 2] and x.tolist() == [1, 1]
    assert of_b is b.untyped_storage() and of_b is not y.untyped_storage()
    for s in (x.untyped_storage(), x.storage()):
        assert copy.copy(s).tolist() == s.tolist() and copy.copy(s).data_ptr() != s.data_ptr()


def test_the_size_of_a_storage_counts_its_memory() -> None:
    for read in (taeda.Tensor.untyped_storage, taeda.Tensor.storage):
        assert read(taeda.ones(10)).__sizeof__() - read(taeda.ones(0)).__sizeof__() == 40


def test_storages_are_read_as_elements_of_a_dtype() -> None:
    x = taeda.arange(3.0)
    for s in (x.untyped_storage(), x.storage()):
        copied, shared, new = taeda.tensor(s, dtype=taeda.float32), taeda.as_tensor(s, dtype=taeda.float32), x.new(s)
        assert copied.tolist() == shared.tolist() == new.tolist() == [0, 1, 2]
        assert copied.data_ptr() != x.data_ptr() == shared.data_ptr() == new.data_ptr()
    assert taeda.tensor(x.untyped_storage()[:8]).dtype is taeda.int64 and taeda.tensor(x.storage()).dtype is taeda.float32
    assert taeda.tensor(taeda.UntypedStorage(7), dtype=taeda.int16).shape == (3,)
    for bad in (lambda: taeda.tensor(x.storage(), dtype=taeda.float64), lambda: taeda.as_tensor(x.storage(), dtype=taeda.int32)):
        with pytest.raises(RuntimeError, match=r"^\[tensor\] expected a storage of taeda"):
            bad()
    assert taeda.UntypedStorage(device="meta").device.type == "meta"


def test_storages_have_subclasses() -> None:
    class Mine(taeda.UntypedStorage):
        pass

    s = Mine([1, 2, 3, 4])
    part, copied = s[1:3], s.clone()
    assert type(part) is type(copied) is Mine and isinstance(s, taeda.UntypedStorage) and s.tolist() == copied.tolist() == [1, 2, 3, 4]
    part[0] = 9
    assert s[1] == 9 and copied[1] == 2 and type(taeda.UntypedStorage(4)[1:]) is taeda.UntypedStorage
    x = taeda.tensor([], dtype=taeda.uint8).set_(s)
    assert x.tolist() == [1, 9, 3, 4] and Mine(2, device="meta").clone().device.type == "meta"


def test_new_with_a_device() -> None:
    x = taeda.ones(2)
    assert x.new(3, device="cpu").shape == (3,) and x.new([1, 2], device="cpu").tolist() == [1.0, 2.0]
    with pytest.raises(RuntimeError, match="tensor.new\\(tensor, device=device\\) is not supported"):
        x.new(x, device="cpu")
    with pytest.raises(RuntimeError, match="legacy constructor expects device type: cpu but device type: meta was passed"):
        x.new(2, device="meta")


def test_storage_follows_the_default_dtype() -> None:
    s = taeda.Storage(3)
    assert s.dtype is taeda.float32 and isinstance(s, taeda.FloatStorage) and isinstance(s, taeda.Storage)
    taeda.set_default_dtype(taeda.float64)
    try:
        assert taeda.Storage([1, 2]).dtype is taeda.float64 and not isinstance(s, taeda.Storage)
    finally:
        taeda.set_default_dtype(taeda.float32)
