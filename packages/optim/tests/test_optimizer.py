"""What all optimizers share: groups, state, saving and loading, hooks, errors."""

import copy
import pickle
import warnings

import pytest

import taeda
from taeda import optim
from taeda.optim.optimizer import (
    register_optimizer_step_post_hook,
    register_optimizer_step_pre_hook,
    required,
)


def parameter(*values):
    return taeda.tensor(values or (1.0, 2.0), requires_grad=True)


def train(opt, steps=1):
    for _ in range(steps):
        for group in opt.param_groups:
            for i, p in enumerate(group["params"]):
                p.grad = taeda.full_like(p, 0.5 + i).detach()
        opt.step()


KINDS = [
    (optim.SGD, {"momentum": 0.9}),
    (optim.Adam, {"amsgrad": True}),
    (optim.AdamW, {}),
    (optim.RMSprop, {"momentum": 0.9, "centered": True}),
]


# -- construction -----------------------------------------------------------------------------------------


def test_groups_fill_their_options_from_the_defaults():
    a, b = parameter(), parameter()
    opt = optim.SGD([{"params": [a]}, {"params": b, "lr": 0.5}], lr=0.1, momentum=0.9)
    assert [g["lr"] for g in opt.param_groups] == [0.1, 0.5]
    assert [g["momentum"] for g in opt.param_groups] == [0.9, 0.9]
    assert opt.param_groups[1]["params"] == [b]


def test_named_parameters_keep_their_names():
    a, b = parameter(), parameter()
    opt = optim.Adam([("a", a), ("b", b)])
    assert opt.param_groups[0]["param_names"] == ["a", "b"]
    assert opt.param_groups[0]["params"][1] is b
    assert opt.state_dict()["param_groups"][0]["param_names"] == ["a", "b"]


@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        (lambda: parameter(), TypeError, "iterable of Tensors or dicts"),
        (lambda: [], ValueError, "empty parameter list"),
        (lambda: [1.0], TypeError, "can only optimize Tensors.*float"),
        (lambda: [parameter() * 2], ValueError, "non-leaf Tensor"),
        (lambda: [{"params": {parameter()}}], TypeError, "ordered collections"),
        (lambda: [("a", parameter()), parameter()], ValueError, "with/without names"),
        (lambda: [{"lr": 1.0}], KeyError, "params"),
    ],
)
def test_wrong_parameters_are_refused(params, error, text):
    with pytest.raises(error, match=text):
        optim.SGD(params(), lr=0.1)


def test_a_group_may_neither_share_parameters_nor_differ_in_names():
    a, b = parameter(), parameter()
    opt = optim.SGD([a], lr=0.1)
    with pytest.raises(ValueError, match="more than one parameter group"):
        opt.add_param_group({"params": [b, a]})
    with pytest.raises(ValueError, match="with names"):
        opt.add_param_group({"params": [("b", b)]})
    with pytest.raises(TypeError, match="must be a dict"):
        opt.add_param_group([b])
    assert len(opt.param_groups) == 1
    opt.add_param_group({"params": b, "lr": 1.0})
    assert opt.param_groups[1]["lr"] == 1.0


def test_a_required_option_must_be_given():
    class Needy(optim.Optimizer):
        def step(self, closure=None):
            return None

    with pytest.raises(ValueError, match="required optimization parameter rate"):
        Needy([parameter()], {"rate": required})
    assert Needy([{"params": [parameter()], "rate": 1}], {"rate": required}).param_groups[0]["rate"] == 1


def test_duplicate_parameters_warn_and_are_stepped_one_after_the_other():
    p = parameter(1.0)
    with pytest.warns(UserWarning, match="duplicate parameters"):
        opt = optim.SGD([p, p], lr=0.25)
    p.grad = taeda.ones(1)
    opt.step()
    assert p.item() == 0.5


