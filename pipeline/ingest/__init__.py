"""Ingest: files instead of feeds - from a path to raw articles, or to a word on why there is none."""
