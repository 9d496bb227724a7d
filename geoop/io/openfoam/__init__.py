"""OpenFOAM cases: meshes and fields read without OpenFOAM, and fields written back so that a run can start from them."""
