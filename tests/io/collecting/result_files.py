"""Result files as other programs write them: no patches, no units, names of the solver."""

import numpy as np


def write_vtu(path, mesh, point=None, cell=None):
    """A VTU in text with exactly these arrays; quads of a plane mesh."""
    quads = mesh.cells.block("quad")
    points = np.zeros((len(mesh.points), 3))
    points[:, :2] = mesh.points

    def array(name, values):
        values = np.asarray(values, dtype=float)
        width = values.shape[1] if values.ndim > 1 else 1
        text = " ".join(repr(float(v)) for v in values.reshape(-1))
        return f'<DataArray type="Float64" Name="{name}" NumberOfComponents="{width}" format="ascii">{text}</DataArray>'

    def integers(name, values):
        return f'<DataArray type="Int64" Name="{name}" format="ascii">{" ".join(map(str, np.ravel(values)))}</DataArray>'

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian" header_type="UInt64"><UnstructuredGrid>'
        f'<Piece NumberOfPoints="{len(points)}" NumberOfCells="{len(quads)}">'
        f"<PointData>{''.join(array(k, v) for k, v in (point or {}).items())}</PointData>"
        f"<CellData>{''.join(array(k, v) for k, v in (cell or {}).items())}</CellData>"
        f"<Points>{array('Points', points)}</Points>"
        f"<Cells>{integers('connectivity', quads)}{integers('offsets', np.arange(1, len(quads) + 1) * 4)}"
        f"{integers('types', np.full(len(quads), 9))}</Cells></Piece></UnstructuredGrid></VTKFile>"
    )
    return path


def flow(mesh, speed):
    """A made-up flow: the velocity as three components, a pressure below the dynamic one."""
    x = mesh.points
    velocity = np.stack([speed * (1 + 0.1 * x[:, 1]), speed * 0.1 * x[:, 0], np.zeros(len(x))], axis=1)
    return {"U": velocity, "p": 0.5 * speed**2 * np.cos(x[:, 0])}
