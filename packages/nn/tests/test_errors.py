"""An error inside a model names the module's path once, keeps its type, and suggests the cure where it is known."""

from __future__ import annotations

import pickle

import pytest

import taeda
from taeda import nn


class Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4), nn.Sequential(nn.Linear(4, 8), nn.Linear(7, 2))])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Encoder()

    def forward(self, x):
        return self.encoder(x)


def _text(call, kind=RuntimeError):
    with pytest.raises(kind) as e:
        call()
    assert type(e.value) is kind
    return str(e.value)


def test_path_from_the_root_that_was_called():
    model = Model()
    text = _text(lambda: model(taeda.ones(2, 4)))
    assert text.startswith("in model.encoder.layers.1.1 (Linear): [linear] ")
    assert text.count("in model") == 1
    assert "Linear(in_features=7) got (2, 8)" in text
    assert _text(lambda: model.encoder(taeda.ones(2, 4))).startswith("in model.layers.1.1 (Linear): ")
    assert _text(lambda: model.encoder.layers[0](taeda.ones(2, 5))).startswith("in Linear: ")


def test_every_call_of_a_failing_model_says_it_once():
    model = Model()
    for _ in range(3):
        assert _text(lambda: model(taeda.ones(2, 4))).count("in model") == 1


def test_the_models_own_forward():
    assert _text(lambda: Model()(), TypeError).startswith("in Model: Model.forward() missing 1 required")
    assert _text(lambda: Model()(1, 2), TypeError).startswith("in Model: ")


class Raises(nn.Module):
    def __init__(self, error):
        super().__init__()
        self.error = error

    def forward(self, x):
        raise self.error


class Custom(Exception):
    pass


@pytest.mark.parametrize("error", [KeyError("k"), Custom("mine"), OSError(2, "gone"), ValueError(1, 2)], ids=repr)
def test_other_exceptions_keep_their_arguments_and_get_a_note(error):
    before, text = error.args, str(error)
    with pytest.raises(type(error)) as e:
        nn.Sequential(nn.Identity(), nn.Sequential(Raises(error)))(1)
    assert e.value is error and error.args == before and str(error) == text
    assert error.__notes__ == ["in model.1.0 (Raises)"]


def test_stop_iteration_is_left_alone():
    with pytest.raises(StopIteration) as e:
        Raises(StopIteration(3))(1)
    assert e.value.value == 3 and not hasattr(e.value, "__notes__")


def test_an_error_caught_and_replaced_starts_where_it_is_raised():
    class Guard(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 3)

        def forward(self, x):
            try:
                return self.inner(x)
            except RuntimeError as e:
                raise ValueError("bad input") from e

    with pytest.raises(ValueError) as e:
        nn.Sequential(Guard())(taeda.ones(1, 2))
    assert str(e.value) == "bad input" and e.value.__notes__ == ["in model.0 (Guard)"]


