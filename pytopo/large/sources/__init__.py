"""Files that are larger than memory, as something with shape, dtype and slices.

    big.zarr:/raw[0]  ->  Source, (H, W) uint8  ->  source[0:2048, 0:2048]  ->  ndarray

=============  ==================================================================
file           what it does
=============  ==================================================================
source.py      ``Source``: what every kind has in common
npy.py         .npy, by a memory map
hdf5.py        data sets of HDF5 files
tiff.py        TIFF, BigTIFF and slides, by their tiles or strips
zarr_store.py  arrays of Zarr stores, and the levels of OME-Zarr
ome.py         what the metadata of OME-Zarr says about levels and axes
opening.py     ``open_source``: which kind a file is
overview.py    a small picture of a source
=============  ==================================================================

A source holds no open file.  Each read opens the file, reads a box and closes it, so that a
source can be sent to another process or machine, is read by several threads at once, and
locks nothing in between.
"""
