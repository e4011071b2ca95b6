"""Downloads that end whole or not at all, and archives that stay inside their folder."""

from __future__ import annotations

import bz2
import contextlib
import errno
import gzip
import hashlib
import http.client
import lzma
import os
import re
import shutil
import tarfile
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

from taeda.data.progress import Progress, progress

try:
    import fcntl
except ImportError:  # not a POSIX system: two downloads of one file at a time are then the user's matter
    fcntl = None  # type: ignore[assignment]

__all__ = [
    "calculate_md5",
    "check_integrity",
    "check_md5",
    "download_and_extract_archive",
    "download_file",
    "download_url",
    "extract_archive",
    "list_dir",
    "list_files",
    "verify_str_arg",
    "within",
]

Path = str | os.PathLike[str]
CHUNK = 1 << 18
_NETWORK_ERRORS = (urllib.error.URLError, http.client.HTTPException, OSError)


def calculate_md5(fpath: Path) -> str:
    """Return the MD5 checksum of a file in hexadecimal digits.

    >>> import pathlib
    >>> from taeda.vision.datasets.utils import calculate_md5
    >>> _ = pathlib.Path("greeting").write_text("hello")
    >>> calculate_md5("greeting")
    '5d41402abc4b2a76b9719d911017c592'
    """
    with open(fpath, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def check_md5(fpath: Path, md5: str) -> bool:
    """Say whether a file has that MD5 checksum."""
    return calculate_md5(fpath) == md5


def check_integrity(fpath: Path, md5: str | None = None) -> bool:
    """Say whether the file is there and, where `md5` is given, has that checksum.

    >>> from taeda.vision.datasets.utils import check_integrity
    >>> check_integrity("no such file")
    False
    """
    return os.path.isfile(fpath) and (md5 is None or check_md5(fpath, md5))


def download_file(
    urls: Sequence[str], path: Path, md5: str | None = None, timeout: float = 30.0, show: bool | None = None
) -> None:
    """Download a file from the first of several mirrors that gives it.

    It is written to ``path + ".part"`` and renamed when it is whole and its checksum is right, so `path` is never
    half a file. A part that an earlier run left is continued where the checksum is known, since only that tells
    whether the pieces belong together. Of two processes that want the same file one waits for the other.

    Args:
        urls: http or https addresses.
        path: where the file goes; its folder is made.
        md5: the checksum that the file must have.
        timeout: seconds without any data after which a mirror is given up.
        show: draw a progress bar; by default where standard error is a terminal.

    Raises:
        RuntimeError: no mirror gave the file; the message says what each did.
        ValueError: an address is neither http nor https.
        OSError: the file cannot be written.
    """
    path = os.fspath(path)
    for url in urls:
        if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
            raise ValueError(f"[download] only http and https addresses are fetched, got {url!r}")
    if check_integrity(path, md5):
        return
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with _only_one(path + ".part") as part:
        if check_integrity(path, md5):  # the process we waited for brought it
            return
        failures = []
        for url in urls:
            try:
                _fetch(url, part, md5, timeout, show, os.path.basename(path))
            except _NotThere as error:
                failures.append(f"  {url}: {error}")
                continue
            part.flush()
            os.fsync(part.fileno())
            os.replace(path + ".part", path)
            return
        if os.fstat(part.fileno()).st_size == 0 or md5 is None:
            os.unlink(path + ".part")
    raise RuntimeError(f"[download] no mirror gave {os.path.basename(path)}:\n" + "\n".join(failures))


class _NotThere(Exception):
    """A mirror did not give the file; the message says why."""


@contextlib.contextmanager
def _only_one(part: str) -> Iterator[IO[bytes]]:
    """Open the part and hold its lock; wait for another process that does."""
    while True:
        file = open(part, "ab+")  # noqa: SIM115 - closed below; the lock needs it open
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX)
            # Whoever held the lock may have renamed this very file: then it is not the part any more.
            if os.path.exists(part) and os.path.samestat(os.fstat(file.fileno()), os.stat(part)):
                yield file
                return
        finally:
            file.close()