def test_an_error_handled_inside_leaves_no_trace():
    class Falls(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(3, 3)

        def forward(self, x):
            try:
                return self.inner(x)
            except RuntimeError:
                return x

    assert nn.Sequential(Falls())(taeda.ones(1, 2)).tolist() == [[1.0, 1.0]]


def test_a_module_that_calls_itself():
    class Again(nn.Module):
        def forward(self, n):
            if n == 0:
                raise ValueError("end")
            return self(n - 1)

    with pytest.raises(ValueError) as e:
        nn.Sequential(Again())(3)
    assert str(e.value) == "end" and e.value.__notes__ == ["in model.0 (Again)"]


def test_what_a_program_raises_itself_keeps_its_text():
    class Checks(nn.Module):
        def forward(self, x, how):
            if how == "assert":
                raise AssertionError("wrong how")
            if how == "raise":
                raise ValueError("[forward] you have to give input_ids")
            if how == "again":
                try:
                    return x @ x
                except RuntimeError as error:
                    raise error
            return x.view(7) if how == "taeda" else x + how

    model = nn.Sequential(nn.Identity(), nn.ModuleDict({"inner": Checks()})["inner"])
    model.forward = lambda x, how: model[1](model[0](x), how)
    x = taeda.ones(1, 2)
    for how, kind, text in (("assert", AssertionError, "wrong how"), ("raise", ValueError, "[forward] you have to give input_ids")):
        with pytest.raises(kind) as e:
            model(x, how)
        assert str(e.value) == text and e.value.__notes__ == ["in model.1 (Checks)"]
    assert _text(lambda: model(x, "again")).startswith("in model.1 (Checks): [matmul] ")
    assert _text(lambda: model(x, "taeda")).startswith("in model.1 (Checks): [view] ")
    assert _text(lambda: model(x, None), TypeError).startswith("in model.1 (Checks): unsupported operand type(s) for +")
    assert _text(lambda: model(x), TypeError).startswith("in Sequential: ")


def test_modules_that_are_no_children_are_named_behind_their_caller():
    outside = nn.Sequential(nn.Linear(3, 3))

    class Uses(nn.Module):
        def forward(self, x):
            return outside(x)

    class Listed(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(3, 3)]

        def forward(self, x):
            return self.layers[0](x)

    x = taeda.ones(1, 2)
    assert _text(lambda: nn.Sequential(Uses())(x)).startswith("in model.0 (Uses > Sequential.0, Linear): [linear]")
    assert _text(lambda: nn.Sequential(Listed())(x)).startswith("in model.0 (Listed > Linear): [linear]")


def test_errors_in_hooks_are_located_too():
    net = nn.Sequential(nn.Identity())
    net[0].register_forward_hook(lambda *a: 1 / 0)
    assert _text(lambda: net(1), ZeroDivisionError) == "in model.0 (Identity): division by zero"


def test_forgotten_super_init_is_explained():
    class Bad(nn.Module):
        def __init__(self):
            pass

        def forward(self, x):
            return self.weight

    with pytest.raises(AttributeError) as e:
        Bad()(1)
    assert "must call super().__init__()" in e.value.__notes__[0]


def test_a_located_error_can_be_pickled():
    with pytest.raises(RuntimeError) as e:
        Model()(taeda.ones(2, 4))
    sent = pickle.dumps(e.value)
    assert "in model.encoder" in str(pickle.loads(sent))
    again = pickle.loads(sent)
    assert str(_text(lambda: nn.Sequential(Raises(again))(1))) == str(e.value), "it is named where it was raised"
    assert b"Linear" in sent and b"_parameters" not in sent, "the model does not travel with it"


def test_a_hint_that_fails_does_not_hide_the_error():
    class Odd(nn.Linear):
        def _cure(self, *args, **kwargs):
            raise KeyError

    assert "in Odd: [linear]" in _text(lambda: Odd(3, 3)(taeda.ones(1, 2)))


CURES = [
    (lambda: nn.Linear(256, 1)(taeda.ones(2, 16, 4, 4)), r"got \(2, 16, 4, 4\); did you mean nn.Flatten before it\?"),
    (lambda: nn.Linear(9, 1)(taeda.ones(2, 16, 4, 4)), r"nn.Flatten before it\? That gives 256 features"),
    (lambda: nn.Linear(128, 1)(taeda.ones(32, 256)), r"Linear\(in_features=128\) got \(32, 256\)"),
    (lambda: nn.Linear(3, 1)(taeda.ones(3, 5)), r"did you mean x.T\?"),
    (lambda: nn.Linear(3, 1)(taeda.ones(2, 3, dtype=taeda.float64)), r"did you mean x.to\(taeda.float32\) or model.to"),
    (lambda: nn.Linear(3, 1)(taeda.ones(2, 3, dtype=taeda.int64)), r"did you mean x.to\(taeda.float32\)\?"),
    (lambda: nn.Conv2d(3, 4, 3)(taeda.ones(2, 8, 8, 3)), r"did you mean x.permute\(0, 3, 1, 2\)\?"),
    (lambda: nn.Conv2d(1, 4, 3)(taeda.ones(8, 8)), r"got \(8, 8\); did you mean x.unsqueeze\(0\), an image of one channel\?"),
    (lambda: nn.Conv2d(3, 4, 3)(taeda.ones(8, 8)), r"got \(8, 8\); it takes \(B, C, H, W\)$"),
    (lambda: nn.Conv2d(1, 4, 3)(taeda.ones(5, 8, 8)), r"read as an image of 5 channels; .* did you mean x.unsqueeze\(1\)\?"),
    (lambda: nn.Linear(1, 3)(taeda.ones(4)), r"did you mean x.unsqueeze\(-1\)\?"),
    (lambda: nn.Linear(3, 1)(taeda.ones(2, 3, dtype=taeda.complex64)), r"did you mean model.to\(taeda.complex64\)\?"),
    (lambda: nn.LSTM(3, 4, batch_first=True)(taeda.ones(5, 2, 3), (taeda.ones(5, 1, 4),) * 2), r"did you mean hx.transpose\(0, 1\)\?"),
    (lambda: nn.Conv2d(3, 4, 3)(taeda.ones(2, 1, 8, 8)), r"dimension 1 must be 3, its channels"),
    (lambda: nn.Conv1d(3, 4, 3)(taeda.ones(2, 8, 3)), r"did you mean x.permute\(0, 2, 1\)\?"),
    (lambda: nn.BatchNorm2d(3)(taeda.ones(2, 4, 3, 3)), r"BatchNorm2d\(num_features=3\) got \(2, 4, 3, 3\)"),
    (lambda: nn.Embedding(3, 2)(taeda.ones(2)), r"did you mean x.long\(\)\?"),
    (lambda: nn.CrossEntropyLoss()(taeda.ones(4, 3), taeda.ones(4)), r"did you mean target.long\(\)\?"),
    (lambda: nn.NLLLoss()(taeda.ones(2, 3), taeda.tensor([[0], [1]])), r"did you mean target.squeeze\(1\)\?"),
]


@pytest.mark.parametrize("i", range(len(CURES)))
def test_cures(i):
    call, pattern = CURES[i]
    with pytest.raises(RuntimeError, match=pattern):
        call()


def test_an_index_out_of_range_names_the_range():
    with pytest.raises(IndexError, match=r"Embedding\(num_embeddings=3\) got indices from 0 to 5"):
        nn.Embedding(3, 2)(taeda.tensor([0, 5]))


BAD = [
    (lambda: nn.Linear(-1, 2), RuntimeError, "negative dimension"),
    (lambda: nn.Linear("a", 2), TypeError, "must be ints"),
    (lambda: nn.Linear(2**40, 2**40), RuntimeError, "overflow"),
    (
        lambda: nn.Conv2d(3, 4, 3, groups=2),
        ValueError,
        r"\[Conv2d\] in_channels must be divisible by groups, got 3 and 2",
    ),
    (lambda: nn.Conv2d(4, 3, 3, groups=2), ValueError, "out_channels must be divisible by groups"),
    (lambda: nn.Conv2d(4, 4, 3, groups=0), ValueError, "groups must be a positive integer"),
    (lambda: nn.Conv2d(4, 4, 3, padding="some"), ValueError, "Invalid padding string 'some'"),
    (lambda: nn.Conv2d(4, 4, 3, stride=2, padding="same"), ValueError, "not supported for strided"),
    (lambda: nn.Conv2d(4, 4, 3, padding_mode="x"), ValueError, "padding_mode must be one of"),
    (lambda: nn.ConvTranspose1d(4, 4, 3, padding_mode="reflect"), ValueError, 'Only "zeros" padding mode'),
    (lambda: nn.ConvTranspose2d(1, 1, 3, stride=2)(taeda.ones(1, 1, 3, 3), (20, 20)), ValueError, "valid sizes range"),
    (lambda: nn.ConvTranspose2d(1, 1, 3)(taeda.ones(1, 1, 3, 3), (20,)), ValueError, "output_size must have 2 or 4"),
    (lambda: nn.Dropout(1.5), ValueError, "probability has to be between 0 and 1, but got 1.5"),
    (lambda: nn.Dropout("0.5"), TypeError, r"\[Dropout\] p must be a number from 0 to 1, got the text '0.5'"),
    (lambda: nn.Dropout(0.5).train("yes"), ValueError, "training mode is expected to be boolean, got 'yes'"),
    (lambda: nn.GroupNorm(3, 4), ValueError, "num_channels must be divisible by num_groups, got 4 and 3"),
    (lambda: nn.Embedding(3, 2, padding_idx=3), AssertionError, "must be within num_embeddings"),
    (lambda: nn.Parameter(taeda.tensor([1])), RuntimeError, r"\[Parameter\] Only Tensors .*, got taeda.int64; convert with .float\(\), or give "),
    (lambda: nn.Module().register_parameter("w", 0.5), TypeError, r"\[Module\] cannot assign .*; nn.Parameter\(taeda.tensor\(...\)\) makes one$"),
    (lambda: nn.Module().register_buffer("m", [1.0]), TypeError, r"\[Module\] cannot assign .*; taeda.tensor\(...\) makes one of numbers$"),
    (lambda: setattr(nn.Linear(2, 2), "weight", taeda.ones(2, 2)), TypeError, r"^\[Linear\] cannot assign .*; wrap it in nn.Parameter$"),
    (lambda: setattr(nn.Sequential(nn.ReLU()), "0", 1), TypeError, r"a module's name is its own: give the result another$"),
    (lambda: nn.Sequential(nn.ReLU()).get_submodule("0.a"), AttributeError, r"ReLU has no attribute `a`, on the path '0.a'; its modules: none$"),
    (lambda: nn.Sequential(nn.ReLU()).get_parameter("1.a"), AttributeError, r"has no attribute `1`, on the path '1'; its modules: 0$"),
    (lambda: nn.Linear(2, 2).get_buffer("bias"), AttributeError, r"\[get_buffer\] `bias` is not a buffer, but a Parameter; on the path 'bias'$"),
    (lambda: nn.utils.spectral_norm(nn.Linear(2, 2), "w"), KeyError, r"\[spectral_norm\] Linear has no parameter 'w'; it has weight, bias"),
    (lambda: nn.ParameterList([taeda.ones(1)])(1), RuntimeError, "should not be called: it only holds parameters; index it$"),
    (lambda: nn.Embedding(3, 2, _weight=taeda.ones(2, 2)), AssertionError, "Shape of weight does not match"),
    (lambda: nn.EmbeddingBag(3, 2, padding_idx=-4), AssertionError, r"\[EmbeddingBag\] padding_idx must be within num_embeddings, got -4 for 3 rows"),
    (lambda: nn.EmbeddingBag(3, 2)(taeda.ones(1, 2)), RuntimeError, "EmbeddingBag takes indices: did you mean x.long()"),
    (lambda: nn.Embedding.from_pretrained(taeda.ones(2)), AssertionError, "2-dimensional"),
    (lambda: nn.CosineSimilarity()(taeda.ones(2, 3), taeda.ones(2, 4)), RuntimeError, r"\[cosine_similarity\] .* got x1 \(2, 3\), x2 \(2, 4\)"),
    (lambda: nn.PairwiseDistance()(taeda.ones(2, 3), taeda.ones(2, 4)), RuntimeError, r"\[pairwise_distance\] .* got x1 \(2, 3\), x2 \(2, 4\)"),
    (lambda: nn.init.calculate_gain("swish"), ValueError, "Unsupported nonlinearity swish; it is linear, .* or selu"),
    (lambda: nn.Unflatten("n", (2,)), TypeError, "dim must be an int"),
    (lambda: nn.Unflatten(1, 2), TypeError, "must be a tuple of ints"),
    (lambda: nn.Unflatten(1, (2, "a")), TypeError, "element of type str at pos 1"),
    (lambda: nn.Hardtanh(1, 1), AssertionError, "max_val must be larger"),
    (lambda: nn.TripletMarginLoss(margin=0), ValueError, "greater than 0"),
    (lambda: nn.MultiMarginLoss(p=3), ValueError, "only p == 1 and p == 2"),
    (lambda: nn.Softmax2d()(taeda.ones(2, 2)), ValueError, "expected input to be 3D or 4D, got 2D"),
    (lambda: nn.BatchNorm2d(3)(taeda.ones(2, 3)), ValueError, r"expected 4D input \(got 2D input\)"),
    (lambda: nn.BatchNorm1d(3)(taeda.ones(1, 3)), ValueError, "more than 1 value per channel"),
    (lambda: nn.Upsample()(taeda.ones(1, 1, 2)), ValueError, "either size or scale_factor"),
    (
        lambda: nn.MSELoss(reduction="x")(taeda.ones(1), taeda.ones(1)),
        ValueError,
        "x is not a valid value for reduction",
    ),
    (lambda: nn.functional.one_hot(taeda.tensor([-1])), RuntimeError, r"\[one_hot\] .*non-negative, got -1"),
    (lambda: nn.functional.one_hot(taeda.tensor([5]), 3), RuntimeError, "smaller than num_classes, got 5 for 3"),
    (lambda: nn.functional.one_hot(taeda.ones(1)), RuntimeError, "index tensor"),
    (lambda: nn.functional.glu(taeda.ones(3)), RuntimeError, "dimension -1 is size 3"),
    (lambda: nn.functional.hardtanh(taeda.ones(3), 2, 1), ValueError, "min_val cannot be greater than max_val"),
    (lambda: nn.functional.softshrink(taeda.ones(3), -1), RuntimeError, "greater or equal to 0"),
    (lambda: nn.functional.prelu(taeda.ones(2, 3), taeda.ones(2)), RuntimeError, r"weight \(2,\) for input \(2, 3\)"),
    (lambda: nn.functional.pixel_shuffle(taeda.ones(3, 2, 2), 2), RuntimeError, "not divisible by 4"),
    (lambda: nn.functional.max_unpool1d(taeda.ones(1, 1, 2), taeda.full((1, 1, 2), 9), 2), RuntimeError, "index: 9"),
    (lambda: nn.init.xavier_uniform_(taeda.ones(2)), ValueError, r"fewer than 2 dimensions, got \(2,\)"),
    (lambda: nn.init.calculate_gain("x"), ValueError, "Unsupported nonlinearity x"),
    (lambda: nn.init.kaiming_normal_(taeda.ones(2, 2), mode="x"), ValueError, "Mode x not supported"),
]


@pytest.mark.parametrize("i", range(len(BAD)))
def test_bad_arguments(i):
    call, kind, pattern = BAD[i]
    with pytest.raises(kind, match=pattern):
        call()


@pytest.mark.parametrize("name", ["relu", "elu", "mish", "softmax", "glu", "hardswish", "prelu", "dropout2d", "normalize",
                                  "pixel_shuffle", "one_hot", "cosine_similarity", "triplet_margin_loss", "lp_pool1d"])  # fmt: skip
def test_what_is_no_tensor_is_a_type_error(name):
    extra = {"pixel_shuffle": (2,), "triplet_margin_loss": (2.0, 3.0), "lp_pool1d": (2, 2)}.get(name, ())
    extra = (4.0,) if name in ("prelu", "cosine_similarity") else extra
    with pytest.raises(TypeError, match="must be Tensor, not float"):
        getattr(nn.functional, name)(1.0, *extra)


X, T = taeda.zeros(4, 3), taeda.zeros(4, dtype=taeda.int64)
MORE_CURES = [
    (nn.CrossEntropyLoss(), (X, T.reshape(4, 1)), r"did you mean target.squeeze\(1\)\?"),
    (nn.CrossEntropyLoss(), (X, taeda.zeros(4)), r"did you mean target.long\(\)\?"),
    (nn.CrossEntropyLoss(), (X, nn.functional.one_hot(T, 3)), r"did you mean target.argmax\(1\), or target.to\(taeda.float32\)"),
    (nn.CrossEntropyLoss(), (taeda.zeros(4, 7, 3), taeda.zeros(4, 7).long()), r"did you mean input.movedim\(-1, 1\)\?"),
    (nn.CrossEntropyLoss(), (X, T + taeda.tensor([1, 2, 3, 1])), r"got classes from 1 to 3; they count from 0: did you mean target - 1"),
    (nn.NLLLoss(), (X, T.reshape(4, 1)), r"NLLLoss got a target of shape \(4, 1\): did you mean"),
    (nn.BCELoss(), (X[:, :1] + 0.5, X[:, 0]), r"did you mean input.squeeze\(-1\), or target.unsqueeze\(-1\)\?"),
    (nn.BCEWithLogitsLoss(), (X[:, 0], X[:, :1]), r"did you mean target.squeeze\(-1\)\?"),
    (nn.BCEWithLogitsLoss(), (X, X.long()), r"did you mean target.to\(taeda.float32\)\?"),
    (nn.BatchNorm2d(3), (X,), r"BatchNorm2d got \(4, 3\); did you mean BatchNorm1d\?"),
    (nn.BatchNorm2d(4), (taeda.ones(4, 5, 5),), r"BatchNorm2d got \(4, 5, 5\), which has no batch: did you mean x.unsqueeze\(0\)\?"),
    (nn.BatchNorm1d(3), (taeda.zeros(4, 3, 2, 2),), r"did you mean BatchNorm2d\?"),
    (nn.LayerNorm(5), (X,), r"LayerNorm\(normalized_shape=\(5,\)\) got \(4, 3\); its shape must end in 5"),
    (nn.LayerNorm(3), (taeda.zeros(2, 3, 8),), r"did you mean x.movedim\(1, -1\), or GroupNorm\(1, 3\)\?"),
    (nn.ModuleList([nn.ReLU()]), (X,), r"only holds modules: call them in a loop, or use nn.Sequential"),
    (nn.MultiheadAttention(6, 2), (*[taeda.zeros(4, 5, 6)] * 3, taeda.zeros(4, 5).bool()), r"for 5 keys, .* did you mean batch_first=True\?"),
    (nn.MultiheadAttention(6, 2, batch_first=True), (*[taeda.zeros(5, 4, 6)] * 3, None, False, taeda.zeros(5, 5)), r"mean batch_first=False\?"),
    (nn.MultiheadAttention(6, 2), [taeda.zeros(4, 6, 5)] * 3, r"MultiheadAttention\(embed_dim=6\) got a query of shape \(4, 6, 5\)"),
    (nn.Linear(3, 1), ((X, X),), r"Linear got a tuple of 2: .* did you mean output\[0\]\?"),
    (nn.Linear(3, 1), (nn.utils.rnn.pack_sequence([X]),), r"got a PackedSequence: did you mean its .data, or nn.utils.rnn.pad_packed"),
    (nn.ModuleDict({"a": nn.ReLU()}), (X,), r"only holds modules: call one by its key"),
    (nn.CTCLoss(), (taeda.zeros(4, 9, 5), taeda.ones(4, 2).long(), [9] * 4, [2] * 4), r"did you mean x.transpose\(0, 1\)\?"),
]


@pytest.mark.parametrize(("module", "args", "cure"), MORE_CURES, ids=lambda v: type(v).__name__ if isinstance(v, nn.Module) else "")
def test_cures_of_losses_norms_and_containers(module, args, cure):
    kinds = RuntimeError, ValueError, TypeError, IndexError, AssertionError
    with pytest.raises(kinds, match=rf"(?s)^in \w+: .*\n.*{cure}"):
        module(*args)


def test_a_cure_that_fails_hides_nothing():
    with pytest.raises(TypeError, match=r"^in CrossEntropyLoss: \[cross_entropy\] "):
        nn.CrossEntropyLoss()(X, None)


def test_swapped_arguments_of_a_loss_are_told():
    with pytest.raises(ValueError, match=r"and taeda.float32: did you mean CrossEntropyLoss\(\)\(target, input\)\?$"):
        nn.CrossEntropyLoss()(T, X)


def test_a_parameter_that_was_stepped_before_backward_is_told():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    late = net(taeda.ones(1, 2)).sum()
    with taeda.no_grad():
        net[1].weight.add_(1)
    with pytest.raises(RuntimeError, match="and call backward before an optimizer steps"):
        late.backward()


def test_a_plain_state_for_a_wrapped_model_is_told_where_it_belongs():
    layer = nn.Linear(2, 2)
    with pytest.raises(RuntimeError, match=r'keys begin with "module.", which the state\'s do not; .*\.get_submodule\("module"\)\?'):
        nn.DataParallel(nn.Linear(2, 2)).load_state_dict(layer.state_dict())


def test_slips_of_newcomers_are_told_what_was_meant():
    model = nn.Sequential(nn.Linear(2, 2))
    with pytest.raises(TypeError, match=r"list is not a Module subclass; unpack it: Sequential\(\*layers\)"):
        nn.Sequential([nn.Linear(2, 2)])
    with pytest.raises(TypeError, match=r"got Linear; did you mean model\.parameters\(\)"):
        nn.utils.clip_grad_norm_(model[0], 1.0)
    saved = {f"module.{k}": v for k, v in model.state_dict().items()}
    with pytest.raises(RuntimeError, match=r'Missing key(.|\n)*Unexpected key(.|\n)*The keys begin with "module\.".*consume_prefix'):
        model.load_state_dict(saved)
    nn.modules.utils.consume_prefix_in_state_dict_if_present(saved, "module.")
    model.load_state_dict(saved)
    with pytest.raises(RuntimeError) as plain:
        model.load_state_dict({"0.weight": taeda.ones(2, 2), "a.bias": taeda.ones(2)})
    assert "The keys begin" not in str(plain.value) and "several parts" not in str(plain.value)
    with pytest.raises(RuntimeError, match=r'Unexpected key(.|\n)*state_dict\["model"\] has the missing keys'):
        model.load_state_dict({"epoch": 3, "optimizer": {}, "model": model.state_dict()})
    with pytest.raises(TypeError, match=r"did you mean its \.state_dict\(\)\?"):
        model.load_state_dict(model)
