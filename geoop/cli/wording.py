"""Remedies of the library as a user of the command line follows them: options and commands in place of arguments and calls."""

from __future__ import annotations

import re

#: What a remedy says to somebody who writes Python (a pattern), and what it says to somebody who types commands.
_ON_THE_COMMAND_LINE = (
    (r"geoop adapt --mover variational, geoop\.adapt\(case, monitor, 'variational'\)", "--mover variational"),
    (r"(MongeAmpere|Variational)\(max_steps=\.\.\.\)", "--steps 300"),
    (r"0 < tolerance < 1, max_steps >= 1, 0 < corner_angle < 180", "--steps 1 or more"),
    (r"\bunit='(\w+)' would", r"--unit \1 would"),
    (r"leave unit= out", "leave --unit out"),
    (r"strength >= 0 \(default 5\), cap >= 1, lengths >= 0", "--strength 0 or more, --cap 1 or more, --smoothing 0 or more"),
    (r", or geoop\.load\(\.\.\.\)", ", or MODEL.safetensors"),
    (r"0, or more for KIND:QUANTITY", "--updates 0, or more with --monitor KIND:QUANTITY"),
    (r"leave steps out", "leave --steps out"),
    (r"leave out the zones: Mesh\(points, cells, patches\)", "give a file without zones"),
    (r"leave these patches out: Mesh\(points, cells, patches=\{\.\.\.\}\)", "give a file without these patches"),
    (r"name some, Mesh\(points, cells, patches=\{\.\.\.\}\)", "name parts of the boundary where the mesh is made: markers in SU2, physical groups in gmsh"),
    (r"(leave it out): len\(mesh\.patches\[name\]\) is 0 for such patches", r"\1"),
    (r": geoop\.mesh\.generate meshes round or inside a closed outline or surface", ", made by a mesh generator such as gmsh"),
    (r"straighten quadratic cells with geoop\.mesh\.straight\.straightened, or mesh the region with geoop\.mesh\.generate", "give a mesh of linear cells"),
    (r"mesh the region with ([\w, ]+), e\.g\. geoop\.mesh\.generate\S+", r"mesh the region with \1"),
    (r", or interpolate first: geoop\.solve\.transfer\.carry\.transfer", "; fields of other meshes have to be interpolated first"),
    (r"train one: geoop\.train\.stepping\.fit_stepper", "train one as examples/11_rollout.py does"),
    (r"give `history` states one interval apart, and times after them", "see --steps and --restart; a series has to hold the first states, one interval apart"),
    (r"use a smaller restart or more times", "use a smaller --restart"),
    (r", or at_times\(reference, times\)", ", or leave --compare out"),
    (r", e\.g\. result\.at\(mesh\.points\)", "; or leave --compare out"),
    (r"give times, or steps of a model with an interval, or a longer series", "give --steps, or a series that is longer"),
    (r"forces\(\.\.\., pressure_unit='Pa'\) or forces\(\.\.\., pressure_unit='m\^2/s\^2', density=\.\.\.\)", "--pressure static, or --pressure kinematic"),
    (r"forces\(\.\.\., density=1\.225\), or give the case an operating point", "--density 1.225 [kg/m^3]"),
    (r"forces\(\.\.\., reference_area=S\) with the area", "--reference-area with the area [m^2]"),
    (r"give the case an OperatingPoint\(velocity=\.\.\.(, alpha=\.\.\.)?\)", "--velocity 50 --alpha 3 [m/s, deg]"),
    (r"(boundary_layer_drag\(\.\.\., reynolds=3e6\), or )?OperatingPoint\((velocity=)?\.\.\., viscosity=1\.8e-5(, reference_length=\.\.\.)?\)", "--viscosity 1.8e-5 [Pa s]"),
    (r"Case\(mesh, OperatingPoint\(velocity=\.\.\., alpha=\.\.\.\)\)", "--velocity 50 --alpha 3 [m/s, deg]"),
    (r'accept = \["(\w+)"\]', r"--accept \1"),
    (r"give output=FOLDER, and workers >= 1 or dask=ADDRESS", "give -o FOLDER, and --workers 1 or more, or --dask ADDRESS"),
    (r"overwrite=True, --overwrite", "--overwrite"),
    (r"choose one of \['rbf', 'elastic', 'laplacian', 'spring'\]", "--method rbf, elastic, laplacian or spring"),
)  # fmt: skip


def on_the_command_line(text: str) -> str:
    """A message or remedy in which arguments and calls of Python have become options and commands; any other text stays as it is."""
    for pattern, words in _ON_THE_COMMAND_LINE:
        text = re.sub(pattern, words, text)
    return text
