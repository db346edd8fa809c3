"""Numba kernels: arrays and scalars in, arrays out, nothing checked and nothing raised.

The textbook, in the order of the pipeline: ``complex`` builds the cells, ``lower_star``
sorts them, ``reduction`` pairs them.  Each kernel runs unchanged as plain Python with
``NUMBA_DISABLE_JIT=1``.
"""
