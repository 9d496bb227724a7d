"""Result files as other programs write them: no patches, no units, names of the solver."""

import pytest

from geoop.mesh.generate.ogrid import ogrid
from geoop.mesh.primitives import naca4
from tests.io.collecting.result_files import flow, write_vtu


@pytest.fixture(scope="session")
def sections():
    """Meshes round three sections."""
    return {code: ogrid(naca4(code, 60), n_wall=32, n_normal=6) for code in ("0012", "2412", "4415", "0009", "2410")}


@pytest.fixture
def runs(tmp_path, sections):
    """``runs/``: ten VTU files, and their table as another program would export it (semicolons, decimal comma, km/h)."""
    folder, lines = tmp_path / "runs", ["Case;Speed (km/h);AoA;Density [kg/m^3];operator"]
    for number, (code, mesh) in enumerate(sections.items()):
        for alpha in (0, 4):
            speed = 30.0 + number
            write_vtu(folder / f"naca{code}_a{alpha}.vtu", mesh, flow(mesh, speed))
            lines.append(f"naca{code}_a{alpha};{str(speed * 3.6).replace('.', ',')};{alpha},0;1,225;Jane")
    (tmp_path / "runs.csv").write_text("\n".join(lines), encoding="utf-8-sig")
    return tmp_path
