"""What the eight sets share: names, splits, meshes, patches, equal numbers for equal seeds."""

from importlib import import_module

import numpy as np
import pytest

from geoop.errors import ConfigurationError
from geoop.mesh.generate.polygons import area_of, clearance_of
from geoop.mesh.loops import loops
from geoop.mesh.measure import signed_measures
from geoop.truth.datasets.draws import split_of
from geoop.truth.datasets.polygons import laplace, mixed
from geoop.truth.datasets.polygons.family import Family
from geoop.truth.datasets.table import DATASETS, named_dataset
from geoop.truth.datasets.targets import TARGETS

NAMES = [name for name in DATASETS if name.startswith("polygons-")]


def _module(name):
    return import_module(f"geoop.truth.datasets.{DATASETS[name]}")


def test_all_eight_are_in_the_table():
    assert sorted(NAMES) == [f"polygons-{kind}" for kind in ("darcy", "elasticity", "heat", "heat-steps", "laplace", "mixed", "nonlinear", "poisson")]


@pytest.mark.parametrize("name", NAMES)
def test_plan_draws_splits_without_meshing(name, monkeypatch):
    dataset, family = named_dataset(name), _module(name).FAMILY
    monkeypatch.setattr(Family, "outline", None)
    plan = dataset.plan(dataset.size, 1)
    assert plan.name == name and sum(len(plan.splits[key]) for key in ("train", "val", "test")) == dataset.size
    of_split = [{plan.geometry[case] for case in cases} for cases in plan.splits.values()]
    assert sum(len(found) for found in of_split) == len(set().union(*of_split))
    assert set(plan.splits) == {"train", "val", "test", "ood", "ood-slit", *(f"target-{key}" for key in TARGETS)}
    for key, cases in plan.splits.items():
        assert {split_of(case, family.prefix) for case in cases} == {"" if key in ("train", "val", "test") else key}
    fewer = dataset.plan(8, 1)
    assert all(fewer.parameters[case] == plan.parameters[case] for case in fewer.splits["target-a"][:1])
    with pytest.raises(ConfigurationError, match="cannot be split"):
        dataset.plan(3, 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_seed_gives_the_same_bits_in_any_order(name):
    pytest.importorskip("gmsh")
    dataset = named_dataset(name)
    plan = dataset.plan(8, 5)
    chosen = [plan.splits["train"][0], plan.splits["ood"][0], plan.splits["train"][-1]]
    first = [dataset.case(5, case) for case in chosen]
    for key in vars(_module(name)).values():
        if hasattr(key, "cache_clear"):
            key.cache_clear()
    again = [dataset.case(5, case) for case in chosen[::-1]][::-1]
    for a, b in zip(first, again, strict=True):
        assert a.mesh.content_hash == b.mesh.content_hash and a.name == b.name and a.time == b.time
        for key, item in a.fields.items():
            np.testing.assert_array_equal(item.values, b.fields[key].values)
    other = dataset.case(6, chosen[0])
    assert other.mesh.content_hash != first[0].mesh.content_hash


@pytest.mark.parametrize("name", NAMES)
def test_fields_and_boundary_values_agree(name):
    """Units are stated, every patch has its data, and the solution takes its Dirichlet values."""
    pytest.importorskip("gmsh")
    dataset = named_dataset(name)
    plan = dataset.plan(8, 2)
    for case in (plan.splits["val"][-1], plan.splits["ood-slit"][-1], plan.splits["target-b"][-1], plan.splits["target-thin-l"][-1]):
        made = dataset.case(2, case)
        quantity = "displacement" if name.endswith("elasticity") else "solution"
        values = made.boundary["dirichlet"][quantity].values
        points = made.mesh.patch_points("dirichlet")
        np.testing.assert_allclose(made.fields[quantity].values[points], values, atol=1e-14)
        assert set(made.boundary) == set(made.mesh.patches) and all(item.quantity.unit for item in made.fields.values())
        assert (signed_measures(made.mesh) > 0).all()


def test_ood_shapes_are_outside():
    """More vertices than any polygon of training; slits narrower than the clearance that polygons of training have."""
    family = laplace.FAMILY
    most = max(len(family.outline(0, f"laplace_{k:04d}")[0].points) for k in range(1, 30))
    assert most <= 12
    assert min(len(family.outline(0, f"laplace_ood_{k:04d}")[0].points) for k in range(1, 10)) >= 17
    for k in range(1, 10):
        assert (
            clearance_of(family.outline(0, f"laplace_ood-slit_{k:04d}")[0].points)
            < 0.06
            <= clearance_of(family.outline(0, f"laplace_{k:04d}")[0].points)
        )


def test_the_mesh_fills_the_polygon():
    pytest.importorskip("gmsh")
    outline, _ = laplace.FAMILY.outline(0, "laplace_0007")
    mesh = laplace.FAMILY.mesh(0, "laplace_0007")
    assert signed_measures(mesh).sum() == pytest.approx(area_of(outline.points), rel=1e-12)
    (loop,) = loops(mesh.patch("dirichlet"))
    assert loop.closed


def test_free_walls_are_one_run_of_polygons_and_all_but_the_ends_of_strips():
    pytest.importorskip("gmsh")
    shares, strips, family = [], [], mixed.FAMILY
    for geometry in [f"mixed_{k:04d}" for k in range(1, 41)] + ["mixed_target-b_0001", "mixed_ood_0001"]:
        mesh, strip = family.mesh(3, geometry), family.is_strip(3, geometry)
        length = {
            key: np.linalg.norm(np.diff(mesh.points[part.connectivity.reshape(-1, 2)], axis=1), axis=2).sum() for key, part in mesh.patches.items()
        }
        share = length.get("neumann", 0.0) / sum(length.values())
        pieces = loops(mesh.patch("neumann")) if share else []
        assert not any(piece.closed for piece in pieces) and 0.0 <= share < 1.0
        if strip:
            ends = mesh.patch("dirichlet")
            held = loops(ends)
            assert len(held) == len(pieces) in (1, 2)
            off = [ends.points[item.points] - ends.points[item.points].mean(axis=0) for item in held]
            assert max(np.linalg.svd(end, compute_uv=False)[1] for end in off) < 1e-6  # straight
            strips.append(len(pieces))
        else:
            assert len(pieces) <= 1 and share <= 0.75
            shares.append(share)
    assert 0.2 < len(strips) / 40 < 0.6 and {1, 2} == set(strips)
    assert 0.05 < np.mean(np.array(shares) == 0.0) < 0.5 and max(shares) > 0.5


def test_targets_have_a_free_arc_of_at_most_half():
    pytest.importorskip("gmsh")
    mesh = mixed.FAMILY.mesh(3, "mixed_target-b_0001")
    size = {key: np.linalg.norm(np.diff(mesh.points[part.connectivity.reshape(-1, 2)], axis=1), axis=2).sum() for key, part in mesh.patches.items()}
    assert 0.0 < size["neumann"] <= 0.5 * sum(size.values())


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [8, 300])
def test_the_card_says_how_many_solutions_a_geometry_has(name, n):
    plan = named_dataset(name).plan(n, 0)
    runs = plan.series or {case: case for case in plan.geometry}
    of_first = {runs[case] for case in plan.splits["train"] if plan.geometry[case] == plan.geometry[plan.splits["train"][0]]}
    assert plan.generator["solutions_per_geometry"] == len(of_first)