@pytest.mark.parametrize(
    ("cls", "options", "text"),
    [
        (optim.SGD, {"lr": -1.0}, "Invalid learning rate: -1.0; it must be at least 0"),
        (optim.SGD, {"lr": float("nan")}, "Invalid learning rate"),
        (optim.SGD, {"momentum": -1.0}, "Invalid momentum"),
        (optim.SGD, {"weight_decay": -1.0}, "Invalid weight_decay"),
        (optim.SGD, {"nesterov": True}, "Nesterov momentum requires"),
        (optim.SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "zero dampening"),
        (optim.SGD, {"lr": taeda.ones(2)}, "1-element"),
        (optim.Adam, {"lr": -1.0}, "Invalid learning rate"),
        (optim.Adam, {"eps": -1.0}, "Invalid epsilon"),
        (optim.Adam, {"betas": (1.0, 0.9)}, r"index 0: 1.0; it must be in \[0, 1\)"),
        (optim.Adam, {"betas": (0.9, -0.1)}, "index 1: -0.1"),
        (optim.Adam, {"betas": (0.9, taeda.tensor(0.9))}, "both floats or both Tensors"),
        (optim.Adam, {"lr": taeda.tensor(0.1), "foreach": True}, "lr as a Tensor"),
        (optim.AdamW, {"weight_decay": -1.0}, "Invalid weight_decay"),
        (optim.RMSprop, {"alpha": -1.0}, "Invalid alpha"),
        (optim.RMSprop, {"eps": -1.0}, "Invalid epsilon"),
        (optim.RMSprop, {"momentum": -1.0}, "Invalid momentum"),
    ],
)
def test_options_out_of_range_are_refused(cls, options, text):
    with pytest.raises(ValueError, match=text):
        cls([parameter()], **options)


@pytest.mark.parametrize(
    ("cls", "option"),
    [
        (optim.Adam, "betas"),
        (optim.AdamW, "betas"),
        (optim.NAdam, "betas"),
        (optim.SparseAdam, "betas"),
        (optim.Rprop, "etas"),
        (optim.Rprop, "step_sizes"),
        (optim.Adafactor, "eps"),
    ],
)
def test_a_pair_is_two_numbers(cls, option):
    for value, error in ((0.5, TypeError), ("0.5", TypeError), ((0.5,), IndexError), ((0.5, 0.5, 0.5), ValueError)):
        with pytest.raises(error, match=rf"\[{cls.__name__}\] {option} must be two numbers, got"):
            cls([parameter()], **{option: value})


def test_a_pair_may_be_any_sequence():
    class Pair:  # what a configuration's reader hands out
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return (0.5, 0.9)[i]

    assert optim.Adam([parameter()], betas=Pair()).defaults["betas"] == (0.5, 0.9)


def test_keys_in_place_of_parameters_are_told_so():
    with pytest.raises(TypeError, match=r"is str \(at position 0\); keys are no parameters: give the values"):
        optim.SGD({"weight": parameter()}, lr=0.1)


@pytest.mark.parametrize("cls", [optim.SGD, optim.Adam, optim.AdamW])
def test_switches_that_exclude_each_other_are_refused(cls):
    with pytest.raises(RuntimeError, match="differentiable"):
        cls([parameter()], fused=True, differentiable=True)
    with pytest.raises(RuntimeError, match="cannot be `True` together"):
        cls([parameter()], fused=True, foreach=True)


def test_repr_leaves_a_line_between_groups():
    text = repr(optim.SGD([{"params": [parameter()]}, {"params": [parameter()], "lr": 1}], lr=0.1))
    assert text.startswith("SGD (\nParameter Group 0\n    dampening: 0\n") and "\n\nParameter Group 1\n" in text
    assert text.endswith("    weight_decay: 0\n)")


def test_repr_lists_the_options_of_each_group_in_order():
    assert repr(optim.SGD([parameter()], lr=0.1)) == (
        "SGD (\nParameter Group 0\n    dampening: 0\n    differentiable: False\n    foreach: None\n"
        "    fused: None\n    lr: 0.1\n    maximize: False\n    momentum: 0\n    nesterov: False\n"
        "    weight_decay: 0\n)"
    )


# -- state ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("cls", "options"), KINDS)
def test_a_loaded_optimizer_goes_on_as_the_saved_one_would(cls, options):
    a = [parameter(1.0, -2.0), parameter(3.0)]
    first = cls(a, lr=0.1, **options)
    train(first, 3)
    b = [p.detach().clone().requires_grad_() for p in a]
    second = cls(b, lr=0.7)
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["lr"] == 0.1
    for p, q in zip(a, b, strict=True):
        assert first.state[p].keys() == second.state[q].keys()
    train(first, 3)
    train(second, 3)
    for p, q in zip(a, b, strict=True):
        assert p.tolist() == q.tolist()


def test_the_state_dict_has_the_known_layout():
    a, b = parameter(), parameter(1.0)
    opt = optim.Adam([{"params": [a]}, {"params": [b], "lr": 0.5}])
    train(opt)
    saved = opt.state_dict()
    assert list(saved) == ["state", "param_groups"]
    assert [g["params"] for g in saved["param_groups"]] == [[0], [1]]
    assert list(saved["state"][1]) == ["step", "exp_avg", "exp_avg_sq"]
    step = saved["state"][0]["step"]
    assert step.shape == () and step.dtype == taeda.float32 and step.item() == 1.0
    assert list(saved["param_groups"][0]) == [
        "lr",
        "betas",
        "eps",
        "weight_decay",
        "amsgrad",
        "maximize",
        "foreach",
        "capturable",
        "differentiable",
        "fused",
        "decoupled_weight_decay",
        "params",
    ]


