"""Exact persistence of images that are larger than memory, tile by tile."""
