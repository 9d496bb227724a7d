"""Repair of surfaces and outlines: points merged, facets dropped, turned and added, and said what was done."""

from .carrying import carried as carried
from .carrying import split as split
from .repairing import Repaired as Repaired
from .repairing import repair as repair
