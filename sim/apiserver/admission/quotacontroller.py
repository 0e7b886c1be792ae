"""The quota controller: works out what is really used and writes it into the status, a little later than it changed."""

from random import Random

from controller.ports import Document, Resource, WatchType
from sim.apiserver.admission.quota import RESOURCE_QUOTAS, Quotas, Usage, WriteStatus, in_scope, usage_of
from sim.apiserver.podresources import is_finished
from sim.apiserver.quantity import canonical, canonical_text, is_binary
from sim.apiserver.reader import Reader
from sim.apiserver.store import Observer
from sim.loop import Loop

RESYNC_US = 300_000_000  # kube-controller-manager --resource-quota-sync-period, default 5m


class QuotaController:
    """Keeps running totals of the namespaces that have quotas, and writes them out after a drawn delay.

    ``delay_us`` is the range, inclusive, from a change (an object deleted, a pod finished, a quota written) to the
    corrected status: informer lag and queue of the real controller (assumed: 5 to 60 ms).
    """

    def __init__(
        self,
        loop: Loop,
        reader: Reader,
        quotas: Quotas,
        observers: list[Observer],
        write_status: WriteStatus,
        stream: Random,
        *,
        delay_us: tuple[int, int] = (5_000, 60_000),
    ) -> None:
        self._loop = loop
        self._reader = reader
        self._quotas = quotas
        self._write_status = write_status
        self._stream = stream
        self._delay_us = delay_us
        self._totals: dict[str, Usage] = {}
        self._due: set[str] = set()
        self._resyncing = False
        self._observing = False
        self._observers = observers
        self._place = len(observers)
        self.reconsider()

    def reconsider(self) -> None:
        """Look at every commit while there are quotas, in the place among the observers that was there at first."""
        if self._quotas.any() is self._observing:
            return
        self._observing = not self._observing
        if self._observing:
            self._observers.insert(self._place, self._changed)
        else:
            self._observers.remove(self._changed)
            self._totals.clear()

    def _changed(self, type_: WatchType, resource: Resource, old: Document | None, new: Document) -> None:
        namespace = new["metadata"].get("namespace", "")
        if self._quotas.of(namespace) is None:
            self._totals.pop(namespace, None)
            return
        if namespace not in self._totals:
            self._totals[namespace] = self._counted(namespace)
        elif type_ == "ADDED":
            self._add(namespace, usage_of(resource, new), 1)
        elif type_ == "DELETED":
            self._add(namespace, usage_of(resource, new), -1)
            self._soon(namespace)
        elif resource.plural == "pods" and not resource.group:
            assert old is not None
            if is_finished(old) != is_finished(new) or old["spec"] is not new["spec"]:
                before, after = usage_of(resource, old), usage_of(resource, new)
                self._add(namespace, before, -1)
                self._add(namespace, after, 1)
                self._soon(namespace)
        if resource.plural == RESOURCE_QUOTAS.plural and (old is None or old["spec"] != new["spec"]):
            self._soon(namespace)

    def _counted(self, namespace: str, quota: Document | None = None) -> Usage:
        """What is used in a namespace, of what ``quota``'s scopes take in."""
        total: Usage = {}
        for resource in self._reader.resources():
            if resource.namespaced:
                for document in self._reader.items(resource, namespace):
                    if quota is not None and not in_scope(quota, resource, document):
                        continue
                    for key, amount in usage_of(resource, document).items():
                        total[key] = total.get(key, 0) + amount
        return total

    def _add(self, namespace: str, usage: Usage, sign: int) -> None:
        total = self._totals[namespace]
        for key, amount in usage.items():
            total[key] = total.get(key, 0) + sign * amount

    def _soon(self, namespace: str) -> None:
        if namespace not in self._due:
            self._due.add(namespace)
            self._keep_resyncing()
            self._loop.after(self._stream.randint(*self._delay_us), self._sync, namespace)

    def _keep_resyncing(self) -> None:
        """Armed only while there are quotas, so that a world without any can come to rest."""
        if not self._resyncing:
            self._resyncing = True
            self._loop.after(RESYNC_US, self._resync)

    def _resync(self) -> None:
        self._resyncing = False
        for namespace in self._quotas.namespaces():
            self._totals[namespace] = self._counted(namespace)
            self._soon(namespace)

    def _sync(self, namespace: str) -> None:
        self._due.discard(namespace)
        whole = self._totals.get(namespace, {})
        for name, quota in tuple((self._quotas.of(namespace) or {}).items()):
            total = self._counted(namespace, quota) if quota["spec"].get("scopes") else whole
            hard = {key: canonical_text(amount) for key, amount in (quota["spec"].get("hard") or {}).items()}
            used = {key: canonical(total.get(key, 0), binary=is_binary(amount)) for key, amount in hard.items()}
            status = {"hard": hard, "used": used}
            if quota.get("status") != status:
                self._write_status(namespace, name, status)
