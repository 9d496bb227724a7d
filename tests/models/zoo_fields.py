"""Zoo entries of enf2enf."""

from __future__ import annotations

from geoop.models.enf2enf import Enf2Enf

from .zoo import Entry

POSES = "latents stand at chosen points of the cloud and carry no share of it: another cloud moves them"
ENTRIES: dict[str, Entry] = {
    "Enf2Enf": Entry(lambda ports: Enf2Enf(ports, 16, latents=24, depth=2), converges=False, transfer=0.3, why=POSES),
    "Enf2Enf without layer potentials": Entry(
        lambda ports: Enf2Enf(ports, 16, latents=24, depth=2, densities=0), converges=False, transfer=0.3, why=POSES
    ),
}
