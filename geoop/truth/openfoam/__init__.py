"""Laminar and turbulent flow by an OpenFOAM that is installed: mesh and condition to a solved case (:func:`geoop.truth.openfoam.solving.solve`)."""
