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
    "belyaev-2013-distance": """@article{belyaev2013distance,
  title   = {Signed {L}p-distance fields},
  author  = {Belyaev, Alexander and Fayolle, Pierre-Alain and Pasko, Alexander},
  journal = {Computer-Aided Design},
  volume  = {45},
  year    = {2013}
}""",
    "benamou-2010-monge-ampere": """@article{benamou2010monge,
  title   = {Two Numerical Methods for the Elliptic {Monge-Amp{\\`e}re} Equation},
  author  = {Benamou, Jean-David and Froese, Brittany D. and Oberman, Adam M.},
  journal = {ESAIM: Mathematical Modelling and Numerical Analysis},
  volume  = {44},
  number  = {4},
  pages   = {737--758},
  year    = {2010}
}""",
    "bouziani-2024-spon": """@article{bouziani2024spon,
  title   = {Structure-Preserving Operator Learning},
  author  = {Bouziani, Nacime and Boull{\\'e}, Nicolas},
  journal = {arXiv preprint arXiv:2410.01065},
  year    = {2024}
}""",
    "brandstetter-2022-mppde": """@inproceedings{brandstetter2022mppde,
  title     = {Message Passing Neural {PDE} Solvers},
  author    = {Brandstetter, Johannes and Worrall, Daniel and Welling, Max},
  booktitle = {International Conference on Learning Representations},
  year      = {2022}
}""",
    "cao-2021-galerkin": """@inproceedings{cao2021galerkin,
  title     = {Choose a Transformer: {Fourier} or {Galerkin}},
  author    = {Cao, Shuhao},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2021}
}""",
    "csiszar-1975-i-divergence": """@article{csiszar1975divergence,
  title     = {{I}-Divergence Geometry of Probability Distributions and Minimization Problems},
  author    = {Csisz{\'a}r, Imre},
  journal   = {The Annals of Probability},
  volume    = {3},
  number    = {1},
  pages     = {146--158},
  year      = {1975}
}""",
    "fey-2019-pyg": """@inproceedings{fey2019pyg,
  title     = {Fast Graph Representation Learning with {PyTorch Geometric}},
  author    = {Fey, Matthias and Lenssen, Jan Eric},
  booktitle = {ICLR Workshop on Representation Learning on Graphs and Manifolds},
  year      = {2019}
}""",
    "garnett-2005-harmonic-measure": """@book{garnett2005harmonic,
  title     = {Harmonic Measure},
  author    = {Garnett, John B. and Marshall, Donald E.},
  publisher = {Cambridge University Press},
  year      = {2005}
}""",
    "hao-2023-gnot": """@inproceedings{hao2023gnot,
  title     = {{GNOT}: A General Neural Operator Transformer for Operator Learning},
  author    = {Hao, Zhongkai and Wang, Zhengyi and Su, Hang and Ying, Chengyang and Dong, Yinpeng and Liu, Songming and Cheng, Ze and Song, Jian and Zhu, Jun},
  booktitle = {International Conference on Machine Learning},
  year      = {2023}
}""",
    "hu-2024-mmpde": """@inproceedings{hu2024better,
  title     = {Better Neural {PDE} Solvers Through Data-Free Mesh Movers},
  author    = {Hu, Peiyan and Wang, Yue and Ma, Zhi-Ming},
  booktitle = {International Conference on Learning Representations},
  year      = {2024},
  note      = {arXiv:2312.05583}
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
    "muller-1956": """@article{muller1956,
  title   = {Some Continuous {M}onte {C}arlo Methods for the {D}irichlet Problem},
  author  = {Muller, Mervin E.},
  journal = {Annals of Mathematical Statistics},
  volume  = {27},
  pages   = {569--589},
  year    = {1956}
}""",
    "rojas-2024-rvpinn": """@article{rojas2024rvpinn,
  title   = {Robust Variational Physics-Informed Neural Networks},
  author  = {Rojas, Sergio and Maczuga, Pawe{\\l} and Mu{\\~n}oz-Matute, Judit and Pardo, David and Paszy{\\'n}ski, Maciej},
  journal = {Computer Methods in Applied Mechanics and Engineering},
  volume  = {425},
  pages   = {116904},
  year    = {2024},
  note    = {arXiv:2308.16910}
}""",
    "sanchez-2020-gns": """@inproceedings{sanchez2020gns,
  title     = {Learning to Simulate Complex Physics with Graph Networks},
  author    = {Sanchez-Gonzalez, Alvaro and Godwin, Jonathan and Pfaff, Tobias and Ying, Rex and Leskovec, Jure and Battaglia, Peter},
  booktitle = {International Conference on Machine Learning},
  year      = {2020}
}""",
    "tancik-2020-fourier": """@inproceedings{tancik2020fourier,
  title     = {{F}ourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains},
  author    = {Tancik, Matthew and others},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2020}
}""",
    "viswanath-2026-wosno": """@article{viswanath2026wosno,
  title   = {Operator Learning Using Weak Supervision from Walk-on-Spheres},
  author  = {Viswanath, Hrishikesh and Nam, Hong Chul and Deng, Xi and Berner, Julius and Anandkumar, Anima and Bera, Aniket},
  journal = {arXiv preprint arXiv:2603.01193},
  year    = {2026}
}""",
    "kovachki-2021-no": """@article{kovachki2023no,
  title   = {Neural Operator: Learning Maps Between Function Spaces With Applications to {PDEs}},
  author  = {Kovachki, Nikola and Li, Zongyi and Liu, Burigede and Azizzadenesheli, Kamyar and Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  journal = {Journal of Machine Learning Research},
  volume  = {24},
  year    = {2023}
}""",
    "kumar-2024-mtdeeponet": """@article{kumar2025mtdeeponet,
  title   = {Synergistic learning with multi-task {DeepONet} for efficient {PDE} problem solving},
  author  = {Kumar, Varun and Goswami, Somdatta and Kontolati, Katiana and Shields, Michael D. and Karniadakis, George Em},
  journal = {Neural Networks},
  volume  = {184},
  pages   = {107113},
  year    = {2025}
}""",
    "lanthaler-2022-deeponet": """@article{lanthaler2022deeponet,
  title   = {Error estimates for {DeepONets}: a deep learning framework in infinite dimensions},
  author  = {Lanthaler, Samuel and Mishra, Siddhartha and Karniadakis, George Em},
  journal = {Transactions of Mathematics and Its Applications},
  volume  = {6},
  year    = {2022}
}""",
    "li-2020-gkn": """@article{li2020gkn,
  title   = {Neural Operator: Graph Kernel Network for Partial Differential Equations},
  author  = {Li, Zongyi and Kovachki, Nikola and Azizzadenesheli, Kamyar and Liu, Burigede and Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  journal = {arXiv preprint arXiv:2003.03485},
  year    = {2020}
}""",
    "li-2020-multipole": """@inproceedings{li2020multipole,
  title     = {Multipole Graph Neural Operator for Parametric Partial Differential Equations},
  author    = {Li, Zongyi and Kovachki, Nikola and Azizzadenesheli, Kamyar and Liu, Burigede and Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2020}
}""",
    "lu-2021-deeponet": """@article{lu2021deeponet,
  title   = {Learning nonlinear operators via {DeepONet} based on the universal approximation theorem of operators},
  author  = {Lu, Lu and Jin, Pengzhan and Pang, Guofei and Zhang, Zhongqiang and Karniadakis, George Em},
  journal = {Nature Machine Intelligence},
  volume  = {3},
  pages   = {218--229},
  year    = {2021}
}""",
    "quackenbush-2024-gnp": """@article{quackenbush2024gnp,
  title   = {Geometric Neural Operators ({GNPs}) for Data-Driven Deep Learning of Non-{E}uclidean Operators},
  author  = {Quackenbush, Blaine and Atzberger, Paul J.},
  journal = {arXiv preprint arXiv:2404.10843},
  year    = {2024}
}""",
    "quackenbush-2025-gnp": """@article{quackenbush2025gnp,
  title   = {Transferable Foundation Models for Geometric Tasks on Point Cloud Representations: Geometric Neural Operators},
  author  = {Quackenbush, Blaine and Atzberger, Paul J.},
  journal = {arXiv preprint arXiv:2503.04649},
  year    = {2025}
}""",
    "rabeh-2025-deeponet": """@article{rabeh2025deeponet,
  title   = {Predicting Time-Dependent Flow Over Complex Geometries Using Operator Networks},
  author  = {Rabeh, Ali and Murugaiyan, Suresh and Krishnamurthy, Adarsh and Ganapathysubramanian, Baskar},
  journal = {arXiv preprint arXiv:2512.04434},
  year    = {2025}
}""",
    "sitzmann-2020-siren": """@inproceedings{sitzmann2020siren,
  title     = {Implicit Neural Representations with Periodic Activation Functions},
  author    = {Sitzmann, Vincent and Martel, Julien and Bergman, Alexander and Lindell, David and Wetzstein, Gordon},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2020}
}""",
    "mousavi-2025-rigno": """@article{mousavi2025rigno,
  title   = {{RIGNO}: A Graph-based framework for robust and accurate operator learning for {PDEs} on arbitrary domains},
  author  = {Mousavi, Sepehr and Wen, Shizheng and Lingsch, Levi and Herde, Maximilian and Raoni{\\'c}, Bogdan and Mishra, Siddhartha},
  journal = {arXiv preprint arXiv:2501.19205},
  year    = {2025}
}""",
    "pfaff-2021-mgn": """@inproceedings{pfaff2021mgn,
  title     = {Learning Mesh-Based Simulation with Graph Networks},
  author    = {Pfaff, Tobias and Fortunato, Meire and Sanchez-Gonzalez, Alvaro and Battaglia, Peter W.},
  booktitle = {International Conference on Learning Representations},
  year      = {2021}
}""",
    "fortunato-2022-msmgn": """@article{fortunato2022msmgn,
  title   = {{MultiScale} {MeshGraphNets}},
  author  = {Fortunato, Meire and Pfaff, Tobias and Wirnsberger, Peter and Pritzel, Alexander and Battaglia, Peter},
  journal = {arXiv preprint arXiv:2210.00612},
  year    = {2022}
}""",
    "barill-2018-winding": """@article{barill2018winding,
  title   = {Fast Winding Numbers for Soups and Clouds},
  author  = {Barill, Gavin and Dickson, Neil G. and Schmidt, Ryan and Levin, David I. W. and Jacobson, Alec},
  journal = {ACM Transactions on Graphics},
  volume  = {37},
  year    = {2018}
}""",
    "sukumar-2022-dirichlet": """@article{sukumar2022dirichlet,
  title   = {Exact imposition of boundary conditions with distance functions in physics-informed deep neural networks},
  author  = {Sukumar, N. and Srivastava, Ankit},
  journal = {Computer Methods in Applied Mechanics and Engineering},
  volume  = {389},
  year    = {2022}
}""",
    "li-2021-fno": """@inproceedings{li2021fno,
  title     = {Fourier Neural Operator for Parametric Partial Differential Equations},
  author    = {Li, Zongyi and Kovachki, Nikola and Azizzadenesheli, Kamyar and Liu, Burigede and Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  booktitle = {International Conference on Learning Representations},
  year      = {2021}
}""",
    "li-2023-gino": """@inproceedings{li2023gino,
  title     = {Geometry-Informed Neural Operator for Large-Scale {3D} {PDEs}},
  author    = {Li, Zongyi and Kovachki, Nikola and Choy, Chris and Li, Boyi and Kossaifi, Jean and
               Otta, Shourya and Nabian, Mohammad Amin and Stadler, Maximilian and Hundt, Christian and Azizzadenesheli, Kamyar and Anandkumar, Anima},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2023}
}""",
    "liu-2023-nuno": """@inproceedings{liu2023nuno,
  title     = {{NUNO}: A General Framework for Learning Parametric {PDEs} with Non-Uniform Data},
  author    = {Liu, Songming and Hao, Zhongkai and Ying, Chengyang and Su, Hang and Cheng, Ze and Zhu, Jun},
  booktitle = {International Conference on Machine Learning},
  year      = {2023}
}""",
    "vaswani-2017": """@inproceedings{vaswani2017,
  title     = {Attention Is All You Need},
  author    = {Vaswani, Ashish and Shazeer, Noam and Parmar, Niki and Uszkoreit, Jakob and Jones, Llion and Gomez, Aidan N. and Kaiser, {\\L}ukasz and Polosukhin, Illia},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2017}
}""",
    "catalani-2025-enf2enf": """@article{catalani2025enf2enf,
  title   = {Geometry Aware Inference of Steady State {PDEs} Using Equivariant Neural Field Representations},
  author  = {Catalani, Giovanni and Bauerheim, Michael and Tost, Fr{\\'e}d{\\'e}ric and Bertrand, Xavier and Morlier, Joseph},
  journal = {arXiv preprint arXiv:2504.18591},
  year    = {2025}
}""",
    "knigge-2024-enf-pde": """@article{knigge2024enfpde,
  title   = {Space-Time Continuous {PDE} Forecasting using Equivariant Neural Fields},
  author  = {Knigge, David M. and Wessels, David R. and Valperga, Riccardo and Papa, Samuele and Sonke, Jan-Jakob and Gavves, Efstratios and Bekkers, Erik J.},
  journal = {arXiv preprint arXiv:2406.06660},
  year    = {2024}
}""",
    "park-2019-deepsdf": """@inproceedings{park2019deepsdf,
  title     = {{DeepSDF}: Learning Continuous Signed Distance Functions for Shape Representation},
  author    = {Park, Jeong Joon and Florence, Peter and Straub, Julian and Newcombe, Richard and Lovegrove, Steven},
  booktitle = {Conference on Computer Vision and Pattern Recognition},
  year      = {2019}
}""",
    "li-2017-metasgd": """@article{li2017metasgd,
  title   = {{Meta-SGD}: Learning to Learn Quickly for Few-Shot Learning},
  author  = {Li, Zhenguo and Zhou, Fengwei and Chen, Fei and Li, Hang},
  journal = {arXiv preprint arXiv:1707.09835},
  year    = {2017}
}""",
    "wen-2025-gaot": """@article{wen2025gaot,
  title   = {Geometry Aware Operator Transformer as an Efficient and Accurate Neural Surrogate for {PDEs} on Arbitrary Domains},
  author  = {Wen, Shizheng and Kumbhat, Arsh and Lingsch, Levi and Mousavi, Sepehr and Zhao, Yizhou and Chandrashekar, Praveen and Mishra, Siddhartha},
  journal = {arXiv preprint arXiv:2505.18781},
  year    = {2025}
}""",
    "wessels-2024-enf": """@article{wessels2024enf,
  title   = {Grounding Continuous Representations in Geometry: Equivariant Neural Fields},
  author  = {Wessels, David R. and Knigge, David M. and Papa, Samuele and Valperga, Riccardo and Vadgama, Sharvaree and Gavves, Efstratios and Bekkers, Erik J.},
  journal = {arXiv preprint arXiv:2406.05753},
  year    = {2024}
}""",
    "wu-2024-transolver": """@inproceedings{wu2024transolver,
  title     = {Transolver: A Fast Transformer Solver for {PDEs} on General Geometries},
  author    = {Wu, Haixu and Luo, Huakun and Wang, Haowen and Wang, Jianmin and Long, Mingsheng},
  booktitle = {International Conference on Machine Learning},
  year      = {2024}
}""",
    "deboer-2007-rbf": """@article{deboer2007rbf,
  title   = {Mesh deformation based on radial basis function interpolation},
  author  = {de Boer, A. and van der Schoot, M. S. and Bijl, H.},
  journal = {Computers \\& Structures},
  volume  = {85},
  year    = {2007}
}""",
    "rendall-2009-greedy": """@article{rendall2009greedy,
  title   = {Efficient mesh motion using radial basis functions with data reduction algorithms},
  author  = {Rendall, T. C. S. and Allen, C. B.},
  journal = {Journal of Computational Physics},
  volume  = {228},
  year    = {2009}
}""",
    "stein-2003-elastic": """@article{stein2003elastic,
  title   = {Mesh Moving Techniques for Fluid-Structure Interactions With Large Displacements},
  author  = {Stein, K. and Tezduyar, T. and Benney, R.},
  journal = {Journal of Applied Mechanics},
  volume  = {70},
  year    = {2003}
}""",
    "jasak-2006-laplacian": """@article{jasak2006laplacian,
  title   = {Automatic Mesh Motion for the Unstructured Finite Volume Method},
  author  = {Jasak, Hrvoje and Tukovi{\\'c}, {\\v Z}eljko},
  journal = {Transactions of FAMENA},
  volume  = {30},
  year    = {2006}
}""",
    "bottasso-2005-ballvertex": """@article{bottasso2005ballvertex,
  title   = {The ball-vertex method: a new simple spring analogy method for unstructured dynamic meshes},
  author  = {Bottasso, Carlo L. and Detomi, Davide and Serra, Roberto},
  journal = {Computer Methods in Applied Mechanics and Engineering},
  volume  = {194},
  year    = {2005}
}""",
    "farhat-1998-torsional": """@article{farhat1998torsional,
  title   = {Torsional springs for two-dimensional dynamic unstructured fluid meshes},
  author  = {Farhat, C. and Degand, C. and Koobus, B. and Lesoinne, M.},
  journal = {Computer Methods in Applied Mechanics and Engineering},
  volume  = {163},
  year    = {1998}
}""",
    "farrell-2009-supermesh": """@article{farrell2009supermesh,
  title   = {Conservative interpolation between unstructured meshes via supermesh construction},
  author  = {Farrell, P. E. and Piggott, M. D. and Pain, C. C. and Gorman, G. J. and Wilson, C. R.},
  journal = {Computer Methods in Applied Mechanics and Engineering},
  volume  = {198},
  year    = {2009}
}""",
    "park-2022-cgs": """@inproceedings{park2022cgs,
  title     = {Convergent Graph Solvers},
  author    = {Park, Junyoung and Choo, Jinhyun and Park, Jinkyoo},
  booktitle = {International Conference on Learning Representations},
  year      = {2022}
}""",
    "zhang-2024-um2n": """@inproceedings{zhang2024um2n,
  title     = {{UM2N}: Towards Universal Mesh Movement Networks},
  author    = {Zhang, Mingrui and Wang, Chunyang and Kramer, Stephan and Wallwork, Joseph G. and Li, Siyi and Liu, Jiancheng and Chen, Xiang and Piggott, Matthew D.},
  booktitle = {Advances in Neural Information Processing Systems},
  year      = {2024}
}""",
    "huang-2015-variational": """@article{huang2015variational,
  title   = {A geometric discretization and a simple implementation for variational mesh generation and adaptation},
  author  = {Huang, Weizhang and Kamenski, Lennard},
  journal = {Journal of Computational Physics},
  volume  = {301},
  pages   = {322--337},
  year    = {2015}
}""",
    "mcrae-2018-monge-ampere": """@article{mcrae2018mongeampere,
  title   = {Optimal-transport-based mesh adaptivity on the plane and sphere using finite elements},
  author  = {McRae, Andrew T. T. and Cotter, Colin J. and Budd, Chris J.},
  journal = {SIAM Journal on Scientific Computing},
  volume  = {40},
  year    = {2018}
}""",
    "zhang-2005-recovery": """@article{zhang2005recovery,
  title   = {A New Finite Element Gradient Recovery Method: Superconvergence Property},
  author  = {Zhang, Zhimin and Naga, Ahmed},
  journal = {SIAM Journal on Scientific Computing},
  volume  = {26},
  year    = {2005}
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
