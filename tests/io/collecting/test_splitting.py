"""Splits: shares, seeds, groups that stay together, and what is said where they do not."""

import pytest

from geoop.errors import ConfigurationError
from geoop.io.collecting.splitting import Splits, out_of_distribution, random_splits, stated_splits, with_ood, with_validation


@pytest.mark.parametrize("groups", [4, 10, 50, 333])
def test_shares_are_of_the_groups_and_groups_stay_together(groups):
    of = {f"r{k}": f"g{k % groups}" for k in range(3 * groups)}
    found = random_splits(of, 0, "shape")
    sizes = {split: len(own) / 3 for split, own in found.splits.items()}
    assert sizes == {
        "train": groups - max(1, round(groups / 10)) - max(1, round(groups / 5)),
        "val": max(1, round(groups / 10)),
        "test": max(1, round(groups / 5)),
    }
    split_of = {run: split for split, own in found.splits.items() for run in own}
    assert all(len({split_of[run] for run in of if of[run] == group}) == 1 for group in set(of.values()))
    assert found == random_splits(of, 0, "shape")
    assert groups < 10 or found.splits != random_splits(of, 1, "shape").splits


def test_one_shape_is_split_by_run_and_said():
    found = random_splits({f"r{k}": "body" for k in range(20)}, 0, "shape")
    assert {split: len(own) for split, own in found.splits.items()} == {"train": 14, "val": 2, "test": 4}
    assert found.geometry == {} and "nothing about new shapes" in found.notes[0]
    assert random_splits({"a": "x", "b": "x"}, 0, "shape").splits == {"train": ("a", "b")}


def test_stated_splits_are_spelled_alike_and_torn_shapes_are_said():
    found = stated_splits({"a": "Train", "b": "validation", "c": "TEST", "d": "extra"}, dict(zip("abcd", "1234", strict=True)), "the column")
    assert found.splits == {"train": ("a",), "val": ("b",), "test": ("c",), "extra": ("d",)}
    torn = stated_splits({"a": "train", "b": "test"}, {"a": "x", "b": "x"}, "the column")
    assert torn.geometry == {} and "1 of 1 shapes into several splits" in torn.notes[-1]


def test_validation_takes_whole_shapes_out_of_train():
    train = tuple(f"r{k}" for k in range(40))
    found = with_validation(Splits({"train": train, "test": ("t",)}, {run: f"g{int(run[1:]) // 2}" for run in train} | {"t": "gt"}, ()), 0)
    assert len(found.splits["val"]) == 4 and len(found.splits["train"]) == 36
    assert not {found.geometry[run] for run in found.splits["val"]} & {found.geometry[run] for run in found.splits["train"]}
    assert found.splits["test"] == ("t",)


def test_conditions_of_ood():
    known = {"a": {"alpha": 1.0, "U": 10.0}, "b": {"alpha": 5.0, "U": 10.0}, "c": {"alpha": 5.0, "U": 30.0}, "d": {"U": 1.0}}
    assert out_of_distribution("alpha>2", known) == {"b", "c"}
    assert out_of_distribution("alpha >= 5 and U<20", known) == {"b"}
    assert out_of_distribution("alpha=1, U=10", known) == {"a"}
    for text, words in (
        ("alpha", "is no condition"),
        ("beta>1", "no run has a number 'beta'"),
        ("U>0", "holds for all runs"),
        ("U>99", "holds for no run"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            out_of_distribution(text, known)


def test_shapes_shared_with_ood_are_said_and_named_apart():
    found = with_ood(Splits({"train": ("a",)}, {"a": "x", "b": "x", "c": "y"}, ()), ["b", "c"], "alpha>2")
    assert found.splits["ood"] == ("b", "c")
    assert set(found.geometry.values()) == {"x", "x_ood", "y_ood"}
    assert "1 shapes of 'ood' are in the other splits" in found.notes[-1]
