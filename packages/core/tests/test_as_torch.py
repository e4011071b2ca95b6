"""Programs that import torch: each runs in a process of its own, since the name stays taeda's once it is."""

import subprocess
import sys
import textwrap

import pytest

INSTALL = "import taeda.as_torch as a; a.install(vision=False)\n"


def run(*arguments, **kwargs):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **kwargs)


def printed(program):
    """Return what a program that knows torch prints, without the last line's end."""
    ran = run("-c", INSTALL + program)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.removesuffix("\n")


def test_modules_and_classes_are_one_under_both_names():
    assert printed(
        "import sys, torch, taeda, torch.autograd.functional as f, torch.linalg\n"
        "from torch.utils._pytree import tree_map\n"
        "import taeda.autograd.functional as g, taeda.utils._pytree as p\n"
        "print(f is g, tree_map is p.tree_map, torch.Tensor is taeda.Tensor, torch.linalg is taeda.linalg)\n"
        "print(sys.modules['torch.autograd'] is taeda.autograd, g.__spec__.name, torch.__name__)\n"
        "class Twice(torch.autograd.Function):\n"
        "    @staticmethod\n"
        "    def forward(ctx, x): return 2 * x\n"
        "    @staticmethod\n"
        "    def backward(ctx, g): return 2 * g\n"
        "x = torch.ones(2, requires_grad=True); Twice.apply(x).sum().backward(); print(x.grad)"
    ) == "True True True True\nTrue taeda.autograd.functional torch\ntensor([2., 2.])"


def test_loaded_modules_are_found_in_sys_modules():
    assert printed(
        "import sys, torch\n"
        "print(sys.modules['torch.autograd.function'] is torch.autograd.function)\n"
        "torch.fft.fft; torch.distributions.Normal\n"
        "print(sys.modules['torch.fft'] is torch.fft, sys.modules['torch.distributions.normal'].Normal is torch.distributions.Normal)\n"
        "import torch.distributions.gamma as g\n"
        "print(g.Gamma is torch.distributions.Gamma, [k for k in sys.modules if k.startswith('torch.') and '._' in k])"
    ) == "True\nTrue True\nTrue []"


def test_versions_and_names_in_text_are_pytorchs():
    assert printed(
        "import importlib.metadata as m, importlib.util as u, torch\n"
        "x = torch.zeros(2, 3)\n"
        "print(torch.__version__, m.version('torch'), u.find_spec('torch') is not None, x.shape, x.dtype, x.type(), x.layout)\n"
        "print(torch.tensor(1.5, dtype=torch.float64), torch.channels_last, eval(repr(x.dtype)) is torch.float32)\n"
        "print(torch.ones(1).max(0))"
    ) == (
        "2.13.0 2.13.0 True torch.Size([2, 3]) torch.float32 torch.FloatTensor torch.strided\n"
        "tensor(1.5000, dtype=torch.float64) torch.channels_last True\n"
        "torch.return_types.max(\nvalues=tensor(1.),\nindices=tensor(0))"
    )


def test_warnings_are_found_by_pytorchs_words():
    assert printed(
        "import warnings, torch\n"
        "warnings.simplefilter('error')\n"
        "warnings.filterwarnings('ignore', message=r'`torch\\.cuda\\.amp\\.autocast\\(args\\.\\.\\.\\)` is deprecated')\n"
        "warnings.filterwarnings('ignore', message=r'torch\\.is_autocast_cpu_enabled\\(\\) is deprecated')\n"
        "warnings.filterwarnings('ignore', message='.*rather than torch.tensor')\n"
        "warnings.filterwarnings('ignore', message='.*use `with torch.no_grad', category=UserWarning)\n"
        "torch.cuda.amp.autocast(False); torch.is_autocast_cpu_enabled(); torch.zeros(1).volatile = True\n"
        "print(torch.tensor(torch.ones(1)))"
    ) == "tensor([1.])"