def test_loading_copies_so_two_optimizers_do_not_share_state():
    first = optim.Adam([parameter()])
    train(first)
    second = optim.Adam([parameter()])
    second.load_state_dict(first.state_dict())
    before = first.state_dict()["state"][0]["exp_avg"].tolist()
    train(second)
    assert first.state_dict()["state"][0]["exp_avg"].tolist() == before
    assert first.state_dict()["state"][0]["step"].item() == 1.0


@pytest.mark.parametrize("cls", [optim.Adafactor, optim.SGD, optim.LBFGS])
def test_loading_brings_no_option_that_the_optimizer_has_not(cls):
    opt = cls([taeda.ones(2, requires_grad=True)], lr=0.1)
    before = list(opt.param_groups[0])
    opt.load_state_dict(opt.state_dict())
    assert sorted(opt.param_groups[0]) == sorted(before)


def test_loading_copies_options_that_can_change_once_however_many_groups_share_them():
    rate, tags = taeda.tensor(0.1), ["a"]
    first = optim.SGD([{"params": [parameter()], "lr": rate, "tags": tags}, {"params": [parameter()], "lr": rate, "tags": tags}])
    second = optim.SGD([{"params": [parameter()]}, {"params": [parameter()]}], lr=0.5)
    second.load_state_dict(first.state_dict())
    one, two = second.param_groups
    assert one["tags"] == ["a"] and one["tags"] is not tags and one["tags"] is two["tags"]
    assert float(one["lr"]) == float(rate) and one["lr"] is not rate and one["lr"] is two["lr"]


def test_loaded_state_takes_the_dtype_of_its_parameter_but_steps_keep_theirs():
    saver = optim.Adam([parameter()])
    train(saver)
    p = taeda.tensor([1.0, 2.0], dtype=taeda.float64, requires_grad=True)
    opt = optim.Adam([p])
    opt.load_state_dict(saver.state_dict())
    assert opt.state[p]["exp_avg"].dtype == taeda.float64
    assert opt.state[p]["step"].dtype == taeda.float32


def test_plain_numbers_as_step_counts_are_understood():
    saver = optim.Adam([parameter()])
    train(saver, 2)
    saved = copy.deepcopy(saver.state_dict())
    saved["state"][0]["step"] = 2
    p = parameter()
    opt = optim.Adam([p])
    opt.load_state_dict(saved)
    assert opt.state[p]["step"].item() == 2.0
    train(opt)
    assert opt.state[p]["step"].item() == 3.0


def test_adamw_stays_decoupled_after_loading_adams_state():
    saver = optim.Adam([parameter()])
    train(saver)
    opt = optim.AdamW([parameter()])
    opt.load_state_dict(saver.state_dict())
    assert opt.param_groups[0]["decoupled_weight_decay"] is True


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (
            lambda d: d["param_groups"].append(d["param_groups"][0]),
            ValueError,
            "different number of parameter groups",
        ),
        (lambda d: d["param_groups"][0]["params"].append(1), ValueError, "doesn't match the size"),
        (lambda d: d.pop("state"), KeyError, "state"),
        (lambda d: d.update(state=[]), TypeError, "'state' must be a dict, got list"),
        (lambda d: d.update(param_groups=3), TypeError, "'param_groups' must be a list, got int"),
        (lambda d: d.update(param_groups=[None]), TypeError, "parameter group 0 must be a dict"),
        (lambda d: d["param_groups"][0].pop("params"), TypeError, "parameter group 0"),
        (lambda d: d["state"].update({0: 1}), TypeError, "parameter 0 must be a dict, got int"),
        (lambda d: d["state"].update({0: None}), TypeError, "parameter 0 must be a dict, got NoneType"),
        (lambda d: d["state"][0].pop("exp_avg"), KeyError, "no 'exp_avg'"),
        (lambda d: d["state"][0].update(exp_avg=taeda.ones(3)), ValueError, r"\(3,\), but the parameter's is \(2,\)"),
        (lambda d: d["state"][0].update(exp_avg=None), TypeError, "must have a Tensor as 'exp_avg'"),
        (lambda d: d["state"][0].update(step=taeda.ones(2)), TypeError, "one number as 'step'"),
        (lambda d: d["state"][0].update(step="3"), TypeError, "one number as 'step', got str"),
    ],
)
def test_a_state_dict_of_another_optimizer_is_refused_and_nothing_changes(change, error, text):
    p = parameter()
    opt = optim.Adam([p], lr=0.1)
    train(opt)
    kept = copy.deepcopy(opt.state_dict())
    saved = copy.deepcopy(kept)
    saved["param_groups"][0]["lr"] = 5.0
    change(saved)
    with pytest.raises(error, match=text) as caught:
        opt.load_state_dict(saved)
    assert "[Adam.load_state_dict]" in str(caught.value)
    assert opt.param_groups[0]["lr"] == 0.1
    assert {key: value.tolist() for key, value in opt.state[p].items()} == {
        key: value.tolist() for key, value in kept["state"][0].items()
    }


