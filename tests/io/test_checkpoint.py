"""Checkpoints: round trip, and everything that must not be loaded."""

import json
import struct

import pytest
import torch

from geoop.errors import CheckpointError
from geoop.io.checkpoint import FORMAT_VERSION, Checkpoint, class_path, read_checkpoint, resolve, write_checkpoint
from geoop.models.body_field import BodyField
from geoop.models.model import AbstractModel


@pytest.fixture
def path(tmp_path):
    return write_checkpoint(
        tmp_path / "a.safetensors", Checkpoint({"about": {"x": 1}}, {"model.w": torch.arange(6.0).view(2, 3).T, "envelope.rows": torch.ones(2)})
    )


def test_round_trip_is_bit_equal(path):
    read = read_checkpoint(path)
    assert read.header["about"] == {"x": 1}
    assert torch.equal(read.part("model")["w"], torch.arange(6.0).view(2, 3).T)
    assert set(read.part("envelope")) == {"rows"}


@pytest.mark.parametrize("keep", [0, 7, 8, 40, 200, -1])
def test_truncated(path, keep):
    data = path.read_bytes()
    path.write_bytes(data[:keep] if keep >= 0 else data[:-1])
    with pytest.raises(CheckpointError) as caught:
        read_checkpoint(path)
    assert caught.value.remedy


@pytest.mark.parametrize("zipped", [True, False])
def test_pickles_are_refused_unread(tmp_path, zipped):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was executed",))

    file = tmp_path / "model.safetensors"
    torch.save({"bomb": Bomb()}, file, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="pickle"):
        read_checkpoint(file)


def test_newer_format_says_upgrade(path):
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    inner = json.loads(header["__metadata__"]["geoop"])
    inner["format_version"] = FORMAT_VERSION + 1
    header["__metadata__"]["geoop"] = json.dumps(inner)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    with pytest.raises(CheckpointError, match="reads up to") as caught:
        read_checkpoint(path)
    assert "upgrade" in caught.value.remedy


def test_foreign_safetensors_and_missing_file(tmp_path):
    from safetensors.torch import save_file

    save_file({"w": torch.ones(1)}, str(tmp_path / "other.safetensors"))
    with pytest.raises(CheckpointError, match="geoop header"):
        read_checkpoint(tmp_path / "other.safetensors")
    with pytest.raises(CheckpointError, match="no such file"):
        read_checkpoint(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    "name", ["os:system", "geoop.errors:GeoopError", "geoop.models.body_field:Nothing", "geoop.none:X", "geoop.io.checkpoint:__import__('os')"]
)
def test_only_models_inside_geoop_are_resolved(name):
    with pytest.raises(CheckpointError):
        resolve(name, (AbstractModel,))


def test_class_path_round_trip_and_foreign_class():
    assert resolve(class_path(BodyField), (AbstractModel,)) is BodyField
    with pytest.raises(CheckpointError, match="not a class of geoop"):
        class_path(dict)


def test_interrupted_write_keeps_the_old_file(path, monkeypatch):
    before = path.read_bytes()

    def broken(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("safetensors.torch.save_file", broken)
    with pytest.raises(KeyboardInterrupt):
        write_checkpoint(path, Checkpoint({}, {"w": torch.ones(3)}))
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]
