"""What can be swapped: one file an adapter, each of a port in ``pipeline.ports``; only wiring imports them."""
