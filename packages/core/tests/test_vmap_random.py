"""vmap of what draws at random: the same numbers for all samples, others for each, or a refusal."""

from __future__ import annotations

import pytest

import taeda
from taeda.func import grad, vmap


def test_randomness_is_the_same_or_different_for_the_samples() -> None:
    x = taeda.zeros(4, 20)
    same = vmap(lambda a: a + taeda.rand(20), randomness="same")(x)
    assert all(same[i].tolist() == same[0].tolist() for i in range(4))
    different = vmap(lambda a: a + taeda.rand(20), randomness="different")(x)
    assert different[0].tolist() != different[1].tolist()
    taeda.manual_seed(1)
    assert vmap(lambda a: taeda.randn(20), randomness="different")(x).tolist() == (taeda.manual_seed(1), taeda.randn(4, 20))[1].tolist()
    mask = vmap(lambda a: taeda.dropout(a + 1, 0.5, True), randomness="same")(x)
    assert mask[0].tolist() == mask[1].tolist() and 0 < mask.sum() < 160
    mask = vmap(lambda a: taeda.dropout(a + 1, 0.5, True), randomness="different")(x)
    assert mask[0].tolist() != mask[1].tolist()
    filled = vmap(lambda a: a.clone().uniform_(), randomness="different")(x)
    assert filled[0].tolist() != filled[1].tolist()
    filled = vmap(lambda a: a.clone().uniform_(), randomness="same")(x)
    assert filled[0].tolist() == filled[1].tolist()
    assert sorted(vmap(lambda a: taeda.randperm(5), randomness="different")(x)[2].tolist()) == [0, 1, 2, 3, 4]
    with pytest.raises(RuntimeError, match="different inplace randomness on an unbatched tensor"):
        vmap(lambda a: taeda.zeros(2).uniform_(), randomness="different")(x)
    nested = vmap(vmap(lambda a: taeda.rand(()), randomness="same"), randomness="different")(taeda.zeros(3, 4))
    assert nested[0, 0] == nested[0, 3] and nested[0, 0] != nested[1, 0]


def test_multinomial_of_matrices_draws_for_each_sample() -> None:
    def draw(a: taeda.Tensor) -> taeda.Tensor:
        return taeda.multinomial(a, 2)

    p = taeda.eye(5)[taeda.tensor([[0, 1, 2], [3, 4, 0]])] + taeda.eye(5)[4]  # two classes to a row, or one
    drawn = vmap(lambda a: taeda.multinomial(a, 7, True), randomness="different")(p)
    assert drawn.shape == (2, 3, 7) and bool((p.gather(2, drawn) > 0).all())
    kept = taeda.ones(3, 50)
    drawn = vmap(lambda a: draw(kept), randomness="different")(taeda.zeros(4))
    assert drawn.shape == (4, 3, 2) and not taeda.equal(drawn[0], drawn[1])
    assert vmap(vmap(draw, randomness="different"), randomness="different")(taeda.ones(2, 4, 3, 5)).shape == (2, 4, 3, 2)
    classes = vmap(lambda a: taeda.distributions.Categorical(a, validate_args=False).sample(), randomness="different")(taeda.eye(6)[2:])
    assert classes.tolist() == [2, 3, 4, 5]


@pytest.mark.parametrize("name", ["_standard_gamma", "_sample_dirichlet"])
def test_gamma_samples_obey_the_randomness_of_vmap(name: str) -> None:
    draw, kept = getattr(taeda, name), taeda.ones(3)
    for f in (draw, lambda a: draw(kept)):
        with pytest.raises(RuntimeError, match="randomness error mode"):
            vmap(f)(taeda.ones(4, 3))
    with pytest.raises(RuntimeError, match="same randomness with a batched tensor"):
        vmap(draw, randomness="same")(taeda.ones(4, 3))
    same = vmap(lambda a: draw(kept), randomness="same", out_dims=0)(taeda.zeros(4))
    assert taeda.equal(same[0], same[3])
    for f in (draw, lambda a: draw(kept)):
        different = vmap(f, randomness="different")(taeda.ones(4, 3))
        assert not taeda.equal(different[0], different[1])


def test_dropout_that_draws_nothing_needs_no_randomness() -> None:
    assert vmap(lambda a: taeda.dropout(a, 0.5, False))(taeda.ones(2)).tolist() == [1, 1]


def test_normal_numbers_of_all_samples_are_one_draw() -> None:
    x = taeda.zeros(4)
    for draw in (lambda a: a + taeda.normal(1.0, 2.0, (3, 3)), lambda a: a + taeda.normal(1.0, 2.0, size=(3, 3))):
        taeda.manual_seed(0)
        found = vmap(draw, randomness="different")(x)
        taeda.manual_seed(0)
        assert found.equal(taeda.normal(1.0, 2.0, (4, 3, 3)))


def test_bernoulli_in_place_draws_as_without_vmap() -> None:
    taeda.manual_seed(0)
    p = taeda.rand(3, 4)
    for dim in (0, 1):
        taeda.manual_seed(1)
        x = taeda.zeros(3, 2, 4) if dim == 0 else taeda.zeros(2, 3, 4)
        found = vmap(lambda a, p: a.bernoulli_(p), in_dims=(dim, 0), randomness="different")(x, p)
        taeda.manual_seed(1)
        wanted = taeda.zeros_like(x).movedim(dim, 0).bernoulli_(p[:, None])
        assert found.equal(wanted) and x.movedim(dim, 0).equal(wanted)


