"""Files of weights from the internet, kept in a folder: PyTorch's ``torch.hub``, which here runs code of the program's own folders alone.

The folder is ``$TAEDA_HOME/hub``, else ``$XDG_CACHE_HOME/taeda/hub``, else ``~/.cache/taeda/hub``.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import secrets
import sys
import urllib.request
from typing import Any
from urllib.parse import urlparse

from taeda.serialization import load as load_file

__all__ = ["HASH_REGEX", "download_url_to_file", "get_dir", "help", "list", "load", "load_state_dict_from_url", "set_dir"]

CHUNK = 1 << 17
HASH_REGEX = re.compile(r"-([a-f0-9]*)\.")       # of a name such as resnet18-f37072fd.pth

_chosen: str | None = None


def _get_torch_home() -> str:
    """Return taeda's folder among the caches, by the name that libraries ask PyTorch for its own."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return os.path.expanduser(os.environ.get("TAEDA_HOME", os.path.join(cache, "taeda")))


def get_dir() -> str:
    """Return the folder that downloads are kept in.

    >>> import taeda
    >>> before = taeda.hub.get_dir()
    >>> taeda.hub.set_dir("/data/weights")
    >>> taeda.hub.get_dir()
    '/data/weights'
    >>> taeda.hub.set_dir(before)
    """
    return os.path.join(_get_torch_home(), "hub") if _chosen is None else _chosen


def set_dir(d: str | os.PathLike[str]) -> None:
    """Keep downloads in another folder from now on; :func:`get_dir` tells which."""
    global _chosen
    _chosen = os.path.expanduser(d)


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> None:
    """Download a file from the internet to ``dst``, which appears only when it is complete.

    Args:
        hash_prefix: what the SHA-256 of the content, in hexadecimal digits, must begin with.
        progress: write on stderr how much is there.

    Raises:
        RuntimeError: the content has another hash.
        OSError: there is no such address, or no way to it.

    >>> import os, pathlib, taeda
    >>> _ = pathlib.Path("source.txt").write_text("hello")
    >>> taeda.hub.download_url_to_file("file://" + os.path.abspath("source.txt"), "copy.txt", hash_prefix="2cf24d", progress=False)
    >>> pathlib.Path("copy.txt").read_text()
    'hello'
    """
    dst = os.path.expanduser(dst)
    part = f"{dst}.{secrets.token_hex(6)}.part"
    try:
        digest = _download(url, part, progress)
        if hash_prefix is not None and not digest.startswith(hash_prefix):
            raise RuntimeError(f'[hub] invalid hash value of {url} (expected "{hash_prefix}", got "{digest[: len(hash_prefix)]}")')
        os.replace(part, dst)
    finally:
        if os.path.exists(part):
            os.remove(part)


def _download(url: str, path: str, progress: bool) -> str:
    """Write what an address gives to a new file and return its SHA-256."""
    found, done = hashlib.sha256(), 0
    request = urllib.request.Request(url, headers={"User-Agent": "taeda.hub"})
    with urllib.request.urlopen(request) as source, open(path, "xb") as file:     # with any new file's permissions: folders are shared
        total = int(source.headers.get("Content-Length") or 0)
        while block := source.read(CHUNK):
            file.write(block)
            found.update(block)
            done += len(block)
            if progress:
                share = f" of {total / 1e6:.1f} MB ({100 * done // total} %)" if total else " MB"
                sys.stderr.write(f"\r{done / 1e6:.1f}{share}")
    if progress:
        sys.stderr.write("\n")
    return found.hexdigest()


def load_state_dict_from_url(
    url: str,
    model_dir: str | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = True,
) -> Any:
    """Return what a file on the internet holds, PyTorch's or taeda's; it is downloaded once.

    Args:
        model_dir: where the file is kept; ``get_dir()/checkpoints`` by default.
        map_location, weights_only: as ``taeda.load`` takes them; what a stranger's file asks for is not run.
        check_hash: the name is ``name-<digits>.ext``, and the digits begin the SHA-256 of the content.
        file_name: the name it is kept under, else that of the address.

    Raises:
        RuntimeError: the content has another hash.
        OSError: there is no such address, or no way to it.

    >>> import os, taeda
    >>> taeda.save({"weight": taeda.ones(2)}, "weights.pt")            # any address that urllib knows
    >>> taeda.hub.load_state_dict_from_url("file://" + os.path.abspath("weights.pt"), model_dir="kept", progress=False)
    {'weight': tensor([1., 1.])}
    """
    folder = os.path.join(get_dir(), "checkpoints") if model_dir is None else model_dir
    os.makedirs(folder, exist_ok=True)
    name = file_name or os.path.basename(urlparse(url).path)
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        if progress:
            sys.stderr.write(f'Downloading: "{url}" to {path}\n')
        digits = HASH_REGEX.search(name) if check_hash else None
        download_url_to_file(url, path, digits[1] if digits else None, progress)
    return load_file(path, map_location=map_location, weights_only=weights_only)


