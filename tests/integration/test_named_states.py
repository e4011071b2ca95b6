"""``taeda.distributed.checkpoint.state_dict``: states by the names of the bare model, of optimizers too."""

from __future__ import annotations

import pytest

import taeda
from taeda import nn, optim
from taeda.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_model_state_dict,
    set_state_dict,
)


def trained(model: nn.Module, rate: float) -> optim.Adam:
    optimizer = optim.Adam([{"params": model[0].parameters(), "lr": rate}, {"params": model[1].parameters()}], lr=0.2)
    model(taeda.ones(1, 2)).sum().backward()
    optimizer.step()
    return optimizer


def test_the_states_of_a_compiled_model_load_into_a_bare_one() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    optimizer = trained(model, 0.1)
    state, steps = get_state_dict(taeda.compile(model), optimizer)
    assert list(state) == list(steps["state"]) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert [(g["params"], g["lr"]) for g in steps["param_groups"]] == [(["0.weight", "0.bias"], 0.1), (["1.weight", "1.bias"], 0.2)]

    other = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    resumed = trained(other, 0.7)
    missing = set_state_dict(other, [resumed], model_state_dict=state, optim_state_dict=steps)
    assert not missing.missing_keys and not missing.unexpected_keys and resumed.param_groups[0]["lr"] == 0.1
    assert taeda.equal(other[0].weight, model[0].weight)
    assert taeda.equal(resumed.state[other[1].bias]["exp_avg"], optimizer.state[model[1].bias]["exp_avg"])


def test_names_that_do_not_match_are_refused_or_told() -> None:
    model = taeda.compile(nn.Sequential(nn.Linear(2, 2)))
    with pytest.raises(RuntimeError, match="Missing key"):
        set_model_state_dict(model, {"0.weight": taeda.zeros(2, 2)})
    told = set_model_state_dict(model, {"0.weight": taeda.zeros(2, 2), "x": taeda.ones(1)}, options=StateDictOptions(strict=False))
    assert told.missing_keys == ["_orig_mod.0.bias"] and told.unexpected_keys == ["x"]
    assert model.state_dict()["_orig_mod.0.weight"].sum() == 0
    model._orig_mod[0].weight.requires_grad_(False)
    assert list(get_model_state_dict(model, options=StateDictOptions(ignore_frozen_params=True))) == ["0.bias"]