def _fetch(url: str, part: IO[bytes], md5: str | None, timeout: float, show: bool | None, name: str) -> None:
    have = part.seek(0, os.SEEK_END)
    if md5 is None and have:
        have = part.truncate(0)
    if have and _sum(part) == md5:
        return None  # an earlier run was stopped just before the renaming
    headers = {"User-Agent": "taeda", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        _receive(urllib.request.Request(url, headers=headers), part, have, timeout, show, name)
    except urllib.error.HTTPError as error:
        error.close()  # it is the answer too
        if error.code == 416 and have:  # what we have is longer than their file: it is something else
            part.truncate(0)
            return _fetch(url, part, md5, timeout, show, name)
        raise _NotThere(f"HTTP status {error.code} {error.reason}") from error
    except _Local as error:
        raise error.reason from None
    except _NETWORK_ERRORS as error:
        raise _NotThere(getattr(error, "reason", None) or error or type(error).__name__) from error
    if md5 is not None and (found := _sum(part)) != md5:
        part.truncate(0)
        if have:  # the first piece was perhaps another file's: once more from the start
            return _fetch(url, part, md5, timeout, show, name)
        raise _NotThere(f"the MD5 sum is {found}, it should be {md5}")
    return None


class _Local(Exception):
    """Writing failed: no other mirror can help."""

    def __init__(self, reason: OSError) -> None:
        super().__init__(str(reason))
        self.reason = reason


def _receive(
    request: urllib.request.Request, part: IO[bytes], have: int, timeout: float, show: bool | None, name: str
) -> None:
    with urllib.request.urlopen(request, timeout=timeout) as response:
        if have and not _continues(response, have):
            have = part.truncate(0)
        length = response.headers.get("Content-Length")
        total = have + int(length) if length is not None and length.isdigit() else None
        received = have
        bar: Progress[None]
        with progress(total=total, desc=name, unit="bytes", enabled=show) as bar:
            bar.update(have)
            while chunk := response.read(CHUNK):
                try:
                    part.write(chunk)
                    part.flush()
                except OSError as error:
                    raise _Local(error) from error
                received += len(chunk)
                bar.update(len(chunk))
        if total is not None and received != total:
            raise _NotThere(f"the connection ended after {received} of {total} bytes")


def _continues(response: Any, have: int) -> bool:
    """Say whether the answer is the rest of the file from byte `have` on."""
    found = re.match(r"bytes (\d+)-", response.headers.get("Content-Range") or "")
    return response.status == 206 and found is not None and int(found[1]) == have


def _sum(file: IO[bytes]) -> str:
    file.seek(0)
    digest = hashlib.md5(usedforsecurity=False)
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def download_url(url: str, root: Path, filename: Path | None = None, md5: str | None = None) -> None:
    """Download one address into the folder `root`, as `download_file` does.

    Args:
        url: an http or https address.
        root: the folder; ``~`` is understood.
        filename: the file's name; by default the last part of the address.
        md5: the checksum that the file must have.
    """
    name = os.fspath(filename) if filename is not None else os.path.basename(urllib.parse.urlsplit(url).path)
    if not name:
        raise ValueError(f"[download_url] the address {url!r} ends without a file's name; give filename")
    download_file([url], os.path.join(os.path.expanduser(os.fspath(root)), name), md5)


# -- archives --------------------------------------------------------------------------------------

_COMPRESSED: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
_TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz", ".tbz2", ".tar.xz", ".txz")


# what the readers of archives raise for files that are no archives
_DAMAGE = (
    zipfile.BadZipFile, tarfile.TarError, lzma.LZMAError, zlib.error,
    EOFError, LookupError, NotImplementedError, OverflowError, RuntimeError, ValueError,
)  # fmt: skip


class Refused(ValueError):
    """An archive of a kind that is not read, or one that would write outside of its folder."""


def _inside(folder: str, name: str, archive: str) -> None:
    """Refuse a member whose path leads out of the folder."""
    target = os.path.realpath(os.path.join(folder, name))
    if target != folder and not target.startswith(os.path.join(folder, "")):
        raise Refused(
            f"[extract_archive] {archive} is refused: its member {name!r} lies outside the folder"
        )


def extract_archive(from_path: Path, to_path: Path | None = None, remove_finished: bool = False) -> str:
    """Unpack a .zip or .tar (.gz, .bz2, .xz), or decompress a single .gz, .bz2 or .xz file.

    Args:
        from_path: the archive.
        to_path: the folder (for a single file: the file) to write; by default beside the archive.
        remove_finished: delete the archive afterwards.

    Returns:
        The folder or file that was written.

    Raises:
        ValueError: the kind is unknown, or a member lies outside the folder, is a link or a device.
        OSError: the archive is damaged or cannot be written out.
    """
    source = os.fspath(from_path)
    lower = source.lower()
    suffix = os.path.splitext(lower)[1]
    try:
        if lower.endswith(".zip"):
            result = os.fspath(to_path) if to_path is not None else os.path.dirname(source) or "."
            _unzip(source, result)
        elif lower.endswith(_TARS):
            result = os.fspath(to_path) if to_path is not None else os.path.dirname(source) or "."
            _untar(source, result)
        elif suffix in _COMPRESSED:
            result = os.fspath(to_path) if to_path is not None else os.path.splitext(source)[0]
            _decompress(_COMPRESSED[suffix], source, result)
        else:
            raise Refused(
                f"[extract_archive] {source} is none of .zip, {', '.join(_TARS)}, .gz, .bz2, .xz"
            )
    except Refused:
        raise
    except (OSError, *_DAMAGE) as error:
        # the disk's errors stay; EINVAL is of a place before the archive's first byte
        if isinstance(error, OSError) and not isinstance(error, gzip.BadGzipFile) and error.errno != errno.EINVAL:
            raise
        raise OSError(f"[extract_archive] {source} is damaged: {error}") from error
    if remove_finished:
        os.remove(source)
    return result


def _unzip(source: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    real = os.path.realpath(folder)
    with zipfile.ZipFile(source) as archive:
        for info in archive.infolist():
            _inside(real, info.filename, source)
        _fits(sum(info.file_size for info in archive.infolist()), real, source)
        archive.extractall(real)


_NAMING = (tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE)


class _Member(tarfile.TarInfo):
    """A member whose name is no longer than names are: tarfile reads it whole, however many bytes the archive says it has."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Member:
        found = super().frombuf(buf, encoding, errors)
        if found.type in _NAMING and not 0 <= found.size <= 1 << 20:
            raise tarfile.ReadError(f"a member's name of {found.size} bytes")
        return found


def _untar(source: str, folder: str) -> None:
    os.makedirs(folder, exist_ok=True)
    real = os.path.realpath(folder)
    with tarfile.open(source, tarinfo=_Member) as archive:
        members = archive.getmembers()
        while archive.fileobj is not None and archive.fileobj.read(CHUNK):
            pass  # to the end, where a compressed file's checksum stands: the archive's own may lie well before it
        for member in members:
            _inside(real, member.name, source)
            if not (member.isfile() or member.isdir()):
                raise Refused(
                    f"[extract_archive] {source} is refused: its member {member.name!r} is neither a file "
                    "nor a folder"
                )
        _fits(sum(member.size for member in members), real, source)
        if hasattr(tarfile, "data_filter"):
            archive.extractall(real, members, filter="data")
        else:  # Python before 3.11.4; the checks above are what the filter adds
            archive.extractall(real, members)


def _fits(size: int, folder: str, source: str) -> None:
    """Refuse, before anything is written, what would not fit: a small archive may claim any size."""
    free = shutil.disk_usage(folder).free
    if size > free:
        raise OSError(f"[extract_archive] {source} unpacks to {size} bytes, but {folder!r} has room for {free}")


def _decompress(open_: Callable[..., Any], source: str, target: str) -> None:
    os.makedirs(os.path.dirname(target) or ".", exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target) or ".", prefix=".unpacking-")
    try:
        with os.fdopen(handle, "wb") as out, open_(source, "rb") as file:
            shutil.copyfileobj(file, out, CHUNK)
            out.flush()
            os.fsync(out.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def download_and_extract_archive(
    url: str,
    download_root: Path,
    extract_root: Path | None = None,
    filename: Path | None = None,
    md5: str | None = None,
    remove_finished: bool = False,
) -> None:
    """Download an archive into `download_root` and unpack it into `extract_root` (the same by default)."""
    root = os.path.expanduser(os.fspath(download_root))
    name = os.fspath(filename) if filename is not None else os.path.basename(urllib.parse.urlsplit(url).path)
    download_url(url, root, name, md5)
    extract_archive(os.path.join(root, name), root if extract_root is None else extract_root, remove_finished)


def list_dir(root: Path, prefix: bool = False) -> list[str]:
    """List the folders in a folder; with `prefix` as paths.

    >>> import pathlib
    >>> from taeda.vision.datasets.utils import list_dir
    >>> pathlib.Path("top/inner").mkdir(parents=True)
    >>> list_dir("top"), list_dir("top", prefix=True)
    (['inner'], ['top/inner'])
    """
    return _listed(root, os.path.isdir, "", prefix)


def list_files(root: Path, suffix: str | tuple[str, ...], prefix: bool = False) -> list[str]:
    """List the files in a folder whose names end in `suffix`, or in one of several; with `prefix` as paths.

    >>> import pathlib
    >>> from taeda.vision.datasets.utils import list_files
    >>> pathlib.Path("a.png").touch(), pathlib.Path("a.txt").touch()
    (None, None)
    >>> list_files(".", ".png")
    ['a.png']
    """
    return _listed(root, os.path.isfile, suffix, prefix)


def _listed(root: Path, wanted: Callable[[str], bool], suffix: str | tuple[str, ...], prefix: bool) -> list[str]:
    folder = os.path.expanduser(os.fspath(root))
    names = [name for name in os.listdir(folder) if name.endswith(suffix) and wanted(os.path.join(folder, name))]
    return [os.path.join(folder, name) for name in names] if prefix else names


class LeadsOut(ValueError):
    """A list names a file that lies outside of its folder."""


def within(folder: str, name: str, op: str) -> str:
    """Return the path of a file that a list names, or raise ValueError where it leads out of the folder."""
    plain = os.path.normpath(name)
    if os.path.isabs(plain) or plain.split(os.sep, 1)[0] == os.pardir:
        raise LeadsOut(f"[{op}] {name!r} lies outside of {folder!r}; it is refused")
    return os.path.join(folder, name)


def verify_str_arg(value: str, arg: str | None = None, valid_values: Sequence[str] | None = None, op: str = "datasets") -> str:
    """Return a text that is one of the valid ones.

    Raises:
        ValueError: it is not a string, or none of the valid ones.

    >>> from taeda.vision.datasets.utils import verify_str_arg
    >>> verify_str_arg("train", "split", ("train", "test"))
    'train'
    """
    if not isinstance(value, str):
        raise ValueError(f"[{op}] Expected type str for argument {arg}, but got type {type(value)}.")
    if valid_values is not None and value not in valid_values:
        raise ValueError(f"[{op}] Unknown value '{value}' for argument {arg}. Valid values are {', '.join(map(repr, valid_values))}.")
    return value
