"""Sizes of every model that were tried: ``PRESETS["GraphNeuralOperator"]["small"]`` are keyword arguments of the class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: class -> size -> keyword arguments. ``small`` trains in minutes on two cores, ``medium`` in about an hour, ``large`` wants a GPU.
PRESETS: dict[str, dict[str, Mapping[str, Any]]] = {
    "BodyField": {
        "small": {"width": 64, "depth": 4, "densities": 16},
        "medium": {"width": 96, "depth": 6, "densities": 24},
        "large": {"width": 192, "depth": 8, "densities": 48},
    },
    # potential flow; any other model can stand inside
    "Superposition": {
        "small": {"inner": "BodyField", "sizes": {"width": 64, "depth": 4, "densities": 16}},
        "medium": {"inner": "BodyField", "sizes": {"width": 96, "depth": 6, "densities": 24}},
        "large": {"inner": "BodyField", "sizes": {"width": 192, "depth": 8, "densities": 48}},
    },
    # which input functions are values, fluxes and sources is said by the problem: add roles=
    "BoundaryKernel": {
        "small": {"width": 32, "hidden": 32, "depth": 2, "rounds": 1},
        "medium": {"width": 64, "hidden": 48, "depth": 3, "rounds": 2},
        "large": {"width": 128, "hidden": 96, "depth": 4, "rounds": 2, "heads": 8},
    },
    "Enf2Enf": {
        "small": {"width": 48, "depth": 2, "nearest": 4},
        "medium": {"width": 96, "latents": 192, "depth": 4, "nearest": 6},
        "large": {"width": 192, "latents": 384, "depth": 6, "heads": 8, "nearest": 8},
    },
    "GNOT": {
        "small": {"width": 48, "depth": 3, "heads": 3, "experts": 3, "points": 256},
        "medium": {"width": 96, "depth": 4, "heads": 6, "experts": 3, "points": 512},
        "large": {"width": 192, "depth": 6, "heads": 8, "experts": 4},
    },
    "LowRankOperator": {
        "small": {"width": 48, "layers": 4, "rank": 8, "heads": 4, "hidden": 24},
        "medium": {"width": 96, "layers": 6, "rank": 24, "heads": 6, "hidden": 48},
        "large": {"width": 192, "layers": 8, "rank": 32, "heads": 8, "hidden": 96},
    },
    "PotentialField": {
        "small": {"width": 48, "inner": "Transolver", "sizes": {"slices": 16, "depth": 3}, "densities": 16},
        "medium": {"width": 96, "inner": "Transolver", "sizes": {"slices": 32, "depth": 6}, "densities": 24},
        "large": {"width": 192, "inner": "Transolver", "sizes": {"slices": 64, "depth": 8, "heads": 8}, "densities": 48},
    },
    "GraphNeuralOperator": {
        "small": {"layers": 3, "points": 192, "neighbours": 6, "scales": (24,), "scale_neighbours": 24},
        "medium": {"width": 96, "layers": 5, "gains": 48, "hidden": 32, "neighbours": 12, "scales": (256, 48)},
        "large": {"width": 192, "layers": 6, "gains": 96, "hidden": 64, "neighbours": 16, "scales": (256, 48), "scale_neighbours": 12},
    },
    "GAOT": {
        "small": {"width": 48, "tokens": 128, "depth": 3, "heads": 3, "kernel": 24, "scales": [1.0], "neighbours": [8]},
        "medium": {"width": 96, "tokens": 256, "depth": 5, "kernel": 48},
        "large": {"width": 192, "tokens": 512, "depth": 8, "kernel": 96},
    },
    "Transolver": {
        "small": {"width": 48, "slices": 16, "depth": 3},
        "medium": {"width": 96, "slices": 32, "depth": 6},
        "large": {"width": 192, "slices": 64, "depth": 8, "heads": 8},
    },
    "MeshGraphNet": {
        "small": {"width": 40, "edge_width": 16, "fine": 1, "coarse": 4},
        "medium": {"width": 96, "edge_width": 64, "fine": 2, "coarse": 8},
        "large": {"width": 128, "edge_width": 128, "fine": 4, "coarse": 10},
    },
    "RIGNO": {
        "small": {"width": 48, "edge_width": 32, "depth": 4, "mask": 0.2},
        "medium": {"width": 96, "edge_width": 64, "depth": 12},
        "large": {"width": 128, "edge_width": 128, "depth": 18},
    },
    "StructurePreservingOperator": {
        "small": {"width": 48, "tokens": 64, "depth": 3, "smoothings": 2, "degree": 2},
        "medium": {"width": 96, "tokens": 192, "depth": 5, "smoothings": 3, "degree": 2},
        "large": {"width": 192, "tokens": 384, "depth": 8, "smoothings": 5, "degree": 2},
    },
    # which fields have boundary values is said by the problem: add fields= and dirichlet=
    "ExactDirichlet": {
        "small": {"width": 64, "inner": "DeepONet", "sizes": {"modes": 64, "tokens": 8, "depth": 1, "trunk": 3}, "fields": []},
        "medium": {"width": 128, "inner": "DeepONet", "sizes": {"modes": 128, "tokens": 16, "depth": 2, "trunk": 4}, "fields": []},
        "large": {"width": 256, "inner": "DeepONet", "sizes": {"modes": 256, "tokens": 32, "depth": 4, "trunk": 5}, "fields": []},
    },
    "GINO": {
        "small": {"width": 48, "resolution": 24, "modes": 6, "rank": 12, "depth": 4},
        "medium": {"width": 64, "resolution": 32, "modes": 10, "rank": 24, "depth": 5},
        "large": {"width": 128, "resolution": 64, "modes": 16, "rank": 48, "depth": 6},
    },
    "NUNO": {
        "small": {"width": 40, "levels": 4, "resolution": 7, "modes": 3, "rank": 12, "depth": 3},
        "medium": {"width": 64, "levels": 4, "resolution": 12, "modes": 6, "rank": 24, "depth": 5},
        "large": {"width": 128, "levels": 5, "resolution": 16, "modes": 8, "rank": 48, "depth": 6},
    },
    "MultipoleGNO": {
        "small": {"layers": 2, "levels": (48, 12), "channels": 32, "gains": 32, "neighbours": 4},
        "medium": {"width": 96, "layers": 4, "levels": (256, 64, 16), "channels": 96, "gains": 32, "hidden": 32, "neighbours": 12},
        "large": {
            "width": 192,
            "layers": 5,
            "levels": (512, 128, 32),
            "channels": 192,
            "gains": 64,
            "hidden": 48,
            "neighbours": 16,
            "level_neighbours": 8,
        },
    },
    "DeepONet": {
        "small": {"width": 64, "modes": 64, "tokens": 8, "depth": 1, "trunk": 3},
        "medium": {"width": 128, "modes": 128, "tokens": 16, "depth": 2, "trunk": 4},
        "large": {"width": 256, "modes": 256, "tokens": 32, "depth": 4, "trunk": 5},
    },
    # which functions are past states is said by the training: see past=
    "TimeDeepONet": {
        "small": {"width": 64, "modes": 64, "tokens": 8, "depth": 1, "trunk": 3},
        "medium": {"width": 128, "modes": 128, "tokens": 16, "depth": 2, "trunk": 4, "waves": 48},
        "large": {"width": 256, "modes": 256, "tokens": 32, "depth": 4, "trunk": 5, "waves": 96},
    },
    "TimeIncrement": {
        "small": {"width": 48, "inner": "Transolver", "sizes": {"slices": 16, "depth": 3}},
        "medium": {"width": 96, "inner": "Transolver", "sizes": {"slices": 32, "depth": 6}},
        "large": {"width": 192, "inner": "Transolver", "sizes": {"slices": 64, "depth": 8, "heads": 8}},
    },
    "MultiTaskDeepONet": {
        "small": {"width": 64, "modes": 64, "tokens": 8, "depth": 1, "trunk": 3},
        "medium": {"width": 128, "modes": 128, "tokens": 16, "depth": 2, "trunk": 4},
        "large": {"width": 256, "modes": 256, "tokens": 32, "depth": 4, "trunk": 5},
    },
    "GeometricNeuralOperator": {
        "small": {"width": 48, "depth": 2, "tokens": 64, "gains": 16, "neighbours": 6, "near": 4},
        "medium": {"width": 96, "depth": 5, "tokens": 128, "gains": 48, "hidden": 32},
        "large": {"width": 192, "depth": 8, "tokens": 256, "gains": 96, "hidden": 64, "neighbours": 16, "near": 8},
    },
}
