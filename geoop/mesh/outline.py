"""Boundaries of bodies: their loops, which side is out, and the chord line of a section."""

from .chord import ChordLine as ChordLine
from .chord import chord_line as chord_line
from .loops import Loop as Loop
from .loops import loops as loops
from .orientation import oriented as oriented
