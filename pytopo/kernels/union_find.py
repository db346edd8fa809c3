"""Union-find: which component something belongs to, while components merge.

Each component is a tree whose root is its representative.  Two components merge when the root
of one becomes a child of the other's; by the elder rule, the root of the younger component
becomes a child of the elder one's, so that a root is always the oldest of its component.
"""

from pytopo.kernels.jit import njit


@njit(cache=True, nogil=True)
def find(parent, i):
    """Return the root of ``i``, halving the path on the way.

    Parameters
    ----------
    parent : (n,) int32
        ``parent[i] == i`` for roots; every other entry leads to a root.  The one argument
        that a kernel may change: shorter paths stand for the same components.
    i : int
        0 <= i < n.
    """
    while parent[i] != i:
        # Path halving: every other entry on the way is attached to its grandparent.
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i
