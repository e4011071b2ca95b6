"""Everything that is done to taeda, one session each; `nox -l` lists them.

Wheels are built once for a state of the sources (a hash of them names the folder under .nox/wheels) and
installed by every session, so the core is compiled once however many sessions run.
"""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil

import nox

ROOT = pathlib.Path(__file__).parent
PACKAGES = {  # name: taeda packages that it needs, in order of installation
    "core": [],
    "nn": ["core"],
    "optim": ["core"],
    "data": ["core"],
    "vision": ["core", "nn", "data"],
}
TEST_TOOLS = ["pytest>=8", "hypothesis>=6.100"]
ORACLES = {"core": ["scipy"]}  # what a package's tests compare with, besides its dependencies
TORCH = "torch==2.13.0"

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "integration"]
nox.options.error_on_missing_interpreters = False


def fingerprint(package: str) -> str:
    """Return a hash of the sources that a package's wheel is made of."""
    digest = hashlib.sha256()
    folder = ROOT / "packages" / package
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        parts = path.relative_to(folder).parts                     # an editable install builds in the tree
        made = parts[0] in {"tests", "build"} or "__pycache__" in parts or path.suffix in {".so", ".pyc"}
        if made or any(part[0] == "." for part in parts):
            continue
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def wheel(session: nox.Session, package: str) -> str:
    """Return the path of the package's wheel, built if its sources have changed."""
    folder = ROOT / ".nox" / "wheels" / f"{package}-{fingerprint(package)}"
    found = list(folder.glob("*.whl"))
    if not found:
        session.log(f"building the wheel of taeda-{package}" + (" (minutes: its kernels are compiled)" if package == "core" else ""))
        scratch = folder.with_suffix(".part")
        shutil.rmtree(scratch, ignore_errors=True)
        session.run("python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(scratch), str(ROOT / "packages" / package))
        shutil.rmtree(folder, ignore_errors=True)
        scratch.rename(folder)
        found = list(folder.glob("*.whl"))
    return str(found[0])


def install(session: nox.Session, *packages: str, extra: tuple[str, ...] = ()) -> None:
    """Install the wheels of the packages and what they need, and nothing else of taeda."""
    wanted: list[str] = []
    for package in packages:
        wanted += [p for p in [*PACKAGES[package], package] if p not in wanted]
    session.install("-q", *[wheel(session, p) for p in wanted], *extra)
    stale = [f"taeda-{p}" for p in PACKAGES if p not in wanted]
    if stale:
        session.run("python", "-m", "pip", "uninstall", "-q", "-y", *stale, silent=True)
    # a rebuilt wheel has the old version number: pip must be told to put it in again
    session.run("python", "-m", "pip", "install", "-q", "--no-deps", "--force-reinstall", *[wheel(session, p) for p in wanted], silent=True)


def pytest(session: nox.Session, *args: str) -> None:
    """Run pytest outside of the source tree's import path."""
    session.run("python", "-P", "-m", "pytest", *args, *session.posargs, env={"PYTHONDONTWRITEBYTECODE": "1"})


@nox.session
def train(session: nox.Session) -> None:
    """The main job: install the five packages, train a CNN on handwritten digits, save and draw the results."""
    install(session, "vision", "optim")
    session.run("python", "examples/train.py", *session.posargs)


@nox.session
@nox.parametrize("package", list(PACKAGES))
def tests(session: nox.Session, package: str) -> None:
    """The tests of one package where only its own dependencies are installed."""
    install(session, package, extra=(*TEST_TOOLS, *ORACLES.get(package, [])))
    pytest(session, f"packages/{package}/tests")


@nox.session
def integration(session: nox.Session) -> None:
    """The tests that cross packages: the namespace, the examples, the wheels, the documentation's examples."""
    install(session, *PACKAGES, extra=tuple(TEST_TOOLS))
    wheels = os.pathsep.join(wheel(session, p) for p in PACKAGES)
    session.env["TAEDA_WHEELS"] = wheels
    pytest(session, "tests/integration")


@nox.session
def parity(session: nox.Session) -> None:
    """Values, dtypes, strides, gradients and exceptions side by side with PyTorch."""
    install(session, *PACKAGES, extra=(*TEST_TOOLS, TORCH, "scipy", "einops", "tensorboard"))
    pytest(session, "tests/parity")


@nox.session
def lint(session: nox.Session) -> None:
    """Style: ruff, cython-lint, codespell."""
    session.install("-q", "ruff==0.17.5", "cython-lint>=0.16", "codespell>=2.3", "Cython")
    session.run("ruff", "check", ".")
    session.run("cython-lint", "packages/core/src")
    session.run("python", "tools/lint_templates.py")
    session.run("python", "tools/sort_cimports.py", "--check")
    session.run("codespell", "packages", "tests", "examples", "benchmarks", "docs", "README.md", "CHANGELOG.md", "CONTRIBUTING.md")


@nox.session
def typecheck(session: nox.Session) -> None:
    """mypy over the packages as installed; mypy and pyright over programs as users write them."""
    install(session, *PACKAGES, extra=("mypy>=1.15", "pyright[nodejs]>=1.1.400"))        # with a node of its own
    for package in PACKAGES:
        name = "taeda" if package == "core" else f"taeda.{package}"
        session.run("mypy", "-p", name)
    session.run("mypy", "tests/typing/user_example.py", "tests/typing/user_habits.py")
    session.run("pyright", "tests/typing/user_example.py", "tests/typing/user_habits.py")


@nox.session
def bench(session: nox.Session) -> None:
    """Time taeda against PyTorch in turn; `-- --write` brings benchmarks/RESULTS.md up to date."""
    install(session, *PACKAGES, extra=(TORCH,))
    session.run("python", "benchmarks/run.py", *session.posargs)


@nox.session
def build(session: nox.Session) -> None:
    """Build the five wheels into dist/."""
    (ROOT / "dist").mkdir(exist_ok=True)
    for package in PACKAGES:
        shutil.copy(wheel(session, package), ROOT / "dist")
    session.log("wheels in dist/: " + ", ".join(sorted(p.name for p in (ROOT / "dist").glob("*.whl"))))


@nox.session
def docs(session: nox.Session) -> None:
    """Write docs/operations.md from the registry, docs/surface.md (PyTorch's names beside ours), the tables of docs/accuracy.md."""
    install(session, "core", extra=("scipy",))
    session.run("python", "docs/make_operations.py", *session.posargs)
    session.run("python", "docs/make_surface.py", *session.posargs)
    session.run("python", "docs/make_accuracy.py", *session.posargs)


@nox.session
def sanitize(session: nox.Session) -> None:
    """The core's tests under AddressSanitizer and UndefinedBehaviorSanitizer (its x86-64-v3 kernels), hostile calls among them."""
    session.install("-q", "meson>=1.4", "ninja", "Cython>=3.1", "numpy>=1.26", "scipy-openblas32==0.3.34.481.3", *TEST_TOOLS,
                    *ORACLES["core"])
    core, build = ROOT / "packages" / "core", ROOT / ".nox" / "sanitize"
    if not (build / "build.ninja").exists():
        session.run("meson", "setup", str(build), str(core), "-Dbuildtype=plain", "-Db_sanitize=address,undefined", "-Db_lundef=false",
                    "-Dc_args=-fno-sanitize=alignment")
    session.run("ninja", "-C", str(build))
    # a copy of the Python files with the modules beside them: what an install would be
    site = build / "site"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(core / "src", site, ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    for module in (build / "src").rglob("*.so"):
        shutil.copy(module, site / module.relative_to(build / "src"))
    libasan = session.run("gcc", "-print-file-name=libasan.so", external=True, silent=True).strip()
    blas = session.run("python", "-c", "import scipy_openblas32 as b; print(b.get_lib_dir())", silent=True).strip()
    session.env.update({
        "LD_PRELOAD": libasan, "LD_LIBRARY_PATH": blas, "PYTHONPATH": str(site), "PYTHONMALLOC": "malloc",
        "ASAN_OPTIONS": "detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=4096",
        "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1", "TAEDA_SANITIZED": "1"})
    # the report goes to file descriptor 2, which pytest then leaves alone
    # (AddressSanitizer and shared memory that a child process frees do not go together; without optimisation sums are not the stated ones)
    pytest(session, "--capture=sys", "packages/core/tests", "--ignore", "packages/core/tests/test_shared_memory.py",
           "--ignore", "packages/core/tests/test_accuracy.py")
