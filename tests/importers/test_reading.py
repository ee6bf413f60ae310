"""Files that are not what they should be: one sentence each, nothing executed, nothing believed."""

import io
import json
import os
import pickle
import random
import re
import struct
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from grokterm.errors import UsageError
from grokterm.importers.choices import Choices
from grokterm.importers.plan import plan
from grokterm.importers.reading import open_file
from tests import foreign


class Evil:
    """Unpickled by a careless reader, it makes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


def refusal(path: Path) -> str:
    with pytest.raises(UsageError) as raised:
        plan(path, Choices())
    said = str(raised.value)
    assert str(path) in said
    assert "\n" not in said
    assert said.isprintable()
    return said


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    values = foreign.demo(foreign.trained())
    values["checkpoints"], values["checkpoint_epochs"] = values["checkpoints"][-1:], values["checkpoint_epochs"][-1:]
    return foreign.saved(tmp_path_factory.mktemp("good"), values)


def with_pickle(good: Path, path: Path, old: bytes, new: bytes) -> Path:
    """The same archive with something else in its pickle."""
    with zipfile.ZipFile(good) as source, zipfile.ZipFile(path, "w") as target:
        for entry in source.infolist():
            content = source.read(entry)
            if entry.filename.endswith("data.pkl"):
                assert old in content
                content = content.replace(old, new, 1)
            target.writestr(entry.filename, content)
    return path


def test_what_is_no_file_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    os.mkfifo(tmp_path / "pipe")
    assert refusal(tmp_path) == f"{tmp_path} is a directory; import takes a file"
    assert refusal(tmp_path / "none") == f"there is no file {tmp_path / 'none'}"
    assert refusal(tmp_path / "empty").endswith("is empty")
    assert refusal(tmp_path / "pipe").endswith("is no ordinary file")
    (tmp_path / "a" / "b").parent.touch()
    assert "cannot be read: Not a directory" in refusal(tmp_path / "a" / "b")


@pytest.mark.parametrize(
    "content", [b"x", b"hello, world\n" * 9, b"\x89PNG\r\n\x1a\n" + bytes(90), bytes(200), b"\xff" * 300]
)
def test_other_files_are_no_weights(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.pth").write_bytes(content)
    assert refusal(tmp_path / "x.pth").endswith("is neither a file of torch.save nor a safetensors file")


def test_bare_pickles_and_old_files_of_torch_are_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(pickle.dumps(Evil(tmp_path / "run"), protocol=2))
    assert "is a bare pickle or was saved by a torch older than 1.6" in refusal(path)
    torch.save({"model": 1}, path, _use_new_zipfile_serialization=False)
    assert "is a bare pickle or was saved by a torch older than 1.6" in refusal(path)
    assert not (tmp_path / "run").exists()


def test_a_class_in_a_file_is_named_and_not_made(tmp_path: Path) -> None:
    values = {**foreign.nanda(foreign.trained()), "config": Evil(tmp_path / "run")}
    said = refusal(foreign.saved(tmp_path, values))
    assert "asks for the class posix.mkdir, and only plain weights" in said
    assert not (tmp_path / "run").exists()
    assert "asks for the class pathlib.PosixPath" in refusal(foreign.saved(tmp_path, {"config": Path("x")}))
    assert "asks for the class builtins.eval" in refusal(foreign.saved(tmp_path, {"config": eval}))


def test_a_zip_archive_of_something_else(tmp_path: Path) -> None:
    path = tmp_path / "x.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "hello")
    assert "but not one of torch.save: it holds no data.pkl" in refusal(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data.pkl", bytes(100_000_000))
    assert path.stat().st_size < 200_000
    assert "but not one of torch.save: its entries are compressed" in refusal(path)


def test_a_shape_larger_than_its_storage_allocates_nothing(tmp_path: Path, good: Path) -> None:
    """The pickle says 14 × 16 of an embedding; now it says 14 × 3 · 10¹²."""
    rows_and_columns = b"K\x0eK\x10\x86"
    huge = b"K\x0e\x8a\x06" + (3 * 10**12).to_bytes(6, "little") + b"\x86"
    said = refusal(with_pickle(good, tmp_path / "x.pth", rows_and_columns, huge))
    assert "is damaged or no file of torch.save: Trying to resize storage" in said


def test_a_number_repeated_to_a_huge_shape_is_refused(tmp_path: Path) -> None:
    state = foreign.in_layout("TransformerLens", foreign.trained().states[-1])
    state["blocks.0.mlp.W_in"] = torch.zeros(1, 1).expand(16, 10**12)
    said = refusal(foreign.saved(tmp_path, state))
    assert "W_in claims the shape (16, 1000000000000), more than the whole file holds" in said


@pytest.mark.parametrize("key", ["train_losses", "test_losses", "train_indices", "epoch", "checkpoint_epochs"])
@pytest.mark.parametrize(
    "odd",
    [
        torch.zeros(1, dtype=torch.int64).expand(4 * 10**9),
        torch.tensor([1, 2]).to_sparse(),
        torch.zeros(1, device="meta"),
        torch.zeros(2).to(torch.float8_e4m3fn),
    ],
    ids=["huge", "sparse", "meta", "float8"],
)
def test_losses_indices_and_epochs_are_plain_numbers_too(tmp_path: Path, key: str, odd: torch.Tensor) -> None:
    said = refusal(foreign.saved(tmp_path, foreign.demo(foreign.trained()) | {key: odd}))
    assert f": {key} " in said


def test_weights_of_eight_bits_are_refused(tmp_path: Path) -> None:
    state = foreign.in_layout("TransformerLens", foreign.trained().states[-1])
    state["unembed.W_U"] = state["unembed.W_U"].to(torch.float8_e4m3fn)
    assert "unembed.W_U in model holds float8_e4m3fn, and only" in refusal(foreign.saved(tmp_path, {"model": state}))
    save_file({name: weight.contiguous() for name, weight in state.items()}, tmp_path / "a.safetensors")
    assert ": unembed.W_U holds float8_e4m3fn, and only" in refusal(tmp_path / "a.safetensors")


def test_a_safetensors_file_with_a_huge_shape_is_refused(tmp_path: Path) -> None:
    header = {"embed.W_E": {"dtype": "F32", "shape": [10**12, 10**6], "data_offsets": [0, 4 * 10**18]}}
    text = json.dumps(header).encode()
    (tmp_path / "x").write_bytes(struct.pack("<Q", len(text)) + text + bytes(100))
    assert "is a damaged safetensors file: " in refusal(tmp_path / "x")
    (tmp_path / "x").write_bytes(struct.pack("<Q", 2**62) + text)
    assert "is a damaged safetensors file: " in refusal(tmp_path / "x")


@pytest.mark.parametrize("value", [torch.zeros(3), [1, 2], "text", 5, None, torch.nn.Parameter(torch.zeros(2))])
def test_values_that_are_no_dict(tmp_path: Path, value: object) -> None:
    assert re.search("holds (one tensor|a list|a str|a int|a NoneType)", refusal(foreign.saved(tmp_path, value)))


def test_every_truncation_is_one_sentence(tmp_path: Path, good: Path) -> None:
    content, path = good.read_bytes(), tmp_path / "x.pth"
    for length in random.Random(1).sample(range(1, len(content) - 1), 60):
        path.write_bytes(content[:length])
        refusal(path)


@pytest.mark.parametrize("kind", ["torch", "safetensors"])
def test_damaged_files_are_refused_or_read_and_never_crash(tmp_path: Path, good: Path, kind: str) -> None:
    if kind == "torch":
        content = good.read_bytes()
        with zipfile.ZipFile(good) as archive:
            start = next(entry for entry in archive.infolist() if entry.filename.endswith("data.pkl")).header_offset
        aim = range(start, start + 3000)
    else:
        weights = foreign.in_layout("TransformerLens", foreign.trained().states[-1])
        save_file({name: weight.contiguous() for name, weight in weights.items()}, tmp_path / "good")
        content, aim = (tmp_path / "good").read_bytes(), range(1500)
    path, refused = tmp_path / "x", list[str]()
    for seed in range(120):
        chance, changed = random.Random(seed), bytearray(content)
        for _ in range(chance.choice((1, 3, 10))):
            changed[chance.choice(aim) % len(changed)] = chance.randrange(256)
        path.write_bytes(bytes(changed) if seed % 4 else foreign.damaged(content, seed))
        try:
            plan(path, Choices())
        except UsageError:
            refused.append(refusal(path))
    assert len(refused) > 40


def test_a_good_file_is_opened(good: Path) -> None:
    opened = open_file(good)
    assert "checkpoints" in opened.values
    assert opened.size == good.stat().st_size


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.pth"
    path.write_bytes(b"PK")

    def denied(*_: object, **__: object) -> io.BytesIO:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    assert refusal(path) == f"{path} cannot be read: Permission denied"
