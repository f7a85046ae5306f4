"""Index: what is ready becomes searchable."""
