"""How cases become what a model sees: bodies and regions, clouds, known functions, priors."""

from dataclasses import replace

import numpy as np
import pytest
import torch

import geoop
from geoop.errors import CheckpointError, ConditionError, ConfigurationError, DatasetError
from geoop.mesh.cells import Cells
from geoop.mesh.measure import point_weights
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import naca4
from geoop.mesh.quantity import Quantity
from geoop.scaling.framing import Framing, is_bounded
from geoop.scaling.functions import known

SOURCE = Quantity("source", "f", "1/m^2")


def plate(n: int = 12, hole: bool = False, shift: tuple[float, float] = (0.0, 0.0)) -> Mesh:
    """A square of side 2 [m] of n x n quads, with its sides as patches, or without the middle third."""
    s = np.linspace(0.0, 2.0, n + 1)
    points = np.stack(np.meshgrid(s, s, indexing="ij"), axis=-1).reshape(-1, 2) + shift
    i, j = (k.reshape(-1) for k in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    keep = ~((i >= n // 3) & (i < 2 * n // 3) & (j >= n // 3) & (j < 2 * n // 3)) if hole else np.ones(len(i), dtype=bool)

    def at(a, b):
        return a * (n + 1) + b

    quads = np.stack([at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)], axis=1)[keep]
    k = np.arange(n)
    sides = {
        "bottom": np.stack([at(k, 0), at(k + 1, 0)], 1),
        "right": np.stack([at(n, k), at(n, k + 1)], 1),
        "top": np.stack([at(k + 1, n), at(k, n)], 1),
        "left": np.stack([at(0, k + 1), at(0, k)], 1),
    }
    if hole:
        a, b = n // 3, 2 * n // 3
        m = np.arange(a, b)
        rim = [np.stack([at(m, a), at(m + 1, a)], 1), np.stack([at(m, b), at(m + 1, b)], 1)]
        rim += [np.stack([at(a, m), at(a, m + 1)], 1), np.stack([at(b, m), at(b, m + 1)], 1)]
        sides["hole"] = np.concatenate(rim)
    mesh = Mesh(points, Cells.of(quad=quads), patches={name: Cells.of(line=rows) for name, rows in sides.items()})
    used = np.unique(quads)
    number = np.full(len(points), -1)
    number[used] = np.arange(len(used))
    return Mesh(points[used], mesh.cells.renumbered(number), patches={name: cells.renumbered(number) for name, cells in mesh.patches.items()})


def source_case(mesh: Mesh, scale: float = 1.0) -> geoop.Case:
    x, y = mesh.points.T
    zero = geoop.Field(Quantity("solution", "u", "1"), np.array(0.0), "global")
    return geoop.Case(mesh, fields={"source": geoop.Field(SOURCE, scale * (np.sin(x) + y))}, boundary={"left": {"solution": zero}})


@pytest.mark.parametrize("hole", [False, True])
def test_distances_are_positive_and_normals_point_into_a_region(hole):
    case = source_case(plate(hole=hole))
    framing = Framing.fit([case], domain_points=60)
    framed = framing.of(case)
    where = np.array([[0.2, 1.0], [1.0, 1.9], [1.0, 1.0], [-0.5, 1.0], [3.0, 1.0]])
    queries = framed.queries(where)
    expected = np.array([0.2, 0.1, -1 / 3 if hole else 1.0, -0.5, -1.0]) / 2  # the side of 2 m is the unit
    np.testing.assert_allclose(queries.points.scalars[:, 0].numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(queries.points.vectors[0, 0].numpy(), [1.0, 0.0], atol=1e-6)
    middle = framed.frame.points_in(np.array([[1.0, 1.0]]))[0]
    sides = np.abs(framed.mesh.points - middle).max(axis=1) > 0.49
    inward = ((middle - framed.mesh.points) * framed.normals).sum(axis=1)
    assert (inward[sides] > 0).all() and (not hole or (inward[~sides] < 0).all())


def test_a_vertex_knows_its_kinds_of_boundary():
    case = source_case(plate(hole=True))
    framing = Framing.fit([case])
    assert framing.kinds == ("bottom", "hole", "left", "right", "top")
    framed = framing.of(case)
    member = framed.geometry.surface.scalars[:, 2:].numpy()
    local = framed.mesh.points
    np.testing.assert_array_equal(member[:, 2] > 0, np.isclose(local[:, 0], -0.5))
    assert (member.sum(axis=1) >= 1).all() and member.sum(axis=1).max() == 2  # a corner belongs to two


@pytest.mark.parametrize("count", [40, 100, 10_000])
def test_a_thinned_cloud_keeps_the_area_and_the_boundary_in_proportion(count):
    case = source_case(plate(24))
    framing = Framing.fit([case], domain_points=count)
    domain = framing.of(case).geometry.domain
    assert domain is not None
    points = domain.points
    assert len(points) == min(count, len(case.mesh.points))
    assert float(points.weight.sum()) == pytest.approx(1.0, rel=1e-5)
    on_wall = int((points.scalars[:, 0] == 0).sum())
    assert 0.5 * 4 * np.sqrt(len(points)) < on_wall < 1.6 * 4 * np.sqrt(len(points))


def test_a_known_function_is_at_the_very_points_of_the_domain_and_standardised():
    cases = [source_case(plate(), scale) for scale in (1.0, 3.0)]
    framing = Framing.fit(cases, inputs=("source", "boundary solution"), domain_points=50)
    framed = framing.of(cases[0])
    inputs = framing.inputs(cases[0], framed)
    assert framed.geometry.domain is not None
    source = inputs.functions["source"]
    assert source.pos is framed.geometry.domain.points.pos
    item = framing.functions[1]
    weight = source.weight.numpy()[:, None] * framed.frame.length**2
    found = source.scalars.numpy() * item.deviation + item.mean
    exact, measure = known("source", cases[0])[1], point_weights(cases[0].mesh)[:, None]
    assert len(found) == 50 < len(exact)
    # the integral of the source is that of the mesh, not that of fifty samples
    assert (weight * found).sum() == pytest.approx((measure * exact).sum(), rel=1e-5)
    older = replace(framing, functions=tuple(replace(each, averaged=False) for each in framing.functions))
    picked = older.inputs(cases[0], framed).functions["source"].scalars.numpy() * item.deviation + item.mean
    here = framed.frame.points_out(source.pos.numpy())
    np.testing.assert_allclose(picked[:, 0], np.sin(here[:, 0]) + here[:, 1], atol=1e-5)  # as models before the averages were told
    assert abs((weight * picked).sum() - (measure * exact).sum()) > 1e-3
    both = np.concatenate([item.standardised(known("source", case)[1]) for case in cases])
    assert both.mean() == pytest.approx(0, abs=1e-12) and both.std() == pytest.approx(1, rel=1e-9)
    edge = inputs.functions["boundary solution"]
    np.testing.assert_allclose(edge.pos[:, 0].numpy(), -0.5, atol=1e-6)
    assert (edge.scalars == 0).all()


def test_regions_share_a_box_and_flows_between_walls_have_their_own():
    a, b = source_case(plate()), source_case(plate(shift=(2.0, 0.0)))
    framing = Framing.fit([a, b])
    np.testing.assert_allclose(framing.of(a).mesh.points.mean(axis=0), [-0.25, 0.0], atol=1e-12)
    np.testing.assert_allclose(framing.of(b).mesh.points.mean(axis=0), [0.25, 0.0], atol=1e-12)
    point = geoop.OperatingPoint(2.0, 0.0)
    flows = [
        replace(case, operating_point=point, wall=("hole",)) for case in (source_case(plate(hole=True)), source_case(plate(hole=True, shift=(9, 9))))
    ]
    framing = Framing.fit(flows, frame="region", domain_points=40)
    first, second = (framing.of(case).geometry for case in flows)
    torch.testing.assert_close(first.surface.pos, second.surface.pos)
    assert framing.on_body(flows[0]).sum() < framing.on_wall(flows[0]).sum()
    assert is_bounded(flows[0])


def test_bodies_get_a_cloud_of_their_own_that_no_file_can_change():
    point = geoop.OperatingPoint(50.0, 2.0)
    bare = geoop.Case(naca4("2412", n_points=200), point)
    from geoop.mesh.generate.ogrid import ogrid

    around = geoop.Case(ogrid(bare.mesh, n_wall=150, n_normal=20), point, wall=("wall",))
    framing = replace(Framing.fit([around], domain_points=500))
    assert framing.domain == "around" and not framing.wall_only
    domain = framing.of(around).geometry.domain
    other = framing.of(replace(around, mesh=ogrid(bare.mesh, n_wall=150, n_normal=40))).geometry.domain
    assert domain is not None and other is not None and 350 < len(domain) < 700
    torch.testing.assert_close(domain.points.pos, other.points.pos, atol=2e-3, rtol=0)
    wall = Framing.fit([bare], domain_points=100)
    assert wall.domain == "mesh" and wall.wall_only
    ring = wall.of(bare).geometry.domain
    assert ring is not None and (ring.points.scalars[:, 0] == 0).all()
    with pytest.raises(ConditionError):
        wall.inputs(replace(bare, operating_point=None), wall.of(bare))


def test_saved_and_restored():
    case = source_case(plate())
    for framing in (
        Framing.fit([case, source_case(plate(), 2.0)], inputs=("source",), beyond={"solution": "source"}, domain_points=30),
        Framing.fit([geoop.Case(naca4("0012"), geoop.OperatingPoint(1.0, a)) for a in (0.0, 1.0)]),
    ):
        assert Framing.from_dict(framing.to_dict()).to_dict() == framing.to_dict()
    with pytest.raises(CheckpointError):
        Framing.from_dict({"region": True})


def test_what_is_not_there_is_named():
    case = source_case(plate())
    with pytest.raises(ConfigurationError, match="no function 'sauce'") as caught:
        Framing.fit([case], inputs=("sauce",))
    assert "source" in str(caught.value) and "boundary solution" in str(caught.value)
    values = case.field("source").values.copy()
    values[3] = np.nan
    with pytest.raises(DatasetError, match="not finite"):
        Framing.fit([case.with_fields(geoop.Field(SOURCE, values))], inputs=("source",))


def test_a_region_in_numbers():
    framing = Framing.fit([source_case(plate(24))], inputs=("source",))
    row = framing.describe(source_case(plate(24)))
    assert row["measure [1]"] == pytest.approx(1.0) and row["boundary [1]"] == pytest.approx(4.0)
    assert row["centre_x [1]"] == pytest.approx(0.0, abs=1e-9)
    assert row["spread_x [1]"] == pytest.approx(np.sqrt(1 / 12), rel=0.01)


def test_the_boundary_is_found_where_no_patch_is_named():
    mesh = plate(hole=True)
    bare = geoop.Case(Mesh(mesh.points, mesh.cells))
    named = geoop.Case(mesh)
    a, b = (Framing.fit([case]) for case in (bare, named))
    where = np.random.default_rng(0).uniform(0, 2, (50, 2))
    torch.testing.assert_close(a.of(bare).queries(where).points.scalars, b.of(named).queries(where).points.scalars)
    np.testing.assert_array_equal(a.on_wall(bare), b.on_wall(named))