def test_classes_say_that_they_are_pytorchs():
    assert printed(
        "import pickle, torch\n"
        "print(type(torch.ones(2)), torch.Tensor.__module__, torch.Size.__module__, type(torch.float32), type(torch.device('cpu')))\n"
        "x = torch.ones(2)\n"
        "back = pickle.loads(pickle.dumps([torch.Tensor, x, x.shape, x.dtype, x.device]))\n"
        "print(back[0] is torch.Tensor, back[1:])"
    ) == (
        "<class 'torch.Tensor'> torch torch <class 'torch.dtype'> <class 'torch.device'>\n"
        "True [tensor([1., 1.]), torch.Size([2]), torch.float32, device(type='cpu')]"
    )


def test_values_say_where_their_class_is():
    """``x.__module__`` is what a class written in Python would give; PyTorch's tensors and dtypes have it."""
    assert printed(
        "import torch\n"
        "class Own(torch.Tensor): pass\n"
        "x = torch.ones(2)\n"
        "print(x.__module__, torch.float32.__module__, x.as_subclass(Own).__module__, Own.__module__)"
    ) == "torch torch __main__ __main__"


def test_results_of_ops_say_that_they_are_of_pytorchs_return_types():
    assert printed(
        "import pickle, torch\n"
        "r = torch.ones(2, 2).max(0)\n"
        "print(type(r), type(r).__module__, type(torch.linalg.qr(torch.eye(2))))\n"
        "print(torch.return_types.max is type(r), type(pickle.loads(pickle.dumps(r))) is type(r))\n"
        "print(b'ctorch.return_types' in pickle.dumps(r, protocol=2))"
    ) == "<class 'torch.return_types.max'> torch.return_types <class 'torch.return_types.linalg_qr'>\nTrue True\nTrue"


def test_the_classes_of_distributions_are_of_pytorchs_files():
    assert printed(
        "import pickle, typing, torch.distributions as d\n"
        "print(d.Normal, d.OneHotCategorical, d.TanhTransform, d.constraints.Constraint, typing.Any.__module__)\n"
        "print(all(pickle.loads(pickle.dumps(c)) is c for c in vars(d).values() if isinstance(c, type)))\n"
        "import torch.distributions.half_normal as h; print(h.HalfNormal.__module__, h._standard_normal is not None)"
    ) == (
        "<class 'torch.distributions.normal.Normal'> <class 'torch.distributions.one_hot_categorical.OneHotCategorical'> "
        "<class 'torch.distributions.transforms.TanhTransform'> <class 'torch.distributions.constraints.Constraint'> typing\n"
        "True\ntorch.distributions.half_normal True"
    )


def test_what_is_not_there_is_said_to_be_missing():
    assert printed(
        "import torch\n"
        "try: import torch._inductor_of_nobody\n"
        "except ModuleNotFoundError as e: print(e.name)\n"
        "try: torch.no_such_name\n"
        "except AttributeError as e: print('no_such_name' in str(e))\n"
        "import importlib.util as u; print(u.find_spec('torch.nosuch'), hasattr(torch, 'add'), 'matmul' in dir(torch))"
    ) == "torch._inductor_of_nobody\nTrue\nNone True True"


def test_torch_is_a_name_of_torch():
    assert printed("import torch\nprint(torch.torch is torch, torch.torch.Tensor is torch.Tensor)") == "True True"


def test_names_are_found_in_the_files_where_pytorch_keeps_them():
    assert printed(
        "from torch.autograd.profiler_util import EventList, FunctionEvent, _format_time\n"
        "from torch.masked.maskedtensor.core import MaskedTensor, is_masked_tensor\n"
        "from torch.masked.maskedtensor.creation import as_masked_tensor\n"
        "from torch.multiprocessing.pool import Pool\n"
        "from torch.multiprocessing.queue import SimpleQueue\n"
        "from torch.multiprocessing.reductions import ForkingPickler, init_reductions, reduce_tensor\n"
        "from torch.signal.windows.windows import hann\n"
        "from torch.utils.benchmark.utils.common import Measurement\n"
        "from torch.utils.benchmark.utils.compare import Compare\n"
        "from torch.utils.benchmark.utils.timer import Timer, timer\n"
        "from torch.utils.checkpoint import DefaultDeviceType as D\n"
        "from torch.cpu.amp.autocast_mode import autocast\n"
        "import torch, torch.utils.benchmark as b\n"
        "init_reductions(); D.set_device_type('cpu')\n"
        "function, arguments = reduce_tensor(torch.arange(3))[:2]\n"
        "print(function(*arguments), torch.masked.MaskedTensor is MaskedTensor, torch.signal.windows.hann is hann, b.Timer is Timer)\n"
        "print(torch.cpu.amp.autocast is autocast, D.get_device_type(), _format_time(1500.0), torch.profiler.profile is not None)\n"
        "try: torch.hub.list('a/b')\n"
        "except NotImplementedError as error: print(error)"
    ) == (
        "tensor([0, 1, 2]) True True True\nTrue cpu 1.500ms True\n"
        "[hub.list] code of a/b is not downloaded and run; clone it and look into its hubconf.py"
    )


