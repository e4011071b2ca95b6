"""``from taeda import *`` and that of its rooms: what comes, and what a program's own names are safe from."""

import types

import pytest


def brought_by(room: str) -> dict:
    names: dict = {}
    exec(f"from {room} import *", names)
    names.pop("__builtins__")
    return names


def test_the_package_brings_functions_classes_and_constants_also_those_that_are_made_on_first_touch() -> None:
    names = brought_by("taeda")
    wanted = "Tensor tensor float32 pi no_grad load save sparse_coo_tensor FloatTensor LongTensor autocast vmap compile cond Generator manual_seed"
    assert set(wanted.split()) <= set(names)
    assert names["FloatTensor"](2).shape == (2,) and names["sparse_coo_tensor"] is __import__("taeda").sparse_coo_tensor


def test_the_package_brings_no_rooms_and_nothing_that_only_raises() -> None:
    names = brought_by("taeda")
    assert [name for name, value in names.items() if isinstance(value, types.ModuleType)] == []
    assert not {"random", "storage", "threads", "nn", "ops", "cuda", "xpu", "mps", "eig", "solve", "lstsq", "symeig", "matrix_rank"} & set(names)
    assert not [name for name in names if name.startswith("_")]


@pytest.mark.parametrize("room, kept", [
    ("taeda.distributions", "transforms utils kl constraints distribution kl_pairs constraint_registry transformed_distribution"),
    ("taeda.autograd", "function graph anomaly_mode forward_ad"),
])  # fmt: skip
def test_rooms_leave_a_programs_own_names_alone(room: str, kept: str) -> None:
    assert not set(kept.split()) & set(brought_by(room))


def test_rooms_still_have_what_they_do_not_bring() -> None:
    import taeda

    assert taeda.distributions.transforms.ExpTransform is taeda.distributions.ExpTransform
    assert taeda.autograd.function.Function is taeda.autograd.Function and taeda.autograd.graph.Node is not None
