"""Default devices, older programs' constructors, and the switches that are accepted and change nothing."""

import pickle
import threading

import numpy as np
import pytest

import taeda


def test_default_devices() -> None:
    meta = taeda.device("meta")
    with meta as entered:
        assert entered is meta and taeda.get_default_device() == meta
        made = [
            taeda.zeros(2), taeda.ones(2), taeda.empty(2), taeda.full((2,), 3), taeda.eye(2), taeda.arange(3), taeda.linspace(0, 1, 3),
            taeda.tensor([1]), taeda.tensor(2.0), taeda.rand(2), taeda.randn(2), taeda.randint(3, (2,)), taeda.randperm(3),
            taeda.tril_indices(2, 2), taeda.empty_strided((2,), (1,)), taeda.logspace(0, 1, 3), taeda.scalar_tensor(1),
            taeda.as_tensor([1, 2]), taeda.normal(0.0, 1.0, (2,)),
        ]  # fmt: skip
        assert [t.device.type for t in made] == ["meta"] * len(made)
        assert taeda.zeros(2, device="cpu").device.type == "cpu"
        with taeda.device("cpu"):
            assert taeda.zeros(2).device.type == "cpu"
            seen = []
            other = threading.Thread(target=lambda: seen.append(taeda.zeros(1).device.type))
            other.start()
            other.join()
        assert seen == ["cpu"] and taeda.zeros(2).device.type == "meta"
    assert taeda.zeros(2).device.type == "cpu"

    @meta
    def shape():
        return taeda.ones(3) + taeda.rand(3)

    assert shape().is_meta and not taeda.ones(1).is_meta
    with pytest.raises(ZeroDivisionError), meta:
        raise ZeroDivisionError
    assert not taeda.ones(1).is_meta


def test_set_default_device() -> None:
    try:
        taeda.set_default_device("meta")
        taeda.set_default_device(taeda.device("meta"))
        assert taeda.zeros(1).is_meta and taeda.tensor(1.0).is_meta
        with taeda.device("cpu"):
            assert not taeda.zeros(1).is_meta
        taeda.set_default_device("cuda")
        with pytest.raises(RuntimeError, match="no CUDA device"):
            taeda.zeros(1)
    finally:
        taeda.set_default_device(None)
    assert not taeda.zeros(1).is_meta and taeda.get_default_device() == taeda.device("cpu")
    with pytest.raises(RuntimeError):
        taeda.set_default_device("nowhere")


def test_typed_constructors() -> None:
    assert taeda.FloatTensor(2, 3).shape == (2, 3) and taeda.FloatTensor().shape == (0,)
    assert taeda.FloatTensor(taeda.Size([2, 1])).shape == (2, 1)
    assert taeda.FloatTensor((2, 3)).tolist() == [2.0, 3.0] and taeda.LongTensor([1.5]).tolist() == [1]
    assert taeda.DoubleTensor(np.ones(2, np.float32)).dtype == taeda.float64
    assert taeda.ByteTensor(range(2)).dtype == taeda.uint8 and taeda.BoolTensor([1, 0]).tolist() == [True, False]
    x = taeda.ones(2)
    assert taeda.FloatTensor(x).data_ptr() == x.data_ptr()
    assert isinstance(x, taeda.FloatTensor) and not isinstance(x, taeda.LongTensor) and not isinstance(1, taeda.FloatTensor)
    assert not isinstance(taeda.empty(1, device="meta"), taeda.FloatTensor)
    assert x.type(taeda.DoubleTensor).dtype == taeda.float64 and x.type(taeda.LongTensor).type() == "taeda.LongTensor"
    assert repr(taeda.FloatTensor) == "<class 'taeda.FloatTensor'>" and taeda.FloatTensor.dtype is taeda.float32
    for make in (taeda.FloatTensor, taeda.Tensor):
        assert make((2, 3), device="cpu").tolist() == [2.0, 3.0]
        with pytest.raises(RuntimeError, match=r"of the form Tensor\(tensor, device=device\) is not supported"):
            make(x, device="cpu")
        with pytest.raises(RuntimeError, match="legacy constructor expects device type: cpu but device type: meta"):
            make((2, 3), device="meta")
    for wrong in (3.0, "a", x.long(), [[1, 2], [3]], -1):
        with pytest.raises((TypeError, ValueError, RuntimeError)):
            taeda.FloatTensor(wrong)


def test_default_tensor_type() -> None:
    try:
        taeda.set_default_tensor_type(taeda.DoubleTensor)
        assert taeda.zeros(1).dtype == taeda.float64 and taeda.Tensor(2).dtype == taeda.float64
        taeda.set_default_tensor_type("torch.FloatTensor")
        assert taeda.zeros(1).dtype == taeda.float32
    finally:
        taeda.set_default_dtype(taeda.float32)
    for wrong in (taeda.LongTensor, "foo", 3):
        with pytest.raises(TypeError):
            taeda.set_default_tensor_type(wrong)
    assert taeda.typename(taeda.ones(1).long()) == "taeda.LongTensor" and taeda.typename(3) == "int"
    assert taeda.is_storage(taeda.ones(1).untyped_storage()) and taeda.is_storage(taeda.ones(1).storage()) and not taeda.is_storage(1)


