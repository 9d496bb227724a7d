"""A commented file for `geoop optimise`."""

TEMPLATE = """\
# geoop optimise optimise.toml
model = "airfoil-potential"      # a shipped model, a checkpoint (.safetensors), or "panels": the panel method itself
output = "optimised"             # folder, relative to this file

[section]                        # as in a study: one of
naca = "2412"                    # NACA digits
# file = "section.dat"           # a file; chord = 1.0 [m]
# uiuc = "e387"                  # a section of the UIUC database

[condition]
velocity = 60.0                  # [m/s]
alpha = 3.0                      # [deg], to begin with
reynolds = 3e6                   # or viscosity [Pa s]; only CD needs it

[objective]                      # one of
minimise = "CD"                  # "CD", "CM", "|CM|"
# maximise = "CL/CD"             # "CL", "CL/CD"
# target = { CL = 0.5 }          # CL and CM to come near to

[variables]
shape = "bumps"                  # Hicks-Henne bumps; "class shape" (Bernstein polynomials), "naca" (three numbers), "none" (alpha alone)
upper = [0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9]   # crests of the bumps, x/c
lower = [0.05, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9]
limit = 0.015                    # largest height of a bump [chord]
alpha = [-2.0, 8.0]              # free between these [deg]; left out: as it is

[constraints]
CL = 0.6                         # exactly; CL_min, CM_min, CM_max, CD_max are bounds
CM_min = -0.08                   # nose up positive, about the quarter chord
max_thickness = 0.115            # least largest thickness [chord]
# thickness = [[0.25, 0.11], [0.8, 0.04]]         # [x/c, least t/c]
# area = 0.07                    # [chord^2]
# nose_radius = 0.012            # [chord]
# edge_angle = 8.0               # [deg] over the last 2 % of the chord
confidence = "inside"            # stay within what the model was trained on; "edge", "none"

[solver]
method = "SLSQP"                 # or "trust-constr"
starts = 2                       # this section, and random changes of it
iterations = 30
transition = 0                   # turbulent from the start; "free": natural transition, whose place makes CD rough
"""
