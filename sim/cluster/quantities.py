"""Resource quantities as the scheduler and the kubelet count them: CPU in milli-cores, memory in bytes."""

from sim.apiserver.quantity import canonical, thousandths


def cpu_milli(quantity: str | float) -> int:
    """Milli-cores, rounded up. Raises ValueError for what is no quantity."""
    return thousandths(quantity)


def memory_bytes(quantity: str | float) -> int:
    """Bytes, rounded up. Raises ValueError for what is no quantity."""
    return -(-thousandths(quantity) // 1000)


def binary(amount_bytes: int) -> str:
    """Bytes as Kubernetes prints a binary quantity: the largest suffix that divides them (``100Mi``, ``91244Ki``)."""
    return canonical(amount_bytes * 1000, binary=True)