def test_switches() -> None:
    taeda.use_deterministic_algorithms(True, warn_only=True)
    assert taeda.are_deterministic_algorithms_enabled() and taeda.is_deterministic_algorithms_warn_only_enabled()
    assert taeda.get_deterministic_debug_mode() == 1
    taeda.set_deterministic_debug_mode("error")
    assert taeda.get_deterministic_debug_mode() == 2
    taeda.set_deterministic_debug_mode(0)
    assert not taeda.are_deterministic_algorithms_enabled()
    with pytest.raises(TypeError):
        taeda.use_deterministic_algorithms(1)  # type: ignore[arg-type]
    with pytest.raises(RuntimeError):
        taeda.set_deterministic_debug_mode("loud")
    taeda.set_float32_matmul_precision("high")
    assert taeda.get_float32_matmul_precision() == "high"
    taeda.set_float32_matmul_precision("highest")
    with pytest.raises(RuntimeError):
        taeda.set_float32_matmul_precision("low")
    with pytest.raises(RuntimeError):
        taeda.set_num_interop_threads(0)
    before = taeda.get_num_interop_threads()
    taeda.set_num_interop_threads(3)
    assert taeda.get_num_interop_threads() == 3
    taeda.set_num_interop_threads(before)


@pytest.mark.parametrize("threads", [1, 2])
def test_denormal_numbers_are_flushed_by_every_thread(threads: int) -> None:
    x, y = taeda.full((200_000,), 1e-310, dtype=taeda.float64), taeda.full((1_000,), 1e-40)
    before = taeda.get_num_threads()
    taeda.set_num_threads(threads)
    try:
        if not taeda.set_flush_denormal(True):
            pytest.skip("the processor keeps denormal numbers")
        flushed = (x * 0.5).view(taeda.int64).any(), (y * 0.5).view(taeda.int32).any(), float("1e-310") * 0.5
        assert taeda.set_flush_denormal(False)
        assert not flushed[0] and not flushed[1] and flushed[2] == 0.0
        assert bool(((x * 0.5) == 5e-311).all()) and bool(((y * 0.5) > 0).all())
    finally:
        taeda.set_flush_denormal(False)
        taeda.set_num_threads(before)
    with pytest.raises(TypeError, match=r"\[set_flush_denormal\] expected a bool, got int"):
        taeda.set_flush_denormal(1)  # type: ignore[arg-type]


def test_backends_and_version() -> None:
    with getattr(taeda.backends, "__allow_nonbracketed_mutation")():       # noqa: B009 (a name of a class would be mangled)
        taeda.backends.cudnn.deterministic = True
    assert taeda.backends.cudnn.deterministic and not taeda.backends.flags_frozen()
    taeda.backends.cudnn.deterministic = False
    assert taeda.backends.cudnn.enabled and not taeda.backends.cudnn.is_available() and not taeda.backends.mps.is_built()
    taeda.backends.cudnn.benchmark = True
    with taeda.backends.cudnn.flags(enabled=False):
        assert not taeda.backends.cudnn.enabled
    assert taeda.backends.cudnn.benchmark and taeda.backends.cudnn.enabled
    taeda.backends.cudnn.benchmark = False
    with pytest.raises(AttributeError, match="benchmark"):
        taeda.backends.cudnn.nothing  # noqa: B018
    assert taeda.version.cuda is None and taeda.version.__version__ == taeda.__version__


def test_compile_returns_the_function_that_it_is_given() -> None:
    assert taeda.compile(taeda.sin, fullgraph=True) is taeda.sin

    @taeda.compile(mode="max-autotune")
    def double(x):
        return x + x

    assert double(taeda.ones(1)).item() == 2
    with pytest.raises(TypeError, match="turbo"):
        taeda.compile(taeda.sin, turbo=1)
    with pytest.raises(AssertionError, match="must be callable, got int"):
        taeda.compile(3)  # type: ignore[arg-type]
    for wrong, text in (({"mode": "turbo"}, "Unrecognized mode=turbo"), ({"mode": "default", "options": {}}, "Either mode or options")):
        with pytest.raises(RuntimeError, match=text):
            taeda.compile(taeda.sin, **wrong)


def test_constants_and_sizes() -> None:
    assert taeda.ones(2)[taeda.newaxis].shape == (1, 2) and taeda.inf > taeda.pi > taeda.e and taeda.nan != taeda.nan
    size = pickle.loads(pickle.dumps(taeda.Size([2, 3])))
    assert size == taeda.Size([2, 3]) and isinstance(size, taeda.Size)


