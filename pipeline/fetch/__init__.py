"""Fetch: the pages of articles whose feed says that each page is wanted. One door: ``run``."""