def test_the_same_draw_by_an_input_of_a_transform_that_has_no_batch() -> None:
    x = taeda.full((3,), 0.5)

    def drawn(w: taeda.Tensor) -> taeda.Tensor:
        return w * taeda.bernoulli(w)

    def pushed(v: taeda.Tensor) -> tuple[taeda.Tensor, taeda.Tensor]:
        return taeda.func.jvp(drawn, (x,), (v,))

    def pulled(v: taeda.Tensor) -> taeda.Tensor:
        y, pull = taeda.func.vjp(lambda w: w * taeda.normal(w, 1.0) * taeda.multinomial(w, 3, replacement=True), x)
        return pull(v)[0]

    taeda.manual_seed(0)
    once = taeda.bernoulli(x)
    taeda.manual_seed(0)
    y, tangent = taeda.vmap(pushed, randomness="same")(taeda.ones(4, 3))
    assert taeda.allclose(y, (x * once).expand(4, 3), 1e-6, 0)
    assert taeda.equal(tangent, once.expand(4, 3))
    got = taeda.vmap(pulled, randomness="same")(taeda.ones(4, 3))
    assert taeda.equal(got, got[:1].expand(4, 3))
    with pytest.raises(RuntimeError, match="same randomness"):
        taeda.vmap(lambda w: taeda.func.vjp(drawn, w)[0], randomness="same")(taeda.tensor([[0.2], [0.7]]))


@pytest.mark.parametrize("draw", [
    lambda w: taeda.dropout(w, 0.5, True), lambda w: taeda.alpha_dropout(w, 0.5, True), taeda._standard_gamma,
    lambda w: taeda.feature_dropout(w.reshape(2, 3, 2), 0.5, True).flatten(),
])
def test_what_one_draw_makes_of_an_input_of_all_samples_has_a_gradient_for_each(draw) -> None:
    def loss(w: taeda.Tensor, x: taeda.Tensor) -> taeda.Tensor:
        return (draw(w) * x).sum()

    taeda.manual_seed(1)
    w, x, each = taeda.arange(1.0, 13.0), taeda.rand(3, 12), []
    for i in range(3):
        taeda.manual_seed(0)
        each.append(taeda.func.grad(loss)(w, x[i]))
    taeda.manual_seed(0)
    found = vmap(taeda.func.grad(loss), in_dims=(None, 0), randomness="same")(w, x)
    taeda.testing.assert_close(found, taeda.stack(each))
    assert found[2].any()


def test_one_draw_of_alpha_dropout_scales_and_shifts_every_sample_alike() -> None:
    taeda.manual_seed(3)
    x = taeda.tensor([[3.0], [0.0]]).expand(2, 200)
    dropped = vmap(lambda x: taeda.alpha_dropout(x, 0.5, True), randomness="same")(x)
    kept = dropped[0] > 0
    assert 50 < kept.sum() < 150 and taeda.equal(kept, dropped[1] > 0)
    assert dropped.unique().tolist() == pytest.approx([-0.779, 0.779, 3.438], abs=1e-3)
    taeda.manual_seed(3)
    slopes = vmap(grad(lambda x: taeda.alpha_dropout(x, 0.5, True).sum()), randomness="same")(x)
    assert taeda.equal(slopes[0] > 0, kept) and taeda.equal(slopes[0], slopes[1])


@pytest.mark.parametrize("draw", [
    lambda x: taeda.ops.scaled_dot_product_attention(x, x, x, dropout_p=0.5),
    lambda x: taeda.ops.fractional_max_pool2d(x.reshape(1, 8, 8), 1, 3)[0],
])
def test_what_an_op_without_a_batch_draws_is_that_of_the_samples_one_by_one(draw) -> None:
    x = taeda.rand(8, 8).expand(4, 8, 8)
    taeda.manual_seed(5)
    each = taeda.stack([draw(x[0]) for _ in range(4)])
    assert not taeda.equal(each[0], each[1])
    taeda.manual_seed(5)
    taeda.testing.assert_close(vmap(draw, randomness="different")(x), each)
    taeda.manual_seed(5)
    taeda.testing.assert_close(vmap(draw, randomness="same")(x), each[:1].expand(each.shape))
    taeda.manual_seed(5)
    nested = vmap(vmap(draw, randomness="same"), randomness="different")(x.reshape(2, 2, 8, 8)).flatten(0, 1)
    taeda.testing.assert_close(nested, each[[0, 0, 1, 1]])
    with pytest.raises(RuntimeError, match="randomness error mode"):
        vmap(draw)(x)


def test_a_transform_s_dropout_draws_in_rows_whatever_the_strides() -> None:
    x = taeda.arange(24.0).reshape(2, 3, 4) + 1

    def dropped(row: taeda.Tensor) -> taeda.Tensor:
        return taeda.dropout(row.t(), 0.5, True)

    taeda.manual_seed(0)
    kept = taeda.dropout(taeda.ones(4, 3), 0.5, True)
    taeda.manual_seed(0)
    assert taeda.equal(taeda.func.grad(lambda row: dropped(row).sum())(x[0]), kept.t())
    taeda.manual_seed(0)
    assert taeda.equal(taeda.func.jvp(dropped, (x[0],), (x[0],))[1], x[0].t() * kept)
    taeda.manual_seed(0)
    assert taeda.equal(taeda.func.vmap(dropped, randomness="same")(x), x.transpose(1, 2) * kept)
    taeda.manual_seed(0)
    of_both = taeda.dropout(taeda.ones(2, 4, 3), 0.5, True)
    taeda.manual_seed(0)
    assert taeda.equal(taeda.func.vmap(dropped, randomness="different")(x), x.transpose(1, 2) * of_both)
    taeda.manual_seed(0)
    assert not taeda.equal(dropped(x[0]), x[0].t() * kept)                    # outside of transforms in the order of the memory
