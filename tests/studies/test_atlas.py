"""An atlas of sections: what is alike is near, what lies between two is between them, and what is foreign is flagged."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest
import torch

from geoop.errors import CheckpointError, ConfigurationError, InvalidMeshError, ShapeError
from geoop.graph.pointset import PointSet
from geoop.io.checkpoint import Checkpoint, write_checkpoint
from geoop.mesh.body import body
from geoop.mesh.distance import signed_distance
from geoop.mesh.mesh import Mesh
from geoop.mesh.primitives import box, circle, icosphere, naca4, ring
from geoop.models.shape_field import ShapeField
from geoop.studies.atlas import Atlas, placed
from geoop.studies.plots.atlas import atlas_picture
from geoop.train.shapes import ShapeSettings, fit_shapes
from geoop.truth.generate import generate

TRAINED = [f"00{t:02d}" for t in range(8, 27, 2)] + [f"{m}{p}{t:02d}" for m in (2, 4) for p in (3, 5) for t in (8, 12, 16, 20, 24)]
FAMILY = [f"00{t:02d}" for t in range(10, 25, 2)]
TRIANGLE = ring(np.array([[0.0, 0.0], [1.0, -0.1], [0.9, 0.4]]), "triangle")


def section(code: str, scale: float = 1.0, shift: float = 0.0) -> Mesh:
    return naca4(code, 80).moved(scale * naca4(code, 80).points + shift)


def trained(poses: str, steps: int) -> ShapeField:
    torch.manual_seed(0)
    field = ShapeField(2, 9, 6, width=24, poses=poses, samples=800, surface_points=100)
    shapes = [field.prepare(placed(section(code))[0]) for code in TRAINED]
    fit_shapes(field, shapes, ShapeSettings(steps=steps, batch=6, points=128, rate=4e-3, muon_rate=3e-2), progress=False)
    return field.requires_grad_(False)


@pytest.fixture(scope="module")
def atlas():
    return Atlas.of({code: section(code) for code in TRAINED}, trained("grid", 280))


@pytest.fixture(scope="module")
def on_bodies():
    return Atlas.of({code: section(code) for code in TRAINED}, trained("body", 360))


@pytest.fixture(params=["atlas", "on_bodies"])
def either(request):
    return request.getfixturevalue(request.param)


def thickness(mesh: Mesh) -> float:
    """Largest height [m] of a symmetric section."""
    return float(np.ptp(mesh.points[:, 1]))


# ---- alike -------------------------------------------------------------------------------------------------------------------------------------


def test_the_nearest_of_a_shape_of_the_atlas_is_itself(either):
    for name in either.names[::4]:
        for shape in (name, section(name)):
            found = either.nearest(shape, 3)
            assert found[0].name == name
            assert found[0].distance < 0.02 * found[1].distance
            assert found[0].distance <= found[1].distance <= found[2].distance


@pytest.mark.parametrize(("name", "family"), [("atlas", FAMILY), ("on_bodies", FAMILY[::3])])
def test_the_more_a_shape_is_changed_the_further_it_is(name, family, request):
    """Latents on bodies are placed anew on every shape, which after a short training blurs small changes."""
    many = request.getfixturevalue(name)
    near = [{n.name: n.distance for n in many.nearest(section(code), len(many))}["0010"] for code in family]
    assert (np.diff(near) > 0).all()


def test_the_next_in_a_family_are_its_neighbours(atlas):
    ranks = [n.name for n in atlas.nearest("0016", 7) if n.name.startswith("00")]
    assert set(ranks[1:3]) == {"0014", "0018"}


def test_neither_size_nor_place_counts(either):
    for name in ("0012", "4316"):
        found = either.nearest(section(name, 250.0, -3.0), 2)
        assert found[0].name == name
        assert found[0].distance < 0.05 * found[1].distance


def test_the_order_of_latents_does_not_count(either):
    parts = either.latents.split()
    shuffled = PointSet.concatenate([part.take(torch.randperm(len(part))) for part in parts])
    other = replace(either, latents=shuffled)
    np.testing.assert_allclose(other.codes, either.codes, atol=1e-5)


def test_other_facets_of_the_same_shape_are_near(atlas):
    found = atlas.nearest(naca4("2316", 201), 2)
    assert found[0].name == "2316"
    assert found[0].distance < 0.3 * found[1].distance


# ---- between -----------------------------------------------------------------------------------------------------------------------------------


def gap(mesh: Mesh, true: Mesh) -> float:
    """Mean distance of the vertices of one from the other, in chords."""
    return float(np.abs(signed_distance(true, mesh.points).distance).mean())


@pytest.mark.parametrize("how", ["latents", "distances"])
def test_between_begins_and_ends_at_the_shapes(atlas, how):
    one, other = (atlas.between("0012", "0020", t, how=how) for t in (0.0, 1.0))
    worst = 3 * float(atlas.misfits.max())  # as good as the field is
    assert worst < 0.05
    assert gap(one, section("0012")) < worst
    assert gap(other, section("0020")) < worst
    assert gap(one, section("0012")) < 0.3 * gap(one, section("0020"))


@pytest.mark.parametrize("how", ["latents", "distances"])
def test_what_lies_between_is_between(atlas, how):
    found = [thickness(atlas.between("0010", "0022", t, how=how)) for t in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert (np.diff(found) > 0).all()
    assert found[2] == pytest.approx(0.16, abs=0.015)
    middle, points = atlas.between("0010", "0022", how=how), section("0016").points
    off = np.abs(signed_distance(middle, points).distance)
    seen = np.array([np.ptp(points[np.abs(points[:, 0] - x) < 1e-9, 1]) for x in points[:, 0]]) > 2 * atlas.misfits.max()
    assert seen.mean() > 0.8  # all but the trailing edge, which is thinner than the field's own error
    assert (off[seen] < 0.02).all()
    assert off.mean() < 0.01
    assert "0010 to 0022" in middle.name


def test_metres_survive(atlas):
    """A section of 2.5 m at one place and one of 1 m at another."""
    one, other = section("0012", 2.5), section("0020", 1.0, 4.0)
    ends = [atlas.between(one, other, t) for t in (0.0, 1.0)]
    for mesh, true in zip(ends, (one, other), strict=True):
        chord = np.ptp(true.points[:, 0])
        assert np.ptp(mesh.points[:, 0]) == pytest.approx(chord, rel=0.1)  # the last bit of a trailing edge is thinner than a cell
        assert gap(mesh, true) < 0.02 * chord
    assert atlas.surface(one).bounds[1, 0] == pytest.approx(2.5, rel=0.1)


def test_latents_on_bodies_have_no_counterparts(on_bodies):
    with pytest.raises(ConfigurationError, match="counterparts") as caught:
        on_bodies.between("0012", "0020", how="latents")
    assert "distances" in caught.value.remedy
    assert 0.12 < thickness(on_bodies.between("0012", "0020")) < 0.20


def test_a_field_without_a_zero_gives_no_mesh(atlas):
    field = trained("grid", 1)
    field.decoder.head.layers[-1].weight.zero_()
    field.decoder.head.layers[-1].bias.fill_(1.0)
    with pytest.raises(InvalidMeshError, match="no zero"):
        replace(atlas, field=field).surface("0012")


# ---- map ---------------------------------------------------------------------------------------------------------------------------------------


def test_the_map_has_one_row_per_shape_whatever_their_order(either):
    found = either.map()
    assert found.positions.shape == (len(either), 2)
    assert 0.6 < found.explained.sum() <= 1 + 1e-9
    order = np.random.default_rng(0).permutation(len(either))
    parts = either.latents.split()
    other = replace(
        either,
        names=tuple(either.names[k] for k in order),
        placements=tuple(either.placements[k] for k in order),
        latents=PointSet.concatenate([parts[k] for k in order]),
        misfits=either.misfits[order],
    )
    np.testing.assert_allclose(other.map().positions, found.positions[order], atol=1e-6 * np.abs(found.positions).max())
    np.testing.assert_allclose(found.place(either.codes), found.positions, atol=1e-9)


def test_the_first_direction_of_sections_is_their_thickness(either):
    thick = [int(name[2:]) for name in either.names]
    assert abs(np.corrcoef(either.map().positions[:, 0], thick)[0, 1]) > 0.95


def test_the_picture_shows_points_colours_and_outlines(atlas, tmp_path):
    numbers = {name: float(name[2:]) for name in atlas.names}
    plain = atlas_picture(atlas, tmp_path / "plain.png", outlines=0)
    full = atlas_picture(atlas, tmp_path / "full.png", values=numbers, label="thickness [%]", outlines=4)
    images = [matplotlib.image.imread(path) for path in (plain, full)]
    colours = [len(np.unique((image.reshape(-1, image.shape[2])[:, :3] * 15).astype(int), axis=0)) for image in images]
    assert colours[1] > colours[0] + 50
    with pytest.raises(ConfigurationError, match="no number"):
        atlas_picture(atlas, tmp_path / "none.png", values={"0012": 1.0})


# ---- foreign -----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [TRIANGLE, box((0.0, 0.0), (1.0, 0.25), 20), circle(60, 0.5)], ids=lambda m: m.name)
def test_a_polygon_among_sections_is_flagged(either, shape):
    found = either.foreignness(shape)
    assert found.flagged()
    assert found.quantile == 1.0


@pytest.mark.parametrize("code", ["0015", "2414", "4318", "3410"])
def test_an_unseen_section_is_not(atlas, code):
    found = atlas.foreignness(section(code))
    assert found.quantile <= 0.95
    assert found.distance < 0.3 * atlas.foreignness(TRIANGLE).distance
    assert 0 < found.misfit < 0.3 * atlas.foreignness(TRIANGLE).misfit


def test_a_shape_of_the_atlas_is_at_home(either):
    found = either.foreignness(section("2312"))
    assert found.quantile < 0.8
    assert not found.flagged(0.999) or found.misfit_quantile > 0.9


# ---- files and bad input -----------------------------------------------------------------------------------------------------------------------


def test_save_and_load_are_bit_equal(either, tmp_path):
    path = either.save(tmp_path / "atlas.safetensors")
    other = Atlas.load(path)
    assert other.names == either.names
    assert other.placements == either.placements
    assert np.array_equal(other.misfits, either.misfits)
    for part in ("pos", "scalars", "vectors", "weight", "ptr"):
        assert torch.equal(getattr(other.latents, part), getattr(either.latents, part))
    assert np.array_equal(other.codes, either.codes)
    assert np.array_equal(other.surface("0012").points, either.surface("0012").points)
    assert other.nearest(section("3412")) == either.nearest(section("3412"))


def test_only_an_atlas_is_loaded(tmp_path):
    path = write_checkpoint(tmp_path / "other.safetensors", Checkpoint({"kind": "something"}, {"a": torch.zeros(1)}))
    with pytest.raises(CheckpointError, match="something"):
        Atlas.load(path)


def test_meshes_bring_their_names(atlas):
    found = Atlas.of([section("0012"), section("0015")], atlas.field)
    assert found.names == ("naca0012", "naca0015")


def test_a_data_set_is_an_atlas_of_its_bodies(atlas, tmp_path):
    sections = generate("kt-airfoils", tmp_path / "kt", 4, workers=1)
    found = Atlas.of(sections, atlas.field)
    assert found.names == tuple(sections.splits["train"])
    case = sections.case(found.names[0])
    assert found.nearest(body(case.mesh, case.wall), 1)[0].name == found.names[0]
    np.testing.assert_allclose(found.placements[0].origin, placed(body(case.mesh, case.wall))[1].origin)


@pytest.mark.parametrize(
    ("shapes", "error", "word"),
    [
        ([naca4("0012")], ConfigurationError, "1 shapes"),
        ([naca4("0012"), naca4("0012")], ConfigurationError, "repeat"),
        ([naca4("0012"), icosphere(1)], ShapeError, "3-D"),
    ],
)
def test_bad_shapes_say_what_to_do(atlas, shapes, error, word):
    with pytest.raises(error, match=word) as caught:
        Atlas.of(shapes, atlas.field)
    assert caught.value.remedy


def test_unknown_names_say_which_are_known(atlas):
    with pytest.raises(ConfigurationError, match="no shape 'boat'") as caught:
        atlas.nearest("boat")
    assert "0008" in caught.value.remedy


@pytest.mark.parametrize("make", [lambda: naca4("2412", 80), lambda: icosphere(2, 3.0, (1.0, 2.0, 3.0))])
def test_the_frame_moves_and_grows_with_the_shape_and_not_with_its_facets(make):
    mesh = make()
    framed, place = placed(mesh)
    assert np.linalg.norm(framed.points, axis=1).max() == pytest.approx(0.5)
    np.testing.assert_allclose(place.out_of(framed.points), mesh.points, atol=1e-12)
    other, there = placed(mesh.moved(7.0 * mesh.points + 5.0))
    np.testing.assert_allclose(other.points, framed.points, atol=1e-12)
    assert there.length == pytest.approx(7.0 * place.length)
