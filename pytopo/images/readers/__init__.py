"""How each kind of file is read: an address in, stored pixels and notes out.

==============  ======================================================================
file            what it does
==============  ======================================================================
address.py      which file, member and slice a text names; refusals in one line
memory.py       whether an image fits into memory
part.py         the slice fitted to the shape of what is stored
choice.py       which reader a file needs, by its first bytes
foreign.py      formats that are not read, and what converts them
arrays.py       .npy and .npz
hdf5.py         HDF5
colour.py       colour becomes one number per pixel: luminance, or an id
picture.py      PNG, JPEG and whatever else Pillow opens
png_part.py     a part of a PNG, without the whole in memory
tiff.py         TIFF: axes as the file names them, values as stored
tiff_axes.py    what the pages of a TIFF are to each other
tiff_window.py  the tiles that a window needs, as a small TIFF
tiff_pages.py   the values of one page, by tifffile or Pillow
==============  ======================================================================

No file is trusted.  Every reader first learns the shape and dtype that the file claims, so
that one check (``checked_part``) refuses what cannot become an image while that is cheap; no
pickle is loaded, and no pixel comes from a file that was not named; and whatever a decoder
raises on damaged bytes becomes one line of text.
"""