def test_names_that_pytorchs_files_import_are_found_in_them():
    assert printed(
        "import torch, taeda.special\n"
        "from torch.functional import Tensor, has_torch_function, torch as t\n"
        "from torch.fft import Tensor as u\n"
        "from torch import _VF\n"
        "print(Tensor is u is torch.sparse.Tensor is torch.special.Tensor is torch.Tensor, t is torch, _VF.relu is torch.relu)\n"
        "print(has_torch_function is torch.overrides.has_torch_function, 'Tensor' in dir(torch.fft))\n"
        "print([hasattr(m, 'Parameter') for m in (torch.fft, torch.functional, torch.linalg)], hasattr(_VF, '__wrapped__'))\n"
        "try: torch.fft.Parameter\n"
        "except AttributeError as e: print(e)"
    ) == "True True True\nTrue False\n[False, False, False] False\nmodule 'taeda.fft' has no attribute 'Parameter'"
    assert printed("import taeda.fft\nprint(hasattr(taeda.functional, 'Tensor'), taeda.fft.Tensor is taeda.Tensor)") == "True True"
    ran = run("-c", "import taeda.fft\nprint(hasattr(taeda.functional, 'Tensor'), hasattr(taeda.fft, 'Tensor'))")
    assert ran.stdout == "False False\n"


def test_a_timed_statement_knows_torch():
    assert printed("from torch.utils.benchmark import Timer\nprint(Timer('torch.ones(3)', 'taeda.ones(3)').timeit(2).number_per_run)") == "2"


def test_the_module_is_found_in_a_dictionary_under_both_names():
    assert printed(
        "import torch, taeda, torch.overrides\n"
        "found = torch.overrides.get_overridable_functions()\n"
        "print(torch.sin in found[torch], found[torch] == found[taeda], torch == taeda, taeda == torch, torch == taeda.linalg, torch != 3)"
    ) == "True True True True False True"


def test_a_name_set_on_torch_is_set_on_taeda():
    assert printed("import torch, taeda\ntorch.mine = 3\nprint(taeda.mine)\ndel torch.mine\nprint(hasattr(taeda, 'mine'))") == "3\nFalse"


def test_what_torch_was_asked_for_is_at_hand_until_it_is_written_to():
    assert printed(
        "import torch, taeda, torch.linalg as room\nfrom types import ModuleType\nfrom unittest import mock\n"
        "torch.ones, taeda.ones\nprint('ones' in vars(ModuleType)['__dict__'].__get__(torch))\n"
        "original = torch.ones\n"
        "for module in (torch, taeda):\n"
        "    with mock.patch.object(module, 'ones', lambda n: n): print(torch.ones(3), taeda.ones(3))\n"
        "    with mock.patch.object(module, 'linalg', 7): print(torch.linalg, taeda.linalg)\n"
        "print(torch.ones is taeda.ones is original, torch.linalg is taeda.linalg is room)\n"
        "taeda.mine = 1; print(torch.mine); del torch.mine; print(hasattr(taeda, 'mine'), hasattr(torch, 'mine'))"
    ) == "True\n3 3\n7 7\n3 3\n7 7\nTrue True\n1\nFalse False"


