"""Settle: where order is made. Identity record, revision, version and family of every article; one writer."""
