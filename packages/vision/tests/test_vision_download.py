"""Downloads from a server on this machine: mirrors, sums, resumption, and archives that want out."""

import gzip
import hashlib
import http.server
import io
import os
import resource
import shutil
import struct
import tarfile
import threading
import zipfile

import numpy as np
import pytest

from taeda.vision.datasets import MNIST
from taeda.vision.datasets.utils import (
    calculate_md5,
    check_integrity,
    check_md5,
    download_and_extract_archive,
    download_file,
    download_url,
    extract_archive,
    list_dir,
    list_files,
)

CONTENT = bytes(range(256)) * 2000
MD5 = hashlib.md5(CONTENT).hexdigest()


class Server:
    """Serves `files`; `cut` ends connections after so many bytes, `ranges` allows resumption."""

    def __init__(self):
        self.files = {"/data.bin": CONTENT}
        self.requests = []
        self.cut = None
        self.ranges = True
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.requests.append((self.path, self.headers.get("Range")))
                body = outer.files.get(self.path)
                if body is None:
                    self.send_error(404)
                    return
                start = 0
                if outer.ranges and self.headers.get("Range"):
                    start = int(self.headers["Range"].removeprefix("bytes=").rstrip("-"))
                    if start >= len(body):
                        self.send_error(416)
                        return
                    self.send_response(206)
                    self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
                else:
                    self.send_response(200)
                self.send_header("Content-Length", str(len(body) - start))
                self.end_headers()
                cut, outer.cut = outer.cut, None
                self.wfile.write(body[start : None if cut is None else start + cut])

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def server(monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Server()
    yield server
    server.close()


def test_a_file_is_downloaded_once(server, tmp_path):
    path = tmp_path / "deep" / "er" / "data.bin"
    download_file([f"{server.url}/data.bin"], path, MD5)
    download_file([f"{server.url}/data.bin"], path, MD5)
    assert path.read_bytes() == CONTENT
    assert len(server.requests) == 1
    assert os.listdir(path.parent) == ["data.bin"]
    assert calculate_md5(path) == MD5
    assert check_integrity(path, MD5) and check_md5(path, MD5)
    assert not check_integrity(path, "0" * 32)


def test_folders_and_files_are_listed(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("b.png", "c.jpg", "d.txt"):
        (tmp_path / name).touch()
    assert (list_dir(tmp_path), list_dir(tmp_path, prefix=True)) == (["a"], [str(tmp_path / "a")])
    assert sorted(list_files(tmp_path, (".png", ".jpg"))) == ["b.png", "c.jpg"]
    assert list_files(tmp_path, ".txt", prefix=True) == [str(tmp_path / "d.txt")]


def test_the_next_mirror_serves_where_one_has_nothing_or_something_else(server, tmp_path):
    server.files["/wrong/data.bin"] = b"something else"
    urls = [f"{server.url}/nowhere/data.bin", f"{server.url}/wrong/data.bin", f"{server.url}/data.bin"]
    download_file(urls, tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_when_all_mirrors_fail_the_error_says_what_each_did_and_no_file_is_left(server, tmp_path):
    server.files["/wrong/data.bin"] = b"something else"
    closed = "http://127.0.0.1:9/data.bin"
    with pytest.raises(RuntimeError, match=r"no mirror gave data.bin") as caught:
        download_file(
            [f"{server.url}/gone", f"{server.url}/wrong/data.bin", closed], tmp_path / "data.bin", MD5
        )
    text = str(caught.value)
    assert "HTTP status 404" in text
    assert f"it should be {MD5}" in text
    assert "refused" in text
    assert os.listdir(tmp_path) == []


def test_a_broken_download_is_continued(server, tmp_path):
    server.cut = 100_000
    with pytest.raises(RuntimeError, match="the connection ended after 100000 of 512000 bytes"):
        download_file([f"{server.url}/data.bin"], tmp_path / "data.bin", MD5)
    assert os.listdir(tmp_path) == ["data.bin.part"]
    download_file([f"{server.url}/data.bin"], tmp_path / "data.bin", MD5)
    assert server.requests[-1] == ("/data.bin", "bytes=100000-")
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["data.bin"]


@pytest.mark.parametrize("part", [b"of another file", CONTENT + b"too much", CONTENT])
@pytest.mark.parametrize("ranges", [True, False])
def test_any_part_of_an_earlier_run_ends_in_the_right_file(server, tmp_path, part, ranges):
    server.ranges = ranges
    (tmp_path / "data.bin.part").write_bytes(part)
    download_file([f"{server.url}/data.bin"], tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert os.listdir(tmp_path) == ["data.bin"]


def test_a_full_disk_leaves_a_part_that_is_continued_later(server, tmp_path):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, old[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            download_file([f"{server.url}/data.bin"] * 2, tmp_path / "data.bin", MD5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert os.listdir(tmp_path) == ["data.bin.part"]
    assert len(server.requests) == 1
    download_file([f"{server.url}/data.bin"], tmp_path / "data.bin", MD5)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


def test_without_a_sum_a_part_is_not_trusted(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"of another file")
    download_url(f"{server.url}/data.bin", tmp_path)
    assert (tmp_path / "data.bin").read_bytes() == CONTENT
    assert server.requests[-1][1] is None


def test_two_downloads_at_a_time_fetch_once(server, tmp_path):
    errors = []

    def run():
        try:
            download_file([f"{server.url}/data.bin"], tmp_path / "data.bin", MD5)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(server.requests) == 1
    assert (tmp_path / "data.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_only_the_web_is_asked(url, tmp_path):
    with pytest.raises(ValueError, match="only http and https"):
        download_url(url, tmp_path)


def test_mnist_downloads_from_its_mirrors(server, tmp_path, monkeypatch):
    images, labels = np.arange(18, dtype=np.uint8).reshape(2, 3, 3), np.array([4, 2], np.uint8)
    resources = []
    for name, array in zip([name for name, _ in MNIST.resources], [images, labels] * 2, strict=True):
        head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
        packed = gzip.compress(head + array.tobytes())
        server.files["/good/" + name] = packed
        resources.append((name, hashlib.md5(packed).hexdigest()))
    monkeypatch.setattr(MNIST, "resources", resources)
    monkeypatch.setattr(MNIST, "mirrors", [f"{server.url}/bad/", f"{server.url}/good/"])
    data = MNIST(tmp_path, download=True)
    assert data.data.tolist() == images.tolist()
    asked = len(server.requests)
    MNIST(tmp_path, train=False, download=True)
    assert len(server.requests) == asked == 8


# -- archives ------------------------------------------------------------------------------------------


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return path


def tarred(path, members, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            if body is None:
                info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
                archive.addfile(info)
            else:
                info.size = len(body)
                archive.addfile(info, io.BytesIO(body))
    return path


def test_archives_are_unpacked(tmp_path):
    members = {"a/b.txt": b"hello", "c.txt": b"there"}
    for path in (zipped(tmp_path / "x.zip", members), tarred(tmp_path / "x.tar.gz", members)):
        out = tmp_path / path.suffix
        assert extract_archive(path, out) == str(out)
        assert (out / "a" / "b.txt").read_bytes() == b"hello"
        assert (out / "c.txt").read_bytes() == b"there"


def test_a_single_compressed_file_is_unpacked_beside_itself(tmp_path):
    (tmp_path / "x.bin.gz").write_bytes(gzip.compress(CONTENT))
    assert extract_archive(tmp_path / "x.bin.gz", remove_finished=True) == str(tmp_path / "x.bin")
    assert os.listdir(tmp_path) == ["x.bin"]
    assert (tmp_path / "x.bin").read_bytes() == CONTENT


@pytest.mark.parametrize("name", ["../evil.txt", "/evil.txt", "a/../../evil.txt"])
def test_no_member_gets_out_of_the_folder(tmp_path, name):
    for path in (
        zipped(tmp_path / "x.zip", {"ok": b"", name: b"!"}),
        tarred(tmp_path / "x.tgz", {"ok": b"", name: b"!"}),
    ):
        with pytest.raises(ValueError, match=r"lies outside the folder"):
            extract_archive(path, tmp_path / "out")
        assert os.listdir(tmp_path / "out") == []
    assert not (tmp_path / "evil.txt").exists()


def test_links_in_archives_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'link' is neither a file nor a folder"):
        extract_archive(tarred(tmp_path / "x.tar", {"link": None}, "w"), tmp_path / "out")


def member(length, kind=tarfile.REGTYPE, **pax):
    """The bytes of a tar archive with one member, of a size that is not there."""
    info = tarfile.TarInfo("x")
    info.size, info.type, info.pax_headers = length, kind, pax
    return info.tobuf(tarfile.PAX_FORMAT if pax else tarfile.GNU_FORMAT) + bytes(1024)


@pytest.mark.parametrize(
    "content",
    [
        member(1 << 40, tarfile.XHDTYPE), member(1 << 40, tarfile.GNUTYPE_LONGNAME), member(-1, tarfile.GNUTYPE_LONGLINK),      # a name is read whole
        member(0, size="9" * 20), member(0, path="x\0y"), member(0, mtime="nan"), member(0, **{"GNU.sparse.map": "0,1,z"}),
    ],
)  # fmt: skip
def test_headers_that_lie_are_damage(tmp_path, content):
    (tmp_path / "x.tar").write_bytes(content)
    with pytest.raises(OSError, match=r"^\[extract_archive\] .* is damaged"):
        extract_archive(tmp_path / "x.tar", tmp_path / "out")


def test_the_checksum_after_the_last_member_is_read(tmp_path):
    path = tarred(tmp_path / "x.tgz", {"a": CONTENT[:300]})
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    with pytest.raises(OSError, match=r"x.tgz is damaged: CRC check failed"):
        extract_archive(path, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_damage_anywhere_is_told_by_the_archives_name(tmp_path):
    for path in (zipped(tmp_path / "x.zip", {"a": CONTENT[:300]}), tarred(tmp_path / "x.tgz", {"a": CONTENT[:300]})):
        whole, told = path.read_bytes(), []
        for at in range(len(whole)):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 255]) + whole[at + 1 :])
            try:
                extract_archive(path, tmp_path / "out")
            except (OSError, ValueError) as error:
                told.append(str(error))
        assert len(told) > len(whole) // 10
        assert [text for text in told if not text.startswith(f"[extract_archive] {path} is ")] == []


def test_archives_that_would_fill_the_disk_are_refused(tmp_path, monkeypatch):
    with zipfile.ZipFile(tmp_path / "x.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100000))
    monkeypatch.setattr("shutil.disk_usage", lambda folder: shutil._ntuple_diskusage(10**6, 9 * 10**5, 99999))
    with pytest.raises(OSError, match="unpacks to 100000 bytes, but .* has room for 99999"):
        extract_archive(tmp_path / "x.zip", tmp_path / "out")
    assert not (tmp_path / "out" / "zeros").exists()


def test_damaged_and_unknown_archives_are_named(tmp_path):
    for name in ("x.zip", "x.tar.gz", "x.gz", "x.xz"):
        (tmp_path / name).write_bytes(b"damaged")
        with pytest.raises(OSError, match=r"damaged|Not a gzipped"):
            extract_archive(tmp_path / name, tmp_path / "out" / "file")
    with pytest.raises(ValueError, match=r"is none of .zip"):
        extract_archive(tmp_path / "x.rar")
    assert not (tmp_path / "out" / "file").is_file()


def test_an_archive_is_downloaded_and_unpacked(server, tmp_path):
    server.files["/x.zip"] = zipped(tmp_path / "source.zip", {"inside.txt": b"hi"}).read_bytes()
    download_and_extract_archive(f"{server.url}/x.zip", tmp_path / "d", remove_finished=True)
    assert os.listdir(tmp_path / "d") == ["inside.txt"]
    assert np.fromfile(tmp_path / "d" / "inside.txt", np.uint8).size == 2