def test_options_that_the_saver_did_not_know_take_their_defaults():
    opt = optim.Adam([parameter()])
    train(opt)
    saved = copy.deepcopy(opt.state_dict())
    for key in ("eps", "decoupled_weight_decay"):
        del saved["param_groups"][0][key]
    opt.load_state_dict(saved)
    assert opt.param_groups[0]["eps"] == 1e-8
    train(opt)


@pytest.mark.parametrize(("cls", "options"), KINDS)
def test_pickling_keeps_state_and_steps_on(cls, options):
    opt = cls([parameter()], lr=0.1, **options)
    train(opt, 2)
    for other in (pickle.loads(pickle.dumps(opt)), copy.deepcopy(opt)):
        assert repr(other) == repr(opt)
        p = other.param_groups[0]["params"][0]
        assert list(other.state) == [p] or next(iter(other.state)) is p
        train(other)
        assert p.tolist() != opt.param_groups[0]["params"][0].tolist()


# -- gradients and hooks ----------------------------------------------------------------------------------


def test_zero_grad_drops_or_clears():
    p = parameter(1.0)
    opt = optim.SGD([p], lr=0.1)
    (p * p).sum().backward()
    grad = p.grad
    opt.zero_grad(set_to_none=False)
    assert p.grad is grad and grad.tolist() == [0.0]
    opt.zero_grad()
    assert p.grad is None


def test_step_hooks_run_in_order_and_may_be_removed():
    p = parameter(1.0)
    opt = optim.SGD([p], lr=0.1)
    seen = []
    handles = [
        register_optimizer_step_pre_hook(lambda o, args, kwargs: seen.append("global pre")),
        opt.register_step_pre_hook(lambda o, args, kwargs: seen.append("pre")),
        opt.register_step_post_hook(lambda o, args, kwargs: seen.append("post")),
        register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append("global post")),
    ]
    train(opt)
    assert seen == ["global pre", "pre", "post", "global post"]
    for handle in handles:
        handle.remove()
    train(opt)
    assert len(seen) == 4


def test_a_pre_hook_may_change_the_arguments():
    opt = optim.SGD([parameter(1.0)], lr=0.1)
    with opt.register_step_pre_hook(lambda o, args, kwargs: ((o, lambda: 42.0), kwargs)):
        assert opt.step() == 42.0
    with (
        opt.register_step_pre_hook(lambda o, args, kwargs: 1),
        pytest.raises(RuntimeError, match=r"<lambda>.* must return None or a tuple of \(new_args, new_kwargs\), but got 1"),
    ):
        opt.step()
    assert opt.step() is None


def test_state_dict_hooks_see_and_may_replace_it():
    opt = optim.SGD([parameter(1.0)], lr=0.1)
    seen = []
    opt.register_state_dict_pre_hook(lambda o: seen.append("before save"))
    opt.register_state_dict_post_hook(lambda o, d: {**d, "note": 1})
    opt.register_load_state_dict_pre_hook(lambda o, d: seen.append(d.pop("note")))
    opt.register_load_state_dict_post_hook(lambda o: seen.append("after load"))
    opt.register_state_dict_pre_hook(lambda o: seen.append("first"), prepend=True)
    saved = opt.state_dict()
    opt.load_state_dict(saved)
    assert seen == ["first", "before save", 1, "after load"]
    assert saved["note"] == 1


def test_state_of_another_dtype_is_refused_by_name():
    p = parameter(1.0)
    opt = optim.Adam([p])
    train(opt)
    opt.state[p]["exp_avg"] = opt.state[p]["exp_avg"].double()
    before = p.tolist()
    p.grad = taeda.ones(1)
    with pytest.raises(RuntimeError, match="dtype"):
        opt.step()
    assert p.tolist() == before and opt.state[p]["step"].item() == 1.0


def test_importing_the_package_does_not_import_layers():
    import subprocess
    import sys

    code = "import sys, taeda.optim; print([m for m in sys.modules if m.startswith('taeda.nn')])"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