def test_another_torch_that_is_loaded_is_refused():
    ran = run("-c", "import sys, types; sys.modules['torch'] = types.ModuleType('torch')\n" + INSTALL)
    assert "ImportError: [as_torch.install] torch itself is loaded already" in ran.stderr


def test_a_program_runs_as_it_is(tmp_path):
    (tmp_path / "other.py").write_text("import torch\nhalf = torch.tensor(0.5)\n")
    program = tmp_path / "program.py"
    program.write_text("import sys, torch\nfrom other import half\nif __name__ == '__main__': print(sys.argv[1:], half * 2)\n")
    ran = run("-m", "taeda", str(program), "--epochs", "3")
    assert (ran.stdout, ran.stderr) == ("['--epochs', '3'] tensor(1.)\n", "")
    ran = run("-m", "taeda", "-m", "other_main", "x", cwd=tmp_path)
    assert ran.returncode != 0 and "other_main" in ran.stderr
    (tmp_path / "other_main.py").write_text("import sys, torch\nprint(torch.arange(2), sys.argv[1:])\n")
    ran = run("-m", "taeda", "-m", "other_main", "x", cwd=tmp_path)
    assert ran.stdout == "tensor([0, 1]) ['x']\n", ran.stderr


@pytest.mark.parametrize("arguments, code, text", [
    ([], 2, "usage"), (["-h"], 0, "usage"), (["-m"], 2, "usage"), (["-c"], 2, "usage"), (["nowhere.py"], 1, "no program 'nowhere.py'"),
])  # fmt: skip
def test_the_command_says_how_it_is_used(arguments, code, text):
    ran = run("-m", "taeda", *arguments)
    assert ran.returncode == code and text in ran.stdout + ran.stderr


@pytest.mark.parametrize("by", ["-c", "-"])
def test_a_programs_text_is_run_as_the_main_module(by):
    text = ("import torch, sys, pickle\nclass Point: pass\n"
            "print(torch.ones(2), sys.argv, type(pickle.loads(pickle.dumps(Point()))) is Point, __name__)")
    ran = run("-m", "taeda", *(["-c", text] if by == "-c" else ["-"]), "more", input=text)
    assert ran.stdout == f"tensor([1., 1.]) ['{by}', 'more'] True __main__\n", ran.stderr


def test_the_version_compares_by_its_numbers_and_the_names_are_in_the_modules_dictionary():
    assert printed(
        "import torch\n"
        "v = torch.__version__\n"
        "print(v > '2.5.0', v >= (2, 5), '2.9' < v, v == '2.13', v < '2.13.0+cpu', v != '2.13.0', v.split('.')[:2])\n"
        "names = vars(torch)\n"
        "print(names['float32'], torch.__dict__['add'] is torch.add, 'nothing' in names)\n"
        "torch.mine = 3; print(torch.__dict__['mine'], torch.mine); del torch.mine; print(hasattr(torch, 'mine'), torch.torch is torch)"
    ) == "True True True True True False ['2', '13']\ntorch.float32 True False\n3 3\nFalse True"


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
def test_processes_of_a_program_know_torch(tmp_path, method):
    program = tmp_path / "program.py"
    program.write_text(textwrap.dedent(f"""
        import torch
        import torch.multiprocessing as mp

        def double(x):
            x.mul_(2)
            assert torch.__name__ == "torch" and hasattr(torch, "kernels")

        if __name__ == "__main__":
            x = torch.ones(2).share_memory_()
            p = mp.get_context("{method}").Process(target=double, args=(x,))
            p.start()
            p.join()
            print(p.exitcode, x.tolist())
    """))
    ran = run("-m", "taeda", str(program))
    assert ran.stdout == "0 [2.0, 2.0]\n", ran.stderr


def test_nodes_of_the_graph_say_that_they_are_pytorchs():
    assert printed(
        "import torch\n"
        "x = torch.ones(2, requires_grad=True); y = x * 1; y[:1].mul_(2)\n"
        "print(x.exp().grad_fn.next_functions[0][0].name(), y.grad_fn.name())"
    ) == "torch::autograd::AccumulateGrad torch::autograd::CopySlices"
