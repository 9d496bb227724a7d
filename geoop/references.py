"""The papers behind the methods: keys -> BibTeX. ``geoop cite`` prints those of a model."""

from __future__ import annotations

from collections.abc import Iterable

from .errors import ConfigurationError

#: key -> BibTeX entry.
REFERENCES: dict[str, str] = {
    "alkin-2025-abupt": """@article{alkin2025abupt,
  title   = {{AB-UPT}: Scaling Neural {CFD} Surrogates for High-Fidelity Automotive Aerodynamics Simulations via Anchored-Branched Universal Physics Transformers},
  author  = {Alkin, Benedikt and others},
  journal = {arXiv preprint arXiv:2502.09692},
  year    = {2025}
}""",
    "fey-2019-pyg": """@inproceedings{fey2019pyg,
  title     = {Fast Graph Representation Learning with {PyTorch Geometric}},
  author    = {Fey, Matthias and Lenssen, Jan Eric},
  booktitle = {ICLR Workshop on Representation Learning on Graphs and Manifolds},
  year      = {2019}
}""",
    "jordan-2024-muon": """@misc{jordan2024muon,
  title  = {Muon: An optimizer for hidden layers in neural networks},
  author = {Jordan, Keller and others},
  year   = {2024},
  note   = {kellerjordan.github.io/posts/muon}
}""",
    "karman-trefftz-1918": """@article{karman1918,
  title   = {Potentialstr{\\"o}mung um gegebene Tragfl{\\"a}chenquerschnitte},
  author  = {von K{\\'a}rm{\\'a}n, Theodore and Trefftz, Erich},
  journal = {Zeitschrift f{\\"u}r Flugtechnik und Motorluftschiffahrt},
  volume  = {9},
  year    = {1918}
}""",
    "katz-plotkin-2001": """@book{katz2001,
  title     = {Low-Speed Aerodynamics},
  author    = {Katz, Joseph and Plotkin, Allen},
  edition   = {2},
  publisher = {Cambridge University Press},
  year      = {2001}
}""",
    "kovachki-2021-no": """@article{kovachki2023no,
  title   = {Neural Operator: Learning Maps Between Function Spaces With Applications to {PDEs}},
  author  = {Kovachki, Nikola and Li, Zongyi and Liu, Burigede and Azizzadenesheli, Kamyar and Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  journal = {Journal of Machine Learning Research},
  volume  = {24},
  year    = {2023}
}""",
    "li-2020-gkn": """@article{li2020gkn,
  title   = {Neural Operator: Graph Kernel Network for Partial Differential Equations},
  author  = {Li, Zongyi and Kovachki, Nikola and Azizzadenesheli, Kamyar and Liu, Burigede and Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  journal = {arXiv preprint arXiv:2003.03485},
  year    = {2020}
}""",
    "vaswani-2017": """@inproceedings{vaswani2017,
  title     = {Attention Is All You Need},
  author    = {Vaswani, Ashish and Shazeer, Noam and Parmar, Niki and Uszkoreit, Jakob and Jones, Llion and Gomez, Aidan N. and Kaiser, {\\L}ukasz and Polosukhin, Illia},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2017}
}""",
    "wessels-2024-enf": """@article{wessels2024enf,
  title   = {Grounding Continuous Representations in Geometry: Equivariant Neural Fields},
  author  = {Wessels, David R. and Knigge, David M. and Papa, Samuele and Valperga, Riccardo and Vadgama, Sharvaree and Gavves, Efstratios and Bekkers, Erik J.},
  journal = {arXiv preprint arXiv:2406.05753},
  year    = {2024}
}""",
}


def bibtex(keys: Iterable[str]) -> str:
    """BibTeX entries of the given keys, each once, in alphabetical order.

    Raises:
        ConfigurationError: a key that no entry has.
    """
    keys = sorted(set(keys))
    unknown = [key for key in keys if key not in REFERENCES]
    if unknown:
        raise ConfigurationError(
            f"no references {unknown}", where="references", remedy=f"add them to geoop/references.py, or use {sorted(REFERENCES)}"
        )
    return "\n\n".join(REFERENCES[key] for key in keys)