class _Count:
    """What stands for tqdm's bar where that is not installed: it counts in silence."""

    def __init__(self, iterable: Any = None, total: Any = None, **options: Any) -> None:
        self.iterable, self.total, self.n = iterable, total, 0

    def update(self, n: int = 1) -> None:
        """Count ``n`` more."""
        self.n += n

    def __iter__(self) -> Any:
        for x in self.iterable:
            yield x
            self.update()

    def close(self) -> None:
        """Do nothing: there is no bar."""

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *exc: Any) -> None:
        pass


def __getattr__(name: str) -> Any:
    if name == "tqdm":
        try:
            from tqdm.auto import tqdm
        except ImportError:
            return _Count
        return tqdm
    raise AttributeError(f"module 'taeda.hub' has no attribute {name!r}")


def load(
    repo_or_dir: str, model: str, *args: Any, source: str = "github", trust_repo: Any = None, force_reload: bool = False,
    verbose: bool = True, skip_validation: bool = False, **kwargs: Any,
) -> Any:
    """Call a function of the ``hubconf.py`` in a folder of the program's own, and return the model that it makes.

    Args:
        repo_or_dir: the folder; it is on ``sys.path`` while the file and the function run.
        model: the function's name; what follows is given to it.
        source: "local".  What "github" means is not run.

    Raises:
        NotImplementedError: a repository's code would have to be downloaded.
        ValueError: an unknown source, or ``model`` is not a string.
        RuntimeError: the file has no such function, or names packages in ``dependencies`` that are not installed.

    >>> import os, taeda
    >>> os.makedirs("mine", exist_ok=True)
    >>> with open("mine/hubconf.py", "w") as file:
    ...     _ = file.write("def model(width): return [width, 2 * width]")
    >>> taeda.hub.load("mine", "model", 3, source="local")
    [3, 6]
    """
    if source not in ("github", "local"):
        raise ValueError(f"[hub.load] unknown source {source!r}; allowed values: 'github', 'local'")
    if source == "github":
        raise NotImplementedError(f"[hub.load] code of {repo_or_dir} is not downloaded and run; clone it and use source='local', or build "
                                  "the model here and give it load_state_dict_from_url(...)")
    if not isinstance(model, str):
        raise ValueError(f"[hub.load] model should be the name of a function, got {type(model).__name__}")
    folder = os.path.expanduser(repo_or_dir)
    sys.path.insert(0, folder)
    try:
        conf = _module_of(os.path.join(folder, "hubconf.py"))
        missing = [name for name in getattr(conf, "dependencies", ()) if importlib.util.find_spec(name) is None]
        if missing:
            raise RuntimeError(f"[hub.load] missing dependencies: {', '.join(missing)}")
        function = getattr(conf, model, None)
        if not callable(function):
            raise RuntimeError(f"[hub.load] cannot find callable {model} in hubconf")
        return function(*args, **kwargs)
    finally:
        sys.path.remove(folder)


def _module_of(path: str) -> Any:
    """Run a file as a module that nobody else can import."""
    spec = importlib.util.spec_from_file_location("hubconf.py", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"[hub.load] cannot read {path}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def list(github: str, force_reload: bool = False, skip_validation: bool = False, trust_repo: Any = "check", verbose: bool = True) -> Any:
    """Raise NotImplementedError: a repository's code is not downloaded.

    >>> import taeda
    >>> taeda.hub.list("pytorch/vision")
    Traceback (most recent call last):
    NotImplementedError: [hub.list] code of pytorch/vision is not downloaded and run; clone it and look into its hubconf.py
    """
    raise NotImplementedError(f"[hub.list] code of {github} is not downloaded and run; clone it and look into its hubconf.py")


def help(github: str, model: str, force_reload: bool = False, skip_validation: bool = False, trust_repo: Any = "check") -> Any:
    """Raise NotImplementedError: a repository's code is not downloaded.

    >>> import taeda
    >>> taeda.hub.help("pytorch/vision", "resnet18")
    Traceback (most recent call last):
    NotImplementedError: [hub.help] code of pytorch/vision is not downloaded and run; clone it and read resnet18 in its hubconf.py
    """
    raise NotImplementedError(f"[hub.help] code of {github} is not downloaded and run; clone it and read {model} in its hubconf.py")
