"""Union-find: the representative of a growing component."""

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def find(parent, i):
    """Return the root of ``i``, halving the path on the way.

    Parameters
    ----------
    parent : (n,) int32
        ``parent[i] == i`` for roots; every other entry leads to a root.  The one array
        that a kernel may change: shorter paths are the same forest.
    i : int
        0 <= i < n.
    """
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