@pytest.mark.parametrize("found", [None, "9.9.9"])
def test_another_core_is_refused_with_the_cure(monkeypatch, found):
    import importlib

    import taeda.optim._version as version

    if found is None:
        monkeypatch.delattr(taeda, "__version__")
    else:
        monkeypatch.setattr(taeda, "__version__", found)
    with pytest.raises(ImportError, match="pip install taeda-core==0.1.0") as caught:
        importlib.reload(version)
    assert (found or "not installed") in str(caught.value)


def test_a_model_in_place_of_its_parameters_is_told_so():
    class Model:
        def parameters(self):
            return [taeda.ones(1, requires_grad=True)]

    for given in (Model(), Model().parameters):
        with pytest.raises(TypeError, match=r"\[SGD\] params argument .* got (Model|method); did you mean model\.parameters\(\)"):
            optim.SGD(given, lr=0.1)
        with pytest.raises(TypeError, match=r"\[SGD\] 'params' of a parameter group .* got (Model|method); did you mean model\.parameters\(\)"):
            optim.SGD([{"params": given}], lr=0.1)


def test_a_state_that_is_no_dict_is_told():
    for state, text in (("model.pt", r"got str; taeda.load\(path\) reads a file$"), (3, "expected a dict, got int$")):
        with pytest.raises(AttributeError, match=text):
            optim.SGD([parameter()]).load_state_dict(state)


def _stepped() -> tuple[optim.Optimizer, list[taeda.Tensor]]:
    params = [taeda.ones(2, requires_grad=True), taeda.zeros(1, requires_grad=True)]
    opt = optim.Adam([{"params": params[:1], "lr": 0.1}, {"params": params[1:], "lr": 0.01}])
    for p in params:
        p.grad = taeda.ones_like(p)
    opt.step()
    return opt, params


def test_a_step_on_other_parameters_leaves_the_optimizer_s_own_alone():
    opt, params = _stepped()
    before = copy.deepcopy(opt.state_dict())
    saved, lists = copy.deepcopy(before), [group["params"] for group in opt.param_groups]
    saved["param_groups"][0]["lr"] = 1.0
    others = {"a": taeda.full((2,), 5.0), "b": taeda.full((1,), 5.0)}
    with optim.swap_in_optimizer_params_and_state(opt, others, saved):
        assert [p is q for p, q in zip((p for g in opt.param_groups for p in g["params"]), others.values(), strict=True)] == [True, True]
        for p in others.values():
            p.grad = taeda.ones_like(p)
        opt.step()
        opt.param_groups[0]["lr"] = 7.0
    assert taeda.allclose(others["a"], taeda.full((2,), 4.0)) and taeda.allclose(others["b"], taeda.full((1,), 4.99))
    assert [saved["state"][i]["step"].item() for i in (0, 1)] == [2.0, 2.0]           # written into the tensors that were given
    assert [saved["state"][0]["exp_avg"].tolist(), before["state"][0]["exp_avg"].tolist()] == [pytest.approx([0.19] * 2), pytest.approx([0.1] * 2)]
    assert [g["params"] is own for g, own in zip(opt.param_groups, lists, strict=True)] == [True, True] and opt.param_groups[0]["lr"] == 0.1
    assert params[0].tolist() == pytest.approx([0.9] * 2) and opt.state[params[0]]["step"].item() == 1.0


def test_other_parameters_go_when_a_block_fails_and_must_fit():
    opt, params = _stepped()
    saved = copy.deepcopy(opt.state_dict())
    swap = optim.swap_in_optimizer_params_and_state
    with pytest.raises(KeyError), swap(opt, {"a": params[0], "b": params[1]}, saved):
        raise KeyError
    assert opt.param_groups[0]["params"][0] is params[0] and opt.state[params[0]]["step"].item() == 1.0
    with pytest.raises(RuntimeError, match=r"\[swap_in_optimizer_params_and_state\] parameters must be as many .* got 1 for groups of \[1, 1\]"):
        swap(opt, {"a": params[0]}, saved).__enter__()
    with pytest.raises(RuntimeError, match="different number of parameter groups than the optimizer, got 1 and 2"):
        swap(opt, {"a": params[0], "b": params[1]}, {**saved, "param_groups": saved["param_groups"][:1]}).__enter__()
    with pytest.raises(RuntimeError, match=r"a state is what state_dict\(\) returns"):
        swap(opt, {"a": params[0], "b": params[1]}, saved["state"]).__enter__()
    with pytest.raises(RuntimeError, match="must have a state"):
        swap(optim.Adam(params), {"a": params[0], "b": params[1]}, saved).__enter__()
