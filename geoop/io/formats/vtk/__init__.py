"""VTK family: XML, legacy, parallel, multi-block, PVD and VTKHDF files."""
