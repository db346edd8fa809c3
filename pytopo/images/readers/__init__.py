"""How each kind of file is read: an address in, stored pixels and notes out.

==============  ================================================================
address.py      which file, what to take of it, what cannot become an image
arrays.py       .npy and .npz
hdf5.py         HDF5
colour.py       colour becomes one number a pixel: luminance, or an id
picture.py      PNG, JPEG and what else Pillow opens
tiff.py         TIFF, through tifffile
foreign.py      formats that are not read, and what converts them
choice.py       which of them a file needs, by its first bytes
==============  ================================================================

A file is a stranger.  Every reader first learns the shape and dtype that the file claims,
so that one check (``checked_part``) refuses what cannot become an image while that is
cheap; no pickle is loaded, and no pixel comes from a file that was not named; and whatever
a decoder throws at damaged bytes becomes one line of text.
"""