def test_libraries_are_imported_as_modules() -> None:
    import taeda.backends.cudnn as cudnn
    from taeda.backends import cudnn as same

    assert cudnn is same is taeda.backends.cudnn and cudnn.__name__ == "taeda.backends.cudnn" and cudnn.version() is None
    with cudnn.flags(enabled=False):
        assert not taeda.backends.cudnn.enabled
    assert cudnn.enabled
    with pytest.raises(AttributeError, match=r"no flag 'benchmrk'; there are allow_tf32, benchmark,"):
        cudnn.benchmrk  # noqa: B018


def test_questions_about_gpus_that_are_not_there() -> None:
    cuda = taeda.cuda
    assert [cuda.memory_allocated(), cuda.max_memory_allocated(), cuda.memory_reserved(), cuda.max_memory_reserved()] == [0] * 4
    assert not cuda.is_initialized() and not cuda.is_bf16_supported() and not cuda.is_tf32_supported() and cuda.get_rng_state_all() == []
    cuda.seed(), cuda.seed_all(), cuda.ipc_collect(), cuda.reset_peak_memory_stats(), cuda.set_rng_state_all([])
    for name in ("init", "get_device_name", "get_device_properties", "set_device", "mem_get_info", "get_rng_state", "initial_seed"):
        with pytest.raises(RuntimeError, match=rf"\[cuda.{name}\] no CUDA device is available"):
            getattr(cuda, name)()


def test_classes_bear_the_names_that_users_know() -> None:
    wanted = ("Tensor", "dtype", "Size", "device", "Generator", "layout", "memory_format", "finfo", "iinfo")
    for name in wanted:
        cls = getattr(taeda, name)
        assert repr(cls) == f"<class 'taeda.{name}'>" and pickle.loads(pickle.dumps(cls)) is cls


def test_programs_may_give_the_class_tensor_attributes_of_their_own() -> None:
    x, plus = taeda.ones(2), taeda.Tensor.__add__
    taeda.Tensor.doubled = lambda self: self * 2
    taeda.Tensor.__add__ = lambda a, b: "added"
    try:
        assert x.doubled().tolist() == [2.0, 2.0] and x + 1 == "added"
    finally:
        del taeda.Tensor.doubled
        taeda.Tensor.__add__ = plus
    assert not hasattr(x, "doubled") and (x + 1).tolist() == [2.0, 2.0]


def test_factors_may_stand_between_the_tensors_which_is_warned_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taeda._once._told", set())
    x, g = taeda.ones(2), taeda.tensor([1.0, 2.0])
    with pytest.warns(UserWarning, match=r"^This overload of add_ is deprecated: give alpha by keyword"):
        assert x.add_(-0.5, g) is x
    assert x.tolist() == [0.5, 0.0] and taeda.add(x, 2, g).tolist() == [2.5, 4.0]
    assert x.add(2, 3.0).tolist() == [6.5, 6.0] and taeda.add(1, 2, g).tolist() == [3.0, 5.0] and g.clone().sub_(2, 0.5).tolist() == [0.0, 1.0]
    assert g.addcmul(3, g, g).tolist() == [4.0, 14.0] and g.clone().addcdiv_(2, g, g).tolist() == [3.0, 4.0]
    assert taeda.addmm(2, taeda.ones(1, 1), 3, taeda.ones(1, 2), taeda.ones(2, 1)).item() == 8
    taeda.set_warn_always(True)
    try:
        for _ in range(2):
            with pytest.warns(UserWarning, match="^This overload of add is deprecated"):
                taeda.add(x, 2, g)
    finally:
        taeda.set_warn_always(False)
    for wrong in (lambda: x.mul(2, x), lambda: x.add(x, 2), lambda: taeda.add(x, x, 2), lambda: x.add(1, 2, x), lambda: x.add(2, None), lambda: x.add()):
        with pytest.raises(TypeError):
            wrong()


