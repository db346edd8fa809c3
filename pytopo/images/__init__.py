"""A file becomes an array: images, label images, and the one reading of masks.

========  ============================================================================
file      what it does
========  ============================================================================
image.py  an address like ``stack.tif[3]`` becomes an image or labels
readers/  one reader a format: TIFF, pictures, HDF5, NumPy
masks.py  what the stored numbers of a mask mean, and which ids are background
========  ============================================================================
"""

from pytopo.images.image import image_shape, open_image, open_labels, read_image

__all__ = ["image_shape", "open_image", "open_labels", "read_image"]
