"""A commented study file, as ``geoop study --template`` prints it."""

#: Valid as it stands; every other key is in a comment.
TEMPLATE = """\
# A study: every geometry at every condition.  geoop study study.toml -o polar/
# Angles in degrees, everything else in SI units. Paths are relative to this file.

model = "panels"                  # a shipped model (airfoil-potential), a checkpoint (run/best.safetensors), or the panel method
# output = "polar"                # folder of the study, unless -o says another
# surface_only = true             # pressure on the wall only: faster, no field files
# files = "surface"               # all (wall and field of every case), surface, or none (the table only)
# compare = "panels"              # columns of the panel method beside a model's, as a control (sections)
# drag = "boundary layer"         # drag of inviscid sections from an integral boundary layer; needs reynolds or viscosity
# smallest_edge_angle = 2         # [deg] thinner trailing edges are refused by the panels, 5 unless given: only for exact coordinates
# reference_area = 2.1            # [m^2] bodies in space: no area is customary for all of them
# reference_length = 0.35         # [m] coefficients and Re; of sections the chord unless given
# accept = ["unit"]               # what is asked about and meant: unit, angles, open
# seed = 0                        # of Latin hypercubes
# report = false                  # no pictures, no report.html

[[geometry]]
naca = ["0012", "2412", "23012"]  # four or five digits
# chord = 0.25                    # [m], 1 m unless given
# points = 240

# [[geometry]]
# files = ["wings/*.dat"]         # sections, meshes around them, STL, VTP, ...; file = "one.stl" too
# chord = 0.25                    # [m] of .dat files
# unit = "mm"                     # of STL, OBJ, PLY, OFF
# wall = ["body"]                 # patches that are the body, where their names do not say so
# flap = {hinge = 0.75, deflection = [-10, 0, 10]}   # trailing edge down positive; sections only

# [[geometry]]
# uiuc = ["e387", "clark*"]       # names in a coordinate database
# folder = "coord_seligFmt"       # of .dat files, or an archive of them

# [[geometry]]
# naca = {camber = [0, 2, 4], position = 40, thickness = "10:16:2"}   # per cent of the chord, also between the digits

# [[geometry]]
# wing = {span = "4:10", taper = "0.3:1", sweep = [0, 20], section = "0012"}   # also: superellipsoid, car
# count = 20                      # draws of a Latin hypercube over the intervals "low:high"

[conditions]
alpha = "-4:12:2"                 # a number, a list, "start:stop:step", or {from = -4, to = 12, count = 9}
velocity = 60                     # [m/s]
# reynolds = [1e6, 3e6]           # with velocity, or with viscosity [Pa s] in its place
# mach = 0.3                      # models that have it
# beta = 0                        # sideslip, bodies in space
# density = 1.225
# sampling = "grid"               # grid; list (values side by side); latin hypercube (with count = 100 and intervals "low:high")
"""