@pytest.mark.filterwarnings("ignore:This overload of .* is deprecated")
def test_factors_between_the_tensors_may_be_tensors_of_no_dimensions() -> None:
    half, g, m = taeda.tensor(0.5), taeda.tensor([1.0, 2.0]), taeda.ones(2, 2)
    assert g.add(half, g).tolist() == [1.5, 3.0] and g.clone().sub_(half, g).tolist() == [0.5, 1.0]
    assert g.clone().addcdiv_(-half, g, g).tolist() == [0.5, 1.5] and taeda.addcmul(g, half, g, g).tolist() == [1.5, 4.0]
    assert taeda.addmm(half, m, m, m).tolist() == [[2.5] * 2] * 2 == m.addmm(half, m, m).tolist()
    assert taeda.addmm(half, m, half, m, m).tolist() == [[1.5] * 2] * 2 == m.addmm(half, half, m, m).tolist()
    assert taeda.addmm(2, half, half, m, m).tolist() == [[2.0] * 2] * 2 == half.addmm(2, half, m, m).tolist()
    assert m[0].clone().addmv_(half, m, g).tolist() == [3.5, 3.5] and m.addr(half, 2, g, g).tolist() == [[2.5, 4.5], [4.5, 8.5]]
    for wrong in (taeda.ones(1), taeda.ones((), requires_grad=True)):
        for call in (lambda w: g.add(w, g), lambda w: g.addcmul(w, g, g), lambda w: taeda.addmm(w, m, m, m), lambda w: m.addmm(w, w, m, m)):
            with pytest.raises(TypeError, match="positional arguments"):
                call(wrong)


def test_a_difference_from_a_number_takes_its_factor_by_position() -> None:
    assert taeda.rsub(taeda.ones(1), 2, 3).item() == -1.0 == taeda.rsub(taeda.ones(1), 2, alpha=3).item()


def test_new_takes_sizes_by_keyword_and_shares_what_it_is_given() -> None:
    x = taeda.ones(3, dtype=taeda.float64)
    assert x.new(size=(2, 3)).shape == (2, 3) == x.new(2, 3, device="cpu").shape and x.new((2, 3)).tolist() == [2, 3]
    assert x.new(x).data_ptr() == x.data_ptr() and x.new(np.array([1, 2])).dtype is taeda.float64
    with pytest.raises(TypeError, match=r"^\[new\] expected a tensor of taeda.float64"):
        x.new(taeda.ones(3))


@pytest.mark.parametrize(("call", "error"), [
    (lambda x, g: x.apply_(lambda v: "1"), TypeError), (lambda x, g: x.apply_(lambda v: None), TypeError), (lambda x, g: x.map_(x, "f"), TypeError),
    (lambda x, g: x.map_(x.double(), max), TypeError), (lambda x, g: x.map_(g, max), RuntimeError), (lambda x, g: g.apply_(abs), RuntimeError),
    (lambda x, g: x.map2_(x, x, lambda a, b, c: None), TypeError), (lambda x, g: x.map2_(x, g, max), RuntimeError),
])  # fmt: skip
def test_functions_of_elements_return_numbers_and_meet_no_graph(call, error) -> None:
    x = taeda.ones(2)
    with pytest.raises(error, match=r"^\[(apply_|map_|map2_)\] "):
        call(x, taeda.ones(2, requires_grad=True))
    assert x.apply_(lambda v: taeda.tensor(v + 1)).map_(x, lambda a, b: a * b).tolist() == [4, 4]
    assert taeda.ones(2, device="meta").apply_(abs).shape == (2,)


def test_libraries_that_gpus_would_prefer() -> None:
    cuda = taeda.backends.cuda
    assert cuda.preferred_linalg_library().name == "Default" and cuda.preferred_linalg_library("default") is cuda.preferred_linalg_library()
    assert cuda.preferred_blas_library("cublas").name == "Cublas" and cuda.preferred_blas_library(cuda.preferred_blas_library()).value == 1
    for call, wrong in [(cuda.preferred_linalg_library, "magma"), (cuda.preferred_linalg_library, "foo"),
                        (cuda.preferred_blas_library, "hipblaslt"), (cuda.preferred_blas_library, 3)]:
        with pytest.raises(RuntimeError, match="is not there|choose from|value type"):
            call(wrong)


@pytest.mark.parametrize("name", ["addcmul", "addcdiv"])
def test_a_factor_that_is_a_tensor_counts_as_its_number(name: str) -> None:
    x = taeda.linspace(0.1, 3, 50).bfloat16()
    for call in (getattr(taeda, name), getattr(taeda.Tensor, f"{name}_")):
        assert taeda.equal(call(x.clone(), x, x, value=taeda.tensor(0.3)), call(x.clone(), x, x, value=taeda.tensor(0.3).item()))
        for wrong in (taeda.ones(1), taeda.ones((), requires_grad=True)):
            with pytest.raises(TypeError, match="must be Number, not Tensor"):
                call(x.clone(), x, x, value=wrong)


@pytest.mark.parametrize("name", ["addcmul", "addcdiv"])
def test_a_complex_factor_of_real_tensors_is_refused(name: str) -> None:
    x = taeda.ones(2)
    for call in (getattr(taeda, name), getattr(taeda.Tensor, f"{name}_")):
        with pytest.raises(RuntimeError, match="cannot be converted to type float32 without overflow"):
            call(x, x, x, value=1j)
    assert getattr(taeda, name)(x + 0j, x, x, value=1j).tolist() == [1 + 1j] * 2
    with pytest.raises(NotImplementedError, match="complex"):
        x.clamp_min(1j)
