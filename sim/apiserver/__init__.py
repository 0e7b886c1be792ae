"""The simulated API server: semantics in process; transport elsewhere."""
