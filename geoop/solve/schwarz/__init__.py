"""Overlapping Schwarz iterations: regions of any size, part by part."""
